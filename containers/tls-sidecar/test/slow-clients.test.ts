// Thousands of clients that send a byte a second, next to normal traffic: what the others notice of it, and what it costs.
// OUTRIGGER_SLOW_CLIENTS says how many; each needs a descriptor here and one in the sidecar.
import { readFileSync } from "node:fs";
import { Agent, get } from "node:https";
import { connect } from "node:tls";
import type { TLSSocket } from "node:tls";

import { startApp } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { clientOptions, startSidecar } from "./sidecar.ts";
import type { Sidecar } from "./sidecar.ts";

const COUNT = Number(process.env["OUTRIGGER_SLOW_CLIENTS"] ?? 1000);
/** Handshakes at a time. */
const BATCH = 50;
const HEAD = `GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ${"x".repeat(200)}`;

function connectSlow(sidecar: Sidecar): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port: sidecar.port, ...clientOptions(sidecar) });
    socket.once("secureConnect", () => resolve(socket));
    socket.once("error", reject);
  });
}

/** How long requests take, in milliseconds, in order of size. */
async function timesOf(sidecar: Sidecar, requests: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const one = (): Promise<number> =>
    new Promise((resolve, reject) => {
      const before = performance.now();
      const options = { port: sidecar.port, agent, ...clientOptions(sidecar) };
      get(options, (response) => {
        response.resume();
        response.once("end", () => resolve(performance.now() - before));
      }).once("error", reject);
    });
  const times: number[] = [];
  for (let i = 0; i < requests; i += 4) times.push(...(await Promise.all([one(), one(), one(), one()])));
  agent.destroy();
  return times.toSorted((a, b) => a - b);
}

const p99 = (times: readonly number[]): number => times[Math.floor(times.length * 0.99)]!;

/** Memory that is the process's alone, in bytes. */
function privateMemory(pid: number): number {
  const [, kilobytes] = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) * 1024;
}

test(`${COUNT} clients that send a byte a second hold nobody up, and cost what README says`, async () => {
  const app = await startApp((_, response) => response.end("hello"), { cleanup });
  const limits = ["--header-timeout", "5m", "--handshake-timeout", "1m", "--max-connections", String(COUNT + 100)];
  const sidecar = await startSidecar({ target: app.address, args: ["--no-access-log", ...limits], cleanup });
  await timesOf(sidecar, 400);
  const before = p99(await timesOf(sidecar, 2000));
  const memoryBefore = privateMemory(sidecar.pid);

  const sockets: TLSSocket[] = [];
  cleanup(() => {
    for (const socket of sockets) socket.destroy();
  });
  while (sockets.length < COUNT) {
    const batch = Math.min(BATCH, COUNT - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: batch }, () => connectSlow(sidecar)))));
  }
  let sent = 0;
  const send = setInterval(() => {
    for (const socket of sockets) socket.write(HEAD[sent % HEAD.length]!);
    sent++;
  }, 1000);
  cleanup(() => clearInterval(send));

  const times: number[] = [];
  const began = performance.now();
  while (performance.now() - began < 5000) times.push(...(await timesOf(sidecar, 1000)));
  expect(sent).toBeGreaterThanOrEqual(4);
  const during = p99(times.toSorted((a, b) => a - b));
  const perClient = (privateMemory(sidecar.pid) - memoryBefore) / COUNT;
  // What was measured is the point of it.
  // oxlint-disable-next-line no-console
  console.log(
    `${COUNT} slow clients: p99 ${before.toFixed(1)} ms before, ${during.toFixed(1)} ms beside them; ${Math.round(perClient / 1024)} KiB each`,
  );
  expect(sockets.every(({ destroyed }) => !destroyed)).toBe(true);
  // Below some milliseconds it is this process that is being measured, which sends for all of them.
  expect(during).toBeLessThan(Math.max(2 * before, before + 10));
  expect(perClient).toBeLessThan(100 * 1024);
}, 600_000);
