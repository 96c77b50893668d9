// Very many pipelined commands, with shards and clients that delay and disconnect at random: no reply is ever mixed up.
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

import { startRawServer, until } from "@outrigger/testing";
import type { Cleanup } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { RequestParser } from "../src/redis/request-parser.ts";
import { command, createRawClient, NAMES, startAmbassador } from "./ambassador.ts";

/** Commands in all, and how many of them a client sends before it waits. */
const TOTAL = 200_000;
const BATCH = 100;
const CLIENTS = 10;

/** A shard that answers `GET key` with the key: late at times, in pieces, or by closing the connection. */
async function startFickleShard(cleanup: Cleanup): Promise<{ port: number }> {
  const serve = (socket: Socket): void => {
    const parser = new RequestParser({ maxBytes: 1e6, maxArguments: 10 });
    let before = Promise.resolve();
    socket.on("data", (chunk: Buffer) => {
      let answer = "";
      for (let at = 0; at < chunk.length;) {
        at = parser.read(chunk, at);
        if (parser.complete) answer += `$${parser.text(1).length}\r\n${parser.text(1)}\r\n`;
      }
      const fate = Math.random();
      const cut = Math.floor(Math.random() * answer.length);
      before = before.then(async () => {
        if (fate < 0.3) await delay(Math.random() * 3);
        socket.write(answer.slice(0, cut));
        if (fate > 0.995) socket.destroy();
        else socket.write(answer.slice(cut));
      });
    });
    socket.on("error", () => undefined);
  };
  return startRawServer(serve, { cleanup });
}

/** One client after another in the place of one: each goes away in the middle of its work. Gives what it has seen. */
async function work(port: number, place: number): Promise<{ good: number; failed: number; wrong: string[] }> {
  const seen = { good: 0, failed: 0, wrong: [] as string[] };
  let client = createRawClient(port, cleanup);
  for (let sent = 0; sent < TOTAL / CLIENTS; sent += BATCH) {
    const keys = Array.from({ length: BATCH }, (_, i) => `${place}-${sent + i}-${"x".repeat((sent + i) % 40)}`);
    client.replies.length = 0;
    client.socket.write(keys.map((key) => command("GET", key)).join(""));
    if (Math.random() < 0.05) {
      client.socket.destroy();
      client = createRawClient(port, cleanup);
      continue;
    }
    const { replies } = client;
    await until(() => replies.length >= BATCH, { timeoutMs: 20_000, describe: `${BATCH} replies` });
    for (const [i, reply] of replies.entries()) {
      if (reply === `$${keys[i]?.length}\r\n${keys[i]}\r\n`) seen.good++;
      else if (reply.startsWith("-ERR shard ")) seen.failed++;
      else seen.wrong.push(`${keys[i]}: ${reply}`);
    }
  }
  return seen;
}

test("no reply is mixed up, whatever shards and clients do", async () => {
  const shards = await Promise.all(NAMES.map(() => startFickleShard(cleanup)));
  const ambassador = await startAmbassador(shards, { cleanup, args: ["--connections", "2"] });
  const all = await Promise.all(Array.from({ length: CLIENTS }, (_, place) => work(ambassador.port, place)));
  expect(all.flatMap(({ wrong }) => wrong)).toEqual([]);
  const good = all.reduce((sum, one) => sum + one.good, 0);
  const failed = all.reduce((sum, one) => sum + one.failed, 0);
  expect(good).toBeGreaterThan(TOTAL / 4);
  expect(failed).toBeGreaterThan(0);
  await until(async () => (await ambassador.metrics()).value("shard_ambassador_memory_bytes") === 0, {
    describe: "everything held to be let go",
  });
}, 60_000);
