// Very many pipelined commands of memcached, quiet ones and reads of many keys among them, with shards and clients that
// delay and disconnect at random: no reply is ever mixed up.
import type { Socket } from "node:net";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

import type { Cleanup } from "@outrigger/testing";
import { startRawServer, until } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { NAMES, startAmbassador } from "./ambassador.ts";

/** Commands in all, and how many of them a client sends before it waits. */
const TOTAL = 100_000;
const BATCH = 100;
const CLIENTS = 10;

/** What a shard has to say to a line: it holds every key that does not end in 0, whose value is the key. */
function answerTo(line: string): string {
  const [command = "", ...words] = line.split(" ");
  const isThere = (key: string): boolean => !key.endsWith("0");
  if (command === "version") return "VERSION 1.6\r\n";
  if (command === "mn") return "MN\r\n";
  if (command === "get")
    return `${words
      .filter(isThere)
      .map((key) => `VALUE ${key} 0 ${key.length}\r\n${key}\r\n`)
      .join("")}END\r\n`;
  const [key = ""] = words;
  if (isThere(key)) return `VA ${key.length} k${key}\r\n${key}\r\n`;
  return words.includes("q") ? "" : "EN\r\n";
}

/** A shard that answers late at times, in pieces, or by closing the connection. */
async function startFickleShard(undo: Cleanup): Promise<{ port: number }> {
  const serve = (socket: Socket): void => {
    let begun = "";
    let before = Promise.resolve();
    socket.setEncoding("latin1").on("data", (text: string) => {
      const lines = (begun + text).split("\r\n");
      begun = lines.pop()!;
      const answer = lines.map(answerTo).join("");
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
  return startRawServer(serve, { cleanup: undo });
}

type Asked = { readonly line: string; readonly expected: string };

/** A command, and the reply to it if no shard fails. */
function commandOf(place: number, number: number): Asked {
  const key = `${place}-${number}`;
  const hit = `VA ${key.length} k${key}\r\n${key}\r\n`;
  const isThere = !key.endsWith("0");
  if (number % 3 === 0) return { line: `mg ${key} k v\r\n`, expected: isThere ? hit : "EN\r\n" };
  if (number % 3 === 1) return { line: `mg ${key} k v q\r\n`, expected: isThere ? hit : "" };
  const keys = Array.from({ length: 5 }, (_, i) => `${key}-${i + 1}`);
  const values = keys.map((one) => `VALUE ${one} 0 ${one.length}\r\n${one}\r\n`).join("");
  return { line: `get ${keys.join(" ")}\r\n`, expected: `${values}END\r\n` };
}

/** What stands for a reply when shards fail: an error, after some of the values of a `get` at most. */
const FAILED = /^(?:VALUE (\S+) 0 \d+\r\n\1\r\n)*SERVER_ERROR shard [^\r]*\r\n/;

/** How long the reply to a command may be that stands here; none if what stands here is no reply to it. */
function lengthsOf({ line, expected }: Asked, rest: string): { good?: number; failed?: number } {
  const failed = FAILED.exec(rest)?.[0];
  const isOwn =
    failed !== undefined && [...failed.matchAll(/VALUE (\S+) 0/g)].every(([, key]) => line.includes(` ${key}`));
  return {
    ...(rest.startsWith(expected) ? { good: expected.length } : {}),
    ...(isOwn ? { failed: failed.length } : {}),
  };
}

/**
 * Takes the replies off the front of what was received; gives the first command that has none. An error behind a quiet
 * command may be its own or the next one's, so both are followed.
 */
function judge(asked: readonly Asked[], received: string, seen: { good: number; failed: number }): string | undefined {
  let places = new Map([[0, { good: 0, failed: 0 }]]);
  for (const one of asked) {
    const next: typeof places = new Map();
    for (const [at, counts] of places) {
      const { good, failed } = lengthsOf(one, received.slice(at, at + 1024));
      if (good !== undefined) next.set(at + good, { ...counts, good: counts.good + 1 });
      if (failed !== undefined) next.set(at + failed, { ...counts, failed: counts.failed + 1 });
    }
    if (next.size === 0) return `${one.line}: ${received.slice(Math.min(...places.keys())).slice(0, 200)}`;
    places = next;
  }
  const whole = places.get(received.length - "MN\r\n".length);
  if (whole === undefined || !received.endsWith("MN\r\n")) return `the end: ${received.slice(-200)}`;
  seen.good += whole.good;
  seen.failed += whole.failed;
  return undefined;
}

/** One client after another in the place of one: each goes away in the middle of its work. Gives what it has seen. */
async function work(port: number, place: number): Promise<{ good: number; failed: number; wrong: string[] }> {
  const seen = { good: 0, failed: 0, wrong: [] as string[] };
  const open = (): { socket: Socket; received: string } => {
    const client = { socket: connect({ port, host: "127.0.0.1", noDelay: true }), received: "" };
    client.socket.setEncoding("latin1").on("data", (text: string) => (client.received += text));
    client.socket.on("error", () => undefined);
    cleanup(() => void client.socket.destroy());
    return client;
  };
  let client = open();
  for (let sent = 0; sent < TOTAL / CLIENTS; sent += BATCH) {
    const asked = Array.from({ length: BATCH }, (_, i) => commandOf(place, sent + i));
    client.received = "";
    client.socket.write(`${asked.map(({ line }) => line).join("")}mn\r\n`);
    if (Math.random() < 0.05) {
      client.socket.destroy();
      client = open();
      continue;
    }
    const { socket } = client;
    await until(() => client.received.endsWith("MN\r\n") || socket.destroyed, {
      timeoutMs: 20_000,
      describe: "the replies",
    });
    const wrong = judge(asked, client.received, seen);
    if (wrong !== undefined) seen.wrong.push(wrong);
  }
  return seen;
}

test("no reply of memcached is mixed up, whatever shards and clients do", async () => {
  const shards = await Promise.all(NAMES.map(() => startFickleShard(cleanup)));
  const args = ["--protocol", "memcached", "--connections", "2", "--on-failure", "fail"];
  const ambassador = await startAmbassador(shards, { cleanup, args, listener: "memcached" });
  const all = await Promise.all(Array.from({ length: CLIENTS }, (_, place) => work(ambassador.port, place)));
  expect(all.flatMap(({ wrong }) => wrong)).toEqual([]);
  expect(all.reduce((sum, one) => sum + one.good, 0)).toBeGreaterThan(TOTAL / 4);
  expect(all.reduce((sum, one) => sum + one.failed, 0)).toBeGreaterThan(0);
  await until(async () => (await ambassador.metrics()).value("shard_ambassador_memory_bytes") === 0, {
    describe: "everything held to be let go",
  });
}, 60_000);
