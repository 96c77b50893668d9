// Shards that DNS names: they come, move and go while it runs, and a restart of one does not take its keys along.
import { spawnContainer, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { createClient } from "./ambassador.ts";
import type { Zone } from "./dns-server.ts";
import { startDns } from "./dns-server.ts";
import { redisServer, startRedis } from "./programs.ts";

const QUICK = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--drain-delay", "0"];
const SERVICE = "_redis._tcp.redis.test";

async function start(zone: Zone, discover: string, more: readonly string[] = []) {
  const dns = await startDns(zone, cleanup);
  const looking = ["--discover", discover, "--dns-servers", dns.address, "--discover-interval", "50ms"];
  const container = spawnContainer({ name: "shard-ambassador", args: [...QUICK, ...looking, ...more], cleanup });
  await container.waitForLog("started");
  const shards = async () =>
    (JSON.parse((await container.admin("/api/v1/shards")).body) as { shards: { name: string; address: string }[] })
      .shards;
  const lookedAgain = async (times: number): Promise<void> => {
    const before = dns.asked();
    await until(() => dns.asked() > before + times);
  };
  return { dns, container, shards, lookedAgain };
}

describe.skipIf(redisServer.skip)(redisServer.title("shards found by SRV records"), () => {
  test("are waited for, served, joined by new ones and followed to new addresses, each with the keys of its name", async () => {
    const servers = await Promise.all([0, 1, 2].map(async () => startRedis(cleanup)));
    const target = (i: number) => ({ target: `redis-${i}.redis.test`, port: servers[i]!.port });
    const a = {
      "redis-0.redis.test": "127.0.0.1",
      "redis-1.redis.test": "127.0.0.1",
      "redis-2.redis.test": "127.0.0.1",
    };
    const zone: Zone = { a, srv: {}, fails: false };
    const { container, shards, lookedAgain } = await start(zone, `srv:${SERVICE}`);
    expect(await shards()).toEqual([]);
    expect((await container.admin("/readyz")).body).toContain("no shards found yet");
    zone.srv[SERVICE] = [target(1), target(0)];
    const port = Number((await container.address("redis")).split(":").at(-1));
    await until(async () => (await container.admin("/readyz")).status === 200);
    expect((await shards()).map(({ name }) => name)).toEqual(["redis-0.redis.test", "redis-1.redis.test"]);
    const client = createClient(port, cleanup);
    const keys = Array.from({ length: 100 }, (_, i) => `key:${i}`);
    await Promise.all(keys.map(async (key) => client.set(key, "1")));

    zone.srv[SERVICE] = [target(0), target(1), target(2)];
    const grown = await container.waitForLog("shards changed");
    expect(grown["moved"]).toBeGreaterThan(0.25);
    const kept = (await client.mget(...keys)).filter((value) => value !== null).length;
    expect(kept).toBeGreaterThan(50);
    expect(kept).toBeLessThan(80);

    // redis-1 is another server from now on: its name keeps its keys, whose values are in the new one.
    const other = await startRedis(cleanup);
    zone.srv[SERVICE] = [target(0), { target: "redis-1.redis.test", port: other.port }, target(2)];
    const moved = await container.waitForLog("shards changed", { after: grown });
    expect(moved["moved"]).toBe(0);
    await until(async () => (await shards()).some(({ address }) => address === `127.0.0.1:${other.port}`));

    // A DNS server that fails, and one that knows nothing, change nothing.
    zone.fails = true;
    await container.waitForLog("looking for shards failed: those that are known stay");
    await lookedAgain(3);
    expect(await shards()).toHaveLength(3);
    expect(await client.ping()).toBe("PONG");
  });
});

describe("the pods of a StatefulSet", () => {
  const HOST = "redis-{}.redis.test";
  const zoneOf = (...ordinals: number[]): Zone["a"] =>
    Object.fromEntries(ordinals.map((i) => [HOST.replace("{}", String(i)), `127.0.0.${i + 1}`]));

  test("are found by their ordinals, over a gap, and one that is away for a while stays", async () => {
    const zone: Zone = { a: zoneOf(0, 2), srv: {}, fails: false };
    const { shards, lookedAgain } = await start(zone, `ordinals:${HOST}:6379`);
    await until(async () => (await shards()).length === 2);
    expect((await shards()).map(({ name, address }) => `${name} ${address}`)).toEqual([
      "redis-0 127.0.0.1:6379",
      "redis-2 127.0.0.3:6379",
    ]);
    zone.a = zoneOf(0, 1, 2);
    await until(async () => (await shards()).length === 3);
    zone.a = zoneOf(0, 1);
    await lookedAgain(30);
    expect((await shards()).map(({ name }) => name)).toEqual(["redis-0", "redis-1", "redis-2"]);
  });

  test("are taken for gone after --discover-removal-delay", async () => {
    const zone: Zone = { a: zoneOf(0, 1), srv: {}, fails: false };
    const { shards, lookedAgain } = await start(zone, `ordinals:${HOST}:6379`, ["--discover-removal-delay", "300ms"]);
    await until(async () => (await shards()).length === 2);
    zone.a = zoneOf(0);
    await until(async () => (await shards()).length === 1);
    // That all are gone is not believed: it would leave no shard at all.
    zone.a = {};
    await lookedAgain(40);
    expect((await shards()).map(({ name }) => name)).toEqual(["redis-0"]);
  });
});
