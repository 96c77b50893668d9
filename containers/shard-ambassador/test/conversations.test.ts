// Transactions and subscriptions: several commands that belong together, within one shard.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Cleanup } from "@outrigger/testing";
import { tempDir, until } from "@outrigger/testing";
import type { Redis } from "ioredis";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { command, createClient, createRawClient, NAMES, startAll, startAmbassador } from "./ambassador.ts";
import type { RawClient } from "./ambassador.ts";
import { redisServer, startRedis } from "./programs.ts";

/** Sends one command and waits for its reply. */
async function ask(client: RawClient, ...args: string[]): Promise<string> {
  const before = client.replies.length;
  client.socket.write(command(...args));
  await until(() => client.replies.length > before);
  return client.replies[before]!;
}

/** A key on another shard than this one. */
async function elsewhere(client: Redis, key: string): Promise<string> {
  const ownerOf = async (one: string): Promise<string> =>
    ((await client.call("OUTRIGGER", "ROUTE", one)) as string[])[0]!;
  const owner = await ownerOf(key);
  for (let i = 0; ; i++) if ((await ownerOf(`other:${i}`)) !== owner) return `other:${i}`;
}

async function start(undo: Cleanup, args: readonly string[] = []) {
  const { shards, ambassador } = await startAll(undo, args);
  return { shards, ambassador, client: createClient(ambassador.port, undo) };
}

