// Client libraries as applications have them find one server, and all of their features that the shards allow.
import { createClient as createNodeRedis } from "@redis/client";
import { Memcache } from "memcache";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { NAMES, startAll, startAmbassador } from "./ambassador.ts";
import { memcached, redisServer, startMemcached } from "./programs.ts";

const KEYS = Array.from({ length: 100 }, (_, i) => `{${i % 9}}:${i}`);

describe.skipIf(redisServer.skip)(redisServer.title("node-redis"), () => {
  test.each([2, 3] as const)("connects, pipelines, splits, transacts and subscribes with RESP%i", async (RESP) => {
    const { ambassador } = await startAll(cleanup);
    const socket = { port: ambassador.port, host: "127.0.0.1", reconnectStrategy: false } as const;
    const client = await createNodeRedis({ RESP, socket }).connect();
    const subscriber = await client.duplicate().connect();
    cleanup(() => {
      client.destroy();
      subscriber.destroy();
    });
    await Promise.all(KEYS.map(async (key) => client.set(key, `value of ${key}`)));
    expect(await client.mGet(KEYS)).toEqual(KEYS.map((key) => `value of ${key}`));
    expect(await client.hSet("{h}:1", { a: "1", b: "2" })).toBe(2);
    expect({ ...(await client.hGetAll("{h}:1")) }).toEqual({ a: "1", b: "2" });
    expect(await client.multi().incr("{h}:n").incr("{h}:n").exec()).toEqual([1, 2]);
    const heard = Promise.withResolvers<string>();
    await subscriber.subscribe("{h}:news", (text, channel) => heard.resolve(`${channel} ${text}`));
    expect(await client.publish("{h}:news", "hello")).toBe(1);
    expect(await heard.promise).toBe("{h}:news hello");
    await subscriber.unsubscribe("{h}:news");
    expect(String(await subscriber.get("{h}:n"))).toBe("2");
    expect(await client.unlink(KEYS)).toBe(KEYS.length);
    await expect(client.keys("*")).rejects.toThrow("concerns a whole server");
  });
});

describe.skipIf(memcached.skip)(memcached.title("memcache"), () => {
  test("stores, reads many, counts and deletes", async () => {
    const shards = await Promise.all(NAMES.map(async () => startMemcached(cleanup)));
    const args = ["--protocol", "memcached"];
    const ambassador = await startAmbassador(shards, { args, listener: "memcached", cleanup });
    const client = new Memcache(`127.0.0.1:${ambassador.port}`);
    cleanup(async () => client.disconnect());
    const keys = KEYS.map((key) => `plain-${key}`);
    await Promise.all(keys.map(async (key) => client.set(key, `value of ${key}`)));
    const values = await client.gets(keys);
    expect(keys.map((key) => values.get(key))).toEqual(keys.map((key) => `value of ${key}`));
    expect(await client.set("n", "41")).toBe(true);
    expect(await client.incr("n")).toBe(42);
    expect(await client.add("n", "1")).toBe(false);
    expect(await client.delete("n")).toBe(true);
    expect(await client.get("n")).toBeUndefined();
  });
});
