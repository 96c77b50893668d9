// With --on-failure next, the keys of a shard that has failed go to the others, and back to it when it answers again.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { tempDir, until } from "@outrigger/testing";
import type { Redis } from "ioredis";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { createClient, startAll, startAmbassador } from "./ambassador.ts";
import type { Ambassador } from "./ambassador.ts";
import { redisServer, startRedis } from "./programs.ts";

const KEYS = Array.from({ length: 200 }, (_, i) => `key:${i}`);
const QUICK = ["--on-failure", "next", "--failure-limit", "2", "--timeout", "300ms", "--connect-timeout", "300ms"];

async function ownersOf(client: Redis): Promise<string[]> {
  return Promise.all(KEYS.map(async (key) => ((await client.call("OUTRIGGER", "ROUTE", key)) as [string])[0]));
}

const ejected = (ambassador: Ambassador, name: string) =>
  ambassador.waitForLog((record) => String(record.msg).startsWith("shard is ejected") && record["shard"] === name);
const admitted = (ambassador: Ambassador, name: string) =>
  ambassador.waitForLog((record) => record.msg === "shard is admitted again" && record["shard"] === name);

describe.skipIf(redisServer.skip)(redisServer.title("with --on-failure next"), () => {
  test("the keys of a killed shard are served by others, all other keys stay, and it gets its own back", async () => {
    const { shards, ambassador } = await startAll(cleanup, [...QUICK, "--probe-interval", "200ms"]);
    const client = createClient(ambassador.port, cleanup);
    const before = await ownersOf(client);
    await shards[1]!.kill();
    await ejected(ambassador, "beta");
    const after = await ownersOf(client);
    for (const [i, owner] of before.entries()) {
      if (owner === "beta") expect(after[i]).not.toBe("beta");
      else expect(after[i]).toBe(owner);
    }
    expect(await Promise.all(KEYS.map((key) => client.set(key, "1")))).toEqual(KEYS.map(() => "OK"));
    const metrics = await ambassador.metrics();
    expect(metrics.value("shard_ambassador_shard_ejected", { shard: "beta" })).toBe(1);
    expect(metrics.value("shard_ambassador_shard_ejections_total", { shard: "beta" })).toBe(1);
    await startRedis(cleanup, shards[1]!.port);
    await admitted(ambassador, "beta");
    expect(await ownersOf(client)).toEqual(before);
    expect((await ambassador.metrics()).value("shard_ambassador_shard_ejected", { shard: "beta" })).toBe(0);
  });

  test("a shard that hangs but accepts connections is not admitted before it answers", async () => {
    const { shards, ambassador } = await startAll(cleanup, [...QUICK, "--probe-interval", "100ms"]);
    const client = createClient(ambassador.port, cleanup);
    const owners = await ownersOf(client);
    const key = KEYS[owners.indexOf("gamma")]!;
    expect(await client.get(key)).toBeNull();
    shards[2]!.signal("SIGSTOP");
    await expect(client.get(key)).rejects.toThrow("does not answer in time");
    await ejected(ambassador, "gamma");
    const wait = ambassador.waitForLog((record) => record.msg === "shard is admitted again", { timeoutMs: 1500 });
    await expect(wait).rejects.toThrow();
    expect(await client.set(key, "1")).toBe("OK");
    shards[2]!.signal("SIGCONT");
    await admitted(ambassador, "gamma");
    expect(await client.get(key)).toBeNull();
  });

  test("a shard that is ejected stays it when the list of shards changes, and counts once", async () => {
    const shards = await Promise.all([0, 1, 2].map(() => startRedis(cleanup)));
    const file = join(tempDir(cleanup), "options.yaml");
    const write = (count: number): void => {
      const list = shards.slice(0, count).map(({ port }, i) => `  - 127.0.0.1:${port} shard-${i}`);
      writeFileSync(file, `shards:\n${list.join("\n")}\n`);
    };
    write(2);
    const ambassador = await startAmbassador([], { cleanup, args: [...QUICK, "--config", file] });
    await ambassador.waitForLog("started");
    const client = createClient(ambassador.port, cleanup);
    await shards[0]!.kill();
    await ejected(ambassador, "shard-0");
    write(3);
    await ambassador.waitForLog("shards changed");
    const owners = new Set(await ownersOf(client));
    expect([...owners].sort()).toEqual(["shard-1", "shard-2"]);
    const metrics = await ambassador.metrics();
    expect(metrics.value("shard_ambassador_shard_ejections_total", { shard: "shard-0" })).toBe(1);
    expect(metrics.value("shard_ambassador_shard_ejected", { shard: "shard-0" })).toBe(1);
  });

  test("no more shards than --max-ejected lose their keys: those of the next get errors", async () => {
    const { shards, ambassador } = await startAll(cleanup, [...QUICK, "--max-ejected", "25"]);
    const client = createClient(ambassador.port, cleanup);
    await shards[0]!.kill();
    await ejected(ambassador, "alpha");
    await shards[3]!.kill();
    await ambassador.waitForLog((record) => record.msg === "shard is down" && record["shard"] === "delta");
    await until(async () => {
      const errors = (await ambassador.metrics()).value("shard_ambassador_shard_up", { shard: "delta" });
      return errors === 0;
    });
    const owners = await ownersOf(client);
    const outcomes = await Promise.all(KEYS.map((key) => client.get(key).catch((error: Error) => error.message)));
    for (const [i, owner] of owners.entries()) {
      if (owner === "delta") expect(outcomes[i]).toMatch(/^ERR shard delta /);
      else expect(outcomes[i]).toBeNull();
    }
    expect(owners).toContain("delta");
    expect(owners).not.toContain("alpha");
  });
});
