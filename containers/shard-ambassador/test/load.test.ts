// What the ambassador tells of how keys and requests are shared out.
import { until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { command, createRawClient, NAMES, startAll } from "./ambassador.ts";
import { redisServer } from "./programs.ts";

describe.skipIf(redisServer.skip)(redisServer.title("the load of four shards"), () => {
  test("is told by shard: the share of the keys, how busy each is, and how long its replies take", async () => {
    const { shards, ambassador } = await startAll(cleanup, ["--on-failure", "next", "--failure-limit", "1"]);
    const client = createRawClient(ambassador.port, cleanup);
    for (let i = 0; i < 400; i++) client.socket.write(command("GET", `key:${i}`));
    await until(() => client.replies.length === 400);
    const metrics = await ambassador.metrics();
    const shares = NAMES.map((shard) => metrics.value("shard_ambassador_shard_key_share", { shard })!);
    expect(shares.every((share) => share > 0.22 && share < 0.28)).toBe(true);
    for (const shard of NAMES) {
      const replies = metrics.value("shard_ambassador_request_duration_seconds_count", { shard })!;
      expect(replies).toBe(metrics.value("shard_ambassador_requests_total", { shard }));
      expect(metrics.value("shard_ambassador_request_duration_seconds_bucket", { shard, le: "+Inf" })).toBe(replies);
    }
    await shards[0]!.kill();
    await ambassador.waitForLog("shard is ejected: its keys go to others");
    await until(async () => {
      const share = (await ambassador.metrics()).value("shard_ambassador_shard_key_share", { shard: "alpha" });
      return share === 0;
    });
  });

  test("that one key makes uneven shows: which key, its share, and the imbalance", async () => {
    const { ambassador } = await startAll(cleanup, ["--hot-keys", "3"]);
    const client = createRawClient(ambassador.port, cleanup);
    const hot = command("GET", "celebrity");
    let sent = 0;
    const send = (): void => {
      for (let i = 0; i < 50; i++) {
        client.socket.write(hot + command("GET", `key:${sent}`));
        sent += 2;
      }
    };
    const timer = setInterval(send, 20);
    cleanup(() => clearInterval(timer));
    const asked = async () =>
      (
        JSON.parse((await ambassador.admin("/api/v1/hot-keys")).body) as {
          keys: { pool: string; key: string; share: number; shard: string }[];
        }
      ).keys;
    await until(async () => (await asked())[0]?.key === "celebrity");
    const { body } = await ambassador.admin("/api/v1/route?key=celebrity");
    const { shard } = JSON.parse(body) as { shard: string };
    // One request in sixteen is looked at.
    await until(() => client.replies.length > 16_000, { timeoutMs: 20_000 });
    const [first] = await asked();
    expect(first).toMatchObject({ pool: "redis", key: "celebrity", shard });
    expect(first!.share).toBeGreaterThan(0.4);
    expect(first!.share).toBeLessThan(0.6);
    expect((await asked()).length).toBeLessThanOrEqual(3);
    // Half of all to one shard, and a quarter of the rest: 2.5 times the average.
    const imbalance = async () => (await ambassador.metrics()).value("shard_ambassador_imbalance") ?? 0;
    await until(async () => (await imbalance()) > 0, { timeoutMs: 25_000 });
    expect(await imbalance()).toBeGreaterThan(2);
    expect(await imbalance()).toBeLessThan(3);
    const share = (await ambassador.metrics()).value("shard_ambassador_hottest_key_share")!;
    expect(share).toBeGreaterThan(0.4);
    expect(share).toBeLessThan(0.6);
  }, 60_000);

  test("names no key unless it is asked to", async () => {
    const { ambassador } = await startAll(cleanup);
    const client = createRawClient(ambassador.port, cleanup);
    for (let i = 0; i < 2000; i++) client.socket.write(command("GET", "session:secret"));
    await until(() => client.replies.length === 2000);
    expect(JSON.parse((await ambassador.admin("/api/v1/hot-keys")).body)).toEqual({ keys: [] });
  });
});