describe.skipIf(redisServer.skip)(redisServer.title("a transaction"), () => {
  test("is carried out in one piece, while others use the same connection", async () => {
    const { ambassador, client } = await start(cleanup);
    const others = createRawClient(ambassador.port, cleanup);
    const replies = await Promise.all(
      Array.from({ length: 200 }, (_, i) => {
        others.socket.write(command("INCR", "{t}:noise"));
        return client.multi().set("{t}:a", String(i)).get("{t}:a").incr("{t}:n").exec();
      }),
    );
    for (const [i, results] of replies.entries()) {
      expect(results).toEqual([
        [null, "OK"],
        [null, String(i)],
        [null, i + 1],
      ]);
    }
    await until(() => others.replies.length === 200);
    expect(others.replies.at(-1)).toBe(":200\r\n");
  });

  test("whose keys are on several shards is refused with the remedy, and nothing of it is done", async () => {
    const { ambassador, client } = await start(cleanup);
    const other = await elsewhere(client, "a");
    const raw = createRawClient(ambassador.port, cleanup);
    expect(await ask(raw, "MULTI")).toBe("+OK\r\n");
    expect(await ask(raw, "SET", "a", "1")).toBe("+QUEUED\r\n");
    expect(await ask(raw, "SET", other, "1")).toMatch(/^-CROSSSHARD keys of 'set' are on different shards: a hash tag/);
    expect(await ask(raw, "EXEC")).toMatch(/^-EXECABORT /);
    expect(await client.mget("a", other)).toEqual([null, null]);
    expect(await ask(raw, "EXEC")).toBe("-ERR EXEC without MULTI\r\n");
  });

  test("answers as Redis does what is empty, nested, discarded or unknown", async () => {
    const { ambassador } = await start(cleanup);
    const direct = createRawClient((await startRedis(cleanup)).port, cleanup);
    const raw = createRawClient(ambassador.port, cleanup);
    const lines = [
      ["MULTI"],
      ["EXEC"],
      ["DISCARD"],
      ["MULTI"],
      ["MULTI"],
      ["SET", "k", "v"],
      ["DISCARD"],
      ["GET", "k"],
      ["MULTI"],
      ["PING"],
      ["EXEC"],
      ["MULTI"],
      ["NOSUCH"],
      ["EXEC"],
      ["WATCH"],
      ["MULTI"],
      ["WATCH", "k"],
      ["UNWATCH"],
      ["INCR", "k"],
      ["LPUSH", "k", "x"],
      ["EXEC"],
      ["UNWATCH"],
    ];
    for (const line of lines) {
      const [ours, theirs] = [await ask(raw, ...line), await ask(direct, ...line)];
      // The words of errors may differ, not their codes.
      const form = (reply: string): string => (reply.startsWith("-") ? reply.split(" ", 1)[0]! : reply);
      expect([line, form(ours)]).toEqual([line, form(theirs)]);
    }
  });

  test("comes to nothing if a watched key has changed, and only then", async () => {
    const { client } = await start(cleanup);
    const [first, second] = [client.duplicate(), client.duplicate()];
    cleanup(() => [first, second].forEach((one) => one.disconnect()));
    for (const isDisturbed of [false, true, false]) {
      await first.watch("{w}:a", "{w}:b");
      expect(await first.get("{w}:a")).toBe(await second.get("{w}:a"));
      if (isDisturbed) await second.set("{w}:b", "changed");
      const results = await first.multi().set("{w}:a", "1").exec();
      expect(results).toEqual(isDisturbed ? null : [[null, "OK"]]);
    }
    await first.watch("{w}:a");
    await second.set("{w}:a", "2");
    await first.unwatch();
    expect(await first.multi().get("{w}:a").exec()).toEqual([[null, "2"]]);
  });

  test("comes to nothing if the connection that watched is lost", async () => {
    const { shards, client } = await start(cleanup);
    await client.watch("key");
    const [owner] = (await client.call("OUTRIGGER", "ROUTE", "key")) as [(typeof NAMES)[number]];
    const shard = shards[NAMES.indexOf(owner)]!;
    const direct = createClient(shard.port, cleanup);
    await direct.call("CLIENT", "KILL", "TYPE", "normal");
    await until(async () => (await client.set("key", "1").catch(() => undefined)) === "OK");
    expect(await client.multi().set("key", "2").exec()).toBeNull();
    expect(await client.get("key")).toBe("1");
    expect(await client.multi().set("key", "3").exec()).toEqual([[null, "OK"]]);
  });

  test("takes no more than --max-request, and no more clients watch than --max-own-connections", async () => {
    const { ambassador } = await start(cleanup, ["--max-request", "1KiB", "--max-own-connections", "1"]);
    const [one, two] = [createRawClient(ambassador.port, cleanup), createRawClient(ambassador.port, cleanup)];
    expect(await ask(one, "WATCH", "a")).toBe("+OK\r\n");
    expect(await ask(two, "WATCH", "a")).toContain("--max-own-connections");
    expect((await ambassador.metrics()).value("shard_ambassador_own_connections")).toBe(1);
    await ask(one, "MULTI");
    for (let i = 0; i < 2; i++) expect(await ask(one, "SET", "a", "x".repeat(400))).toBe("+QUEUED\r\n");
    expect(await ask(one, "SET", "a", "x".repeat(400))).toContain("larger than --max-request");
    expect(await ask(one, "EXEC")).toMatch(/^-EXECABORT/);
    await until(async () => (await ask(two, "WATCH", "a")) === "+OK\r\n");
    two.socket.destroy();
    await until(async () => (await ambassador.metrics()).value("shard_ambassador_own_connections") === 0);
    await until(async () => (await ambassador.metrics()).value("shard_ambassador_memory_bytes") === 0);
  });
});

