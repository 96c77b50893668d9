// Replicas of shards answer what only reads: by choice, or while their shard is away.
import { isDeepStrictEqual } from "node:util";

import { runContainer, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { createClient, NAMES, startAmbassador } from "./ambassador.ts";
import { redisServer, startRedis } from "./programs.ts";

const KEYS = Array.from({ length: 60 }, (_, i) => `key:${i}`);

/** Two shards, the first with two replicas and the second with one, all of them in step. */
async function start(args: readonly string[]) {
  const shards = await Promise.all([0, 1].map(async () => startRedis(cleanup)));
  const follow = async (i: number) =>
    startRedis(cleanup, undefined, { replicaof: `127.0.0.1 ${shards[i]!.port}`, "repl-diskless-sync-delay": "0" });
  const replicas = await Promise.all([0, 0, 1].map(follow));
  const clients = [...shards, ...replicas].map(({ port }) => createClient(port, cleanup));
  await until(
    async () => {
      const told = await Promise.all(clients.slice(2).map(async (client) => client.info("replication")));
      return told.every((text) => text.includes("master_link_status:up"));
    },
    { timeoutMs: 20_000, describe: "replicas in step" },
  );
  const list = replicas.map(({ port }, i) => `${NAMES[i < 2 ? 0 : 1]}=127.0.0.1:${port}`).join(",");
  const ambassador = await startAmbassador(shards, { args: ["--replicas", list, ...args], cleanup });
  await until(async () => (await ambassador.metrics()).value("shard_ambassador_shard_up") === 5);
  const client = createClient(ambassador.port, cleanup);
  await Promise.all(KEYS.map(async (key) => client.set(key, key)));
  await until(async () => {
    const [first, second, ...held] = await Promise.all(clients.map(async (one) => one.dbsize()));
    return (first ?? 0) + (second ?? 0) === KEYS.length && isDeepStrictEqual(held, [first, first, second]);
  });
  /** How many reads each server has answered. */
  const reads = async (): Promise<number[]> =>
    Promise.all(
      clients.map(async (one) => Number(/cmdstat_get:calls=(\d+)/.exec(await one.info("commandstats"))?.[1] ?? 0)),
    );
  return { shards, ambassador, client, reads };
}

describe.skipIf(redisServer.skip)(redisServer.title("replicas"), () => {
  test("answer reads in turns with --read-policy replica, and the shard alone is written to", async () => {
    const { client, reads } = await start(["--read-policy", "replica"]);
    expect(await Promise.all(KEYS.map(async (key) => client.get(key)))).toEqual(KEYS);
    const [first, second, one, two, three] = (await reads()) as [number, number, number, number, number];
    expect([first, second]).toEqual([0, 0]);
    expect(one + two + three).toBe(KEYS.length);
    expect(Math.abs(one - two)).toBeLessThanOrEqual(1);
    expect(three).toBeGreaterThan(10);
    expect(await client.mget(...KEYS)).toEqual(KEYS);
    expect(await client.incr("counter")).toBe(1);
  });

  test("answer reads of a shard that is away with --on-failure replica, and writes get an error", async () => {
    const { shards, ambassador, client, reads } = await start(["--on-failure", "replica"]);
    expect(await Promise.all(KEYS.map(async (key) => client.get(key)))).toEqual(KEYS);
    expect((await reads()).slice(2)).toEqual([0, 0, 0]);
    await shards[0]!.kill();
    await ambassador.waitForLog((record) => record.msg === "shard is down" && record["shard"] === "alpha");
    expect(await Promise.all(KEYS.map(async (key) => client.get(key)))).toEqual(KEYS);
    expect(await client.mget(...KEYS)).toEqual(KEYS);
    const written = await Promise.allSettled(KEYS.map(async (key) => client.set(key, "new")));
    const failed = written.filter(({ status }) => status === "rejected").length;
    expect(failed).toBeGreaterThan(10);
    expect(failed).toBeLessThan(50);
  });

  test("that are away themselves are passed over", async () => {
    const { ambassador, client } = await start(["--read-policy", "replica"]);
    const { body } = await ambassador.admin("/api/v1/shards");
    expect(body).not.toContain("@");
    const metrics = await ambassador.metrics();
    const labels = metrics.samples
      .filter(({ name }) => name === "shard_ambassador_shard_up")
      .map((one) => one.labels["shard"]!);
    const replicas = labels.filter((label) => label.includes("@"));
    expect(replicas).toHaveLength(3);
    const direct = replicas.map((label) => createClient(Number(label.split(":").at(-1)), cleanup));
    await Promise.all(direct.map(async (one) => one.shutdown("NOSAVE").catch(() => undefined)));
    await until(async () => (await ambassador.metrics()).value("shard_ambassador_shard_up") === 2);
    expect(await Promise.all(KEYS.map(async (key) => client.get(key)))).toEqual(KEYS);
  });
});

test("what does not fit is told before anything starts", async () => {
  const told = async (...args: string[]): Promise<string> =>
    (await runContainer({ name: "shard-ambassador", args: ["--shards", "a:1 one", ...args], cleanup })).stderr;
  expect(await told("--replicas", "two=b:1")).toContain("--replicas: expected the name of a shard, got two");
  expect(await told("--replicas", "one=b")).toContain("--replicas: expected name=host:port, got one=b");
  expect(await told("--read-policy", "replica")).toContain(
    "--read-policy: expected --replicas beside replica, got none",
  );
  expect(await told("--on-failure", "replica")).toContain("--on-failure: expected --replicas beside replica, got none");
  const http = await told("--protocol", "http", "--replicas", "one=b:1");
  expect(http).toContain("--replicas: expected --protocol redis beside it, got http");
});
