// A shard that fails costs its own keys, quickly, and nobody else anything.
import { freePort, until } from "@outrigger/testing";
import type { Redis } from "ioredis";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { command, createClient, createRawClient, NAMES, startAll, startAmbassador } from "./ambassador.ts";
import { redisServer, startRedis } from "./programs.ts";

const KEYS = Array.from({ length: 200 }, (_, i) => `key:${i}`);

/** The keys of each shard, by its name. */
async function keysByShard(client: Redis): Promise<Map<string, string[]>> {
  const owners = await Promise.all(KEYS.map((key) => client.call("OUTRIGGER", "ROUTE", key) as Promise<[string]>));
  return new Map(NAMES.map((name) => [name, KEYS.filter((_, i) => owners[i]![0] === name)]));
}

const outcome = (work: Promise<unknown>): Promise<string> => work.then(String, (error: Error) => error.message);

describe.skipIf(redisServer.skip)(redisServer.title("with a shard"), () => {
  test("that is killed, only its keys fail, by its name, and they come back with it", async () => {
    const { shards, ambassador } = await startAll(cleanup);
    const client = createClient(ambassador.port, cleanup);
    const byShard = await keysByShard(client);
    await Promise.all(KEYS.map((key) => client.set(key, "1")));
    await shards[1]!.kill();
    await ambassador.waitForLog((record) => record.msg === "shard is down" && record["shard"] === "beta");
    const outcomes = await Promise.all(KEYS.map((key) => outcome(client.get(key))));
    for (const [i, key] of KEYS.entries()) {
      if (byShard.get("beta")!.includes(key))
        expect(outcomes[i]).toMatch(/^ERR shard beta (cannot be reached|closed the connection)/);
      else expect(outcomes[i]).toBe("1");
    }
    const values = (await client.mget(...KEYS.slice(0, 40)).catch((error: Error) => error)) as unknown;
    expect(String(values)).toContain("ERR shard beta");
    expect((await ambassador.admin("/readyz")).status).toBe(200);
    const metrics = await ambassador.metrics();
    expect(metrics.value("shard_ambassador_shard_up", { shard: "beta" })).toBe(0);
    expect(metrics.value("shard_ambassador_shard_up", { shard: "alpha" })).toBe(1);
    expect(metrics.value("shard_ambassador_shard_errors_total", { shard: "beta", reason: "down" })).toBeGreaterThan(10);
    expect(metrics.value("shard_ambassador_shard_errors_total", { shard: "alpha" })).toBe(0);
    await startRedis(cleanup, shards[1]!.port);
    const key = byShard.get("beta")![0]!;
    await until(async () => (await outcome(client.set(key, "2"))) === "OK");
    expect(await client.get(key)).toBe("2");
  });

  test("that hangs, its keys fail after --timeout, and the others are served meanwhile", async () => {
    const { shards, ambassador } = await startAll(cleanup, ["--timeout", "300ms", "--connect-timeout", "300ms"]);
    const client = createClient(ambassador.port, cleanup);
    const byShard = await keysByShard(client);
    const other = createClient(ambassador.port, cleanup);
    expect(await client.get(byShard.get("gamma")![0]!)).toBeNull();
    shards[2]!.signal("SIGSTOP");
    const began = performance.now();
    const hanging = outcome(client.get(byShard.get("gamma")![0]!));
    for (const key of byShard.get("alpha")!) expect(await other.get(key)).toBeNull();
    expect(await hanging).toBe("ERR shard gamma does not answer in time");
    expect(performance.now() - began).toBeLessThan(3000);
    shards[2]!.signal("SIGCONT");
    await until(async () => (await outcome(client.get(byShard.get("gamma")![0]!))) === "null" || undefined);
  });

  test("that is not there at the start, the rest is served, and it may come later", async () => {
    const shards = await Promise.all([startRedis(cleanup), startRedis(cleanup)]);
    const missing = { port: await freePort() };
    const ambassador = await startAmbassador([...shards, missing], { cleanup, ready: false });
    await ambassador.waitForLog((record) => record.msg === "shard is down" && record["shard"] === "gamma");
    await until(async () => (await ambassador.admin("/readyz")).status === 200);
    const { shards: statuses } = JSON.parse((await ambassador.admin("/api/v1/shards")).body) as {
      shards: { name: string; up: boolean }[];
    };
    expect(statuses.map(({ name, up }) => [name, up])).toEqual([
      ["alpha", true],
      ["beta", true],
      ["gamma", false],
    ]);
    await startRedis(cleanup, missing.port);
    await ambassador.waitForLog((record) => record.msg === "shard is up" && record["shard"] === "gamma");
  });

  test("lost with commands under way, each of them is answered", async () => {
    const { shards, ambassador } = await startAll(cleanup, ["--timeout", "5s"]);
    const client = createRawClient(ambassador.port, cleanup);
    shards[0]!.signal("SIGSTOP");
    client.socket.write(KEYS.map((key) => command("GET", key)).join(""));
    await until(async () => ((await ambassador.metrics()).value("shard_ambassador_requests_in_flight") ?? 0) > 10);
    await shards[0]!.kill();
    await until(() => client.replies.length === KEYS.length);
    const failed = client.replies.filter((reply) => reply.startsWith("-ERR shard alpha closed the connection"));
    expect(failed.length).toBeGreaterThan(10);
    expect(client.replies.filter((reply) => reply === "$-1\r\n")).toHaveLength(KEYS.length - failed.length);
  });
});
