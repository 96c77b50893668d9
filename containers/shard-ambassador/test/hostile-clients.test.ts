// Clients that send what is no command, too much, or take nothing: bounded, counted by reason, and nobody else notices.
import { rawExchange, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import type { Ambassador } from "./ambassador.ts";
import { command, createClient, createRawClient, startAll } from "./ambassador.ts";
import { redisServer } from "./programs.ts";

const closed = async (ambassador: Ambassador, reason: string): Promise<number | undefined> =>
  (await ambassador.metrics()).value("shard_ambassador_connections_closed_total", { reason });

describe.skipIf(redisServer.skip)(redisServer.title("a client"), () => {
  test("that speaks HTTP, or declares too much, gets an error and the end of its connection", async () => {
    const { ambassador } = await startAll(cleanup, ["--max-request", "100k", "--memory-limit", "1MiB"]);
    const { port } = ambassador;
    for (const send of [
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 24\r\n\r\nSET a 1\r\nSET b 2\r\nSET c 3",
      "*2000000\r\n",
      "*2\r\n$3\r\nGET\r\n$200000\r\n",
      "SET inline 1\r\n",
    ]) {
      const { text, ended } = await rawExchange({ port, send: [command("PING"), send] });
      expect(text).toMatch(/^\+PONG\r\n-ERR Protocol error: [^\r\n]+\r\n$/);
      expect(ended).toBe("close");
    }
    expect(await closed(ambassador, "protocol_error")).toBe(4);
  });

  test("that stops in the middle of a command is disconnected after --client-timeout", async () => {
    const { ambassador } = await startAll(cleanup, ["--client-timeout", "300ms"]);
    const idle = createClient(ambassador.port, cleanup);
    await idle.ping();
    const half = createRawClient(ambassador.port, cleanup);
    half.socket.write("*2\r\n$3\r\nGET\r\n$5\r\nab");
    await until(() => half.ended());
    expect(await closed(ambassador, "timeout")).toBe(1);
    expect(await idle.ping()).toBe("PONG");
  });

  test("that takes no replies cannot make the ambassador hold more than --memory-limit", async () => {
    const limits = ["--memory-limit", "8MiB", "--max-request", "2MiB", "--client-timeout", "60s", "--timeout", "20s"];
    const { ambassador } = await startAll(cleanup, limits);
    const client = createClient(ambassador.port, cleanup);
    await client.set("large", Buffer.alloc(1024 * 1024));
    const greedy = Array.from({ length: 3 }, () => createRawClient(ambassador.port, cleanup));
    for (const { socket } of greedy) {
      socket.pause();
      socket.write(command("GET", "large").repeat(40));
    }
    await until(async () => ((await closed(ambassador, "memory")) ?? 0) > 0, { timeoutMs: 15_000 });
    expect((await ambassador.metrics()).value("shard_ambassador_memory_full_total")).toBeGreaterThan(0);
    for (const { socket } of greedy) socket.destroy();
    await until(async () => (await client.get("none")) === null || undefined);
    await until(async () => ((await ambassador.metrics()).value("shard_ambassador_memory_bytes") ?? 1) < 1024);
  });

  test("beyond --max-connections is told so", async () => {
    const { ambassador } = await startAll(cleanup, ["--max-connections", "1"]);
    const first = createClient(ambassador.port, cleanup);
    await first.ping();
    const { text } = await rawExchange({ port: ambassador.port, send: command("PING") });
    expect(text).toBe("-ERR max number of clients reached\r\n");
    const metrics = await ambassador.metrics();
    expect(metrics.value("shard_ambassador_connections_refused_total", { reason: "too_many" })).toBe(1);
    expect(metrics.value("shard_ambassador_connections_active")).toBe(1);
  });
});
