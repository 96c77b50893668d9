// The end of the ambassador: asked to stop, it loses no reply.
import { until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { command, createRawClient, startAll } from "./ambassador.ts";
import type { RawClient } from "./ambassador.ts";
import { redisServer } from "./programs.ts";

const BATCH = 16;

/** Sends batch after batch, each when the one before has been answered, until the connection ends. */
async function work(client: RawClient, name: number): Promise<{ sent: number; answered: number }> {
  let batches = 0;
  while (!client.ended()) {
    const keys = Array.from({ length: BATCH }, (_, i) => `${name}:${i}`);
    client.socket.write(keys.map((key) => command("INCR", key)).join(""));
    batches++;
    await until(() => client.replies.length === batches * BATCH || client.ended(), { timeoutMs: 10_000 });
  }
  return { sent: batches * BATCH, answered: client.replies.length };
}

describe.skipIf(redisServer.skip)(redisServer.title("asked to stop"), () => {
  test("under load, every batch that was begun is answered to its end", async () => {
    const { ambassador } = await startAll(cleanup, ["--drain-delay", "100ms"]);
    const clients = Array.from({ length: 12 }, () => createRawClient(ambassador.port, cleanup));
    const works = clients.map(work);
    await until(() => clients.every(({ replies }) => replies.length > 10 * BATCH));
    const exit = ambassador.stop();
    for (const { answered } of await Promise.all(works)) {
      expect(answered).toBeGreaterThan(10 * BATCH);
      expect(answered % BATCH).toBe(0);
    }
    for (const { socket } of clients) socket.destroy();
    expect(await exit).toEqual({ code: 0, signal: null });
  });

  test("while a shard is slow, it waits for the replies under way", async () => {
    const { shards, ambassador } = await startAll(cleanup, ["--timeout", "10s"]);
    const client = createRawClient(ambassador.port, cleanup);
    for (const shard of shards) shard.signal("SIGSTOP");
    client.socket.write(command("SET", "a", "1") + command("GET", "a"));
    await until(async () => ((await ambassador.metrics()).value("shard_ambassador_requests_in_flight") ?? 0) === 2);
    const exit = ambassador.stop();
    await ambassador.waitForLog("draining");
    for (const shard of shards) shard.signal("SIGCONT");
    await until(() => client.ended());
    client.socket.destroy();
    expect(client.replies).toEqual(["+OK\r\n", "$1\r\n1\r\n"]);
    expect(await exit).toEqual({ code: 0, signal: null });
  });
});
