// Passwords: those that shards want, and the one that clients must give.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { tempDir, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { command, createClient, createRawClient, startAmbassador } from "./ambassador.ts";
import { redisServer, startRedis } from "./programs.ts";

function fileWith(text: string): string {
  const file = join(tempDir(cleanup), "password");
  writeFileSync(file, `${text}\n`);
  return file;
}

/** A redis-server that wants a password. */
async function startGuarded(password: string): Promise<{ port: number }> {
  const shard = await startRedis(cleanup);
  await createClient(shard.port, cleanup).config("SET", "requirepass", password);
  return shard;
}

describe.skipIf(redisServer.skip)(redisServer.title("a password"), () => {
  test("that shards want is given to them, and clients need none", async () => {
    const shards = [await startGuarded("of shards"), await startGuarded("of shards")];
    const args = ["--shard-password-file", fileWith("of shards")];
    const ambassador = await startAmbassador(shards, { args, cleanup });
    const client = createClient(ambassador.port, cleanup);
    await Promise.all(Array.from({ length: 20 }, (_, i) => client.set(`key:${i}`, i)));
    expect(await client.mget("key:3", "key:17")).toEqual(["3", "17"]);
    const raw = createRawClient(ambassador.port, cleanup);
    raw.socket.write(command("HELLO", "3") + command("HGETALL", "none"));
    await until(() => raw.replies.length === 2);
    expect(raw.replies[1]).toBe("%0\r\n");
  });

  test("that a shard refuses makes it count as down, with its words, and readiness too", async () => {
    const shard = await startGuarded("right");
    const args = ["--shard-password-file", fileWith("wrong")];
    const ambassador = await startAmbassador([shard], { args, ready: false, cleanup });
    const { reason } = (await ambassador.waitForLog("shard is down")) as { reason?: string };
    expect(reason).toMatch(/^refused the connection \(WRONGPASS /);
    expect((await ambassador.admin("/readyz")).status).toBe(503);
    const client = createRawClient(ambassador.port, cleanup);
    client.socket.write(command("GET", "a"));
    await until(() => client.replies.length === 1);
    expect(client.replies[0]).toMatch(/^-ERR shard alpha refused the connection \(WRONGPASS /);
    expect(ambassador.logs().filter(({ msg }) => msg === "shard is down")).toHaveLength(1);
    expect(ambassador.logs().filter(({ msg }) => msg === "shard is up")).toHaveLength(0);
  });

  test("that clients must give keeps everyone else out, and is shown nowhere", async () => {
    const password = "known to clients only";
    const args = ["--password-file", fileWith(password)];
    const ambassador = await startAmbassador([await startRedis(cleanup)], { args, cleanup });
    const client = createRawClient(ambassador.port, cleanup);
    const exchange: [string[], RegExp][] = [
      [["GET", "a"], /^-NOAUTH /],
      [["PING"], /^-NOAUTH /],
      [["NOSUCH"], /^-NOAUTH /],
      [["HELLO", "3"], /^-NOAUTH /],
      [["AUTH"], /^-ERR wrong number/],
      [["AUTH", "guess"], /^-WRONGPASS /],
      [["AUTH", "someone", password], /^-WRONGPASS /],
      [["HELLO", "3", "AUTH", "default", "guess"], /^-WRONGPASS /],
      [["HELLO", "3", "AUTH", "default", password, "SETNAME", "me"], /^%7\r\n/],
      [["SET", "a", "1"], /^\+OK/],
      [["AUTH", password], /^\+OK/],
    ];
    client.socket.write(exchange.map(([args]) => command(...args)).join(""));
    await until(() => client.replies.length === exchange.length);
    for (const [i, [args, expected]] of exchange.entries()) {
      expect.soft(client.replies[i], args.join(" ")).toMatch(expected);
    }
    const metrics = await ambassador.metrics();
    expect(metrics.value("shard_ambassador_requests_refused_total", { reason: "unauthenticated" })).toBe(3);
    expect(ambassador.rawStderr() + (await ambassador.admin("/api/v1/status")).body).not.toContain(password);
  });

  test("that nobody has asked for is refused", async () => {
    const ambassador = await startAmbassador([await startRedis(cleanup)], { cleanup });
    const client = createRawClient(ambassador.port, cleanup);
    client.socket.write(command("AUTH", "any"));
    await until(() => client.replies.length === 1);
    expect(client.replies[0]).toMatch(/^-ERR AUTH: expected no password/);
  });
});