describe.skipIf(redisServer.skip)(redisServer.title("a subscription"), () => {
  test("gets what is published, in order, with RESP2 and with RESP3", async () => {
    const { ambassador, client } = await start(cleanup);
    const heard: Record<string, string[]> = { 2: [], 3: [] };
    for (const protocol of [2, 3] as const) {
      const subscriber = createClient(ambassador.port, cleanup, protocol);
      subscriber.on("message", (channel: string, text: string) => heard[protocol]!.push(`${channel} ${text}`));
      expect(await subscriber.subscribe("{news}:a", "{news}:b")).toBe(2);
    }
    for (let i = 0; i < 100; i++) expect(await client.publish(`{news}:${i % 2 === 0 ? "a" : "b"}`, String(i))).toBe(2);
    const expected = Array.from({ length: 100 }, (_, i) => `{news}:${i % 2 === 0 ? "a" : "b"} ${i}`);
    await until(() => heard[2]!.length === 100 && heard[3]!.length === 100);
    expect(heard).toEqual({ 2: expected, 3: expected });
  });

  test("of channels on several shards is refused with the remedy, and by patterns at all", async () => {
    const { ambassador, client } = await start(cleanup);
    const raw = createRawClient(ambassador.port, cleanup);
    const other = await elsewhere(client, "a");
    expect(await ask(raw, "SUBSCRIBE", "a", other)).toMatch(/^-CROSSSHARD/);
    expect(await ask(raw, "SUBSCRIBE", "a")).toBe("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
    expect(await ask(raw, "SUBSCRIBE", other)).toMatch(/^-CROSSSHARD/);
    expect(await ask(raw, "GET", "a")).toMatch(/^-ERR Can't execute 'get'/);
    expect(await ask(raw, "PING")).toBe("*2\r\n$4\r\npong\r\n$0\r\n\r\n");
    expect(await ask(raw, "UNSUBSCRIBE")).toBe("*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:0\r\n");
    expect(await ask(raw, "UNSUBSCRIBE")).toBe("*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n");
    expect(await ask(raw, "GET", "a")).toBe("$-1\r\n");
    expect(await ask(raw, "PSUBSCRIBE", "a*")).toMatch(/^-ERR 'psubscribe' concerns/);
    await until(async () => (await ambassador.metrics()).value("shard_ambassador_own_connections") === 0);
  });

  test("keeps its version of the protocol, as does what is watched", async () => {
    const { ambassador } = await start(cleanup);
    const raw = createRawClient(ambassador.port, cleanup);
    await ask(raw, "HELLO", "3");
    expect(await ask(raw, "SUBSCRIBE", "a")).toBe(">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
    expect(await ask(raw, "HELLO", "2")).toMatch(/^-ERR 'hello' has to come before/);
    expect(await ask(raw, "GET", "a")).toBe("_\r\n");
    await ask(raw, "UNSUBSCRIBE", "a");
    await ask(raw, "WATCH", "a");
    expect(await ask(raw, "HELLO", "2")).toMatch(/^-ERR 'hello' has to come before/);
    await ask(raw, "UNWATCH");
    expect(await ask(raw, "HELLO", "2")).toMatch(/^\*14\r\n/);
  });

  test("ends with its shard, and when its channel has gone to another, so that clients subscribe again", async () => {
    const ports = await Promise.all([0, 1].map(async () => (await startRedis(cleanup)).port));
    const file = join(tempDir(cleanup), "options.yaml");
    const write = (...some: number[]): void =>
      writeFileSync(
        file,
        `shards:\n${some.map((port) => `  - 127.0.0.1:${port} shard-${ports.indexOf(port)}\n`).join("")}`,
      );
    write(ports[0]!);
    const ambassador = await startAmbassador([], { cleanup, args: ["--config", file] });
    await until(async () => (await ambassador.admin("/readyz")).status === 200);
    const raw = Array.from({ length: 20 }, () => createRawClient(ambassador.port, cleanup));
    await Promise.all(raw.map((client, i) => ask(client, "SUBSCRIBE", `channel:${i}`)));
    write(...ports);
    await ambassador.waitForLog("shards changed");
    await until(() => raw.some((client) => client.ended()));
    const client = createClient(ambassador.port, cleanup);
    for (const [i, one] of raw.entries()) {
      const [owner] = (await client.call("OUTRIGGER", "ROUTE", `channel:${i}`)) as [string];
      expect([i, one.ended()]).toEqual([i, owner === "shard-1"]);
    }
    await createClient(ports[0]!, cleanup).call("CLIENT", "KILL", "TYPE", "pubsub");
    await until(() => raw.every((one) => one.ended()));
  });
});
