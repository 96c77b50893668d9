// Nothing is lost: numbered lines are written while their files are rotated by both strategies, the adapter is killed again
// and again, and the collector refuses at random. OUTRIGGER_PROOF=1 runs it with a million lines and twenty kills instead of
// 40,000 and four.
import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { findProgram, spawnContainer, tempDir, until } from "@outrigger/testing";
import type { Container } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { startCollector } from "./collector.ts";

const isFull = process.env["OUTRIGGER_PROOF"] === "1";
const LINES = isFull ? 1_000_000 : 40_000;
const CHUNKS = isFull ? 200 : 40;
const KILLS = isFull ? 20 : 4;
const ROTATIONS = isFull ? 20 : 8;
const CHUNK = LINES / CHUNKS;

const logrotate = findProgram("logrotate");

test.skipIf(logrotate === undefined).each(["nocompress", "compress"])(
  `${LINES} numbered lines all arrive, through ${ROTATIONS} rotations by both strategies (%s), ${KILLS} kills and a collector that refuses at random`,
  { timeout: 600_000 },
  async (compression) => {
    const folder = tempDir(cleanup);
    const at = (name: string): string => join(folder, name);
    const collector = await startCollector(cleanup);
    let requests = 0;
    collector.answer = () => ({ status: requests++ % 7 === 3 || Math.random() < 0.2 ? 503 : 200 });
    // What has arrived is counted and forgotten.
    const seen = new Uint16Array(LINES);
    const take = (): void => {
      for (const { text } of collector.taken.splice(0)) {
        for (const [, number] of text.matchAll(/"Body":"number (\d+)"/g)) seen[Number(number)]!++;
      }
    };
    const missing = (): number => seen.reduce((count, times) => count + (times === 0 ? 1 : 0), 0);
    const rules = (path: string, strategy: string): string =>
      `${path} {\n  rotate 1000\n  size 1\n  ${strategy}\n  ${compression}\n  su ${execFileSync("id", ["-un"]).toString().trim()} ${execFileSync("id", ["-gn"]).toString().trim()}\n}\n`;
    writeFileSync(at("logrotate.conf"), rules(at("moved.log"), "create") + rules(at("copied.log"), "copytruncate"), {
      mode: 0o600,
    });
    const start = (): Container =>
      spawnContainer({
        name: "log-adapter",
        args: [
          "--admin-listen=127.0.0.1:0",
          "--drain-delay=0",
          "--poll-interval=20ms",
          "--multiline-timeout=20ms",
          `--input=file:${folder}/*.log`,
          `--output=http://127.0.0.1:${collector.port}/`,
          `--state-dir=${at("state")}`,
        ],
        cleanup,
      });
    let adapter = start();
    const killedAfter: number[] = [];
    for (let chunk = 0, from = 0; from < LINES; chunk++, from += CHUNK) {
      const [moved, copied]: string[][] = [[], []];
      for (let i = from; i < from + CHUNK; i++)
        (i % 2 === 0 ? moved! : copied!).push(`2006-01-02 15:04:05,000 INFO number ${i}\n`);
      appendFileSync(at("moved.log"), moved!.join(""));
      appendFileSync(at("copied.log"), copied!.join(""));
      if (chunk % (CHUNKS / ROTATIONS) === 3) execFileSync(logrotate!, ["-s", at("rotated"), at("logrotate.conf")]);
      // Before it has looked at all, the adapter cannot know of what was rotated.
      if (chunk === 0)
        await until(() => (take(), missing() === LINES - CHUNK && existsSync(at("state/checkpoint.json"))), {
          timeoutMs: 120_000,
        });
      // The adapter and the collector go on in between.
      const before = collector.requests();
      if (chunk > 0) await until(() => collector.requests() > before, { timeoutMs: 120_000 });
      take();
      if (chunk % (CHUNKS / KILLS) === 5) {
        adapter.signal("SIGKILL");
        await adapter.exited;
        killedAfter.push(from + CHUNK);
        adapter = start();
      }
    }
    await until(() => (take(), missing() === 0), { timeoutMs: 300_000 }).catch(() => undefined);
    expect([...seen.keys()].filter((line) => seen[line] === 0)).toEqual([]);
    const input = `file:${folder}/*.log`;
    const pending = async () => (await adapter.metrics()).value("log_adapter_lines_pending", { input });
    await until(async () => (await pending()) === 0, { timeoutMs: 60_000 });
    const metrics = await adapter.metrics();
    const [read, delivered] = ["read", "delivered"].map((what) =>
      metrics.value(`log_adapter_lines_${what}_total`, { input }),
    );
    expect(delivered).toBe(read);
    take();
    // Each process delivers a line once.
    const processes = (line: number): number => 1 + killedAfter.filter((lines) => line < lines).length;
    expect([...seen.keys()].filter((line) => seen[line]! > processes(line))).toEqual([]);
    expect(await adapter.stop()).toEqual({ code: 0, signal: null });
  },
);
