// Beside a real Redis: the same names, types, labels and values as redis_exporter, and what happens when Redis does not do
// as it should.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { connectRedis } from "@outrigger/redis";
import { parseMetrics, request, requirePrograms, startRawServer, tempDir, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { startAdapter } from "./adapter.ts";
import { compare } from "./comparison.ts";
import { freePort, redisServer, startProgram, startRedis } from "./programs.ts";

const exporter = requirePrograms("prometheus-redis-exporter", "redis-server", "promtool");
const local = (port: number): string => `redis://127.0.0.1:${port}`;

/** Makes what a server tells of itself less empty. */
async function use(port: number): Promise<void> {
  const redis = await connectRedis({ address: { host: "127.0.0.1", port }, timeoutMs: 5000, maxReplyBytes: 1e6 });
  await redis.command("CONFIG", "SET", "slowlog-log-slower-than", 0);
  await redis.command("CONFIG", "SET", "latency-monitor-threshold", 1);
  for (let at = 0; at < 20; at++) await redis.command("SET", `key${at}`, at, "EX", 1000 + at);
  await redis.command("GET", "key1");
  await redis.command("GET", "nothing");
  await redis.command("EVAL", "local e = redis.call('TIME')[2] + 5000; repeat until redis.call('TIME')[2] - e > 0", 0);
  await redis.command("CONFIG", "SET", "slowlog-log-slower-than", -1);
  await redis.command("NONSENSE").catch(() => {});
  redis.close();
}

describe.skipIf(exporter.skip)(exporter.title("beside redis_exporter"), () => {
  test.each(["master", "replica"])("a %s is shown with the same names, types, labels and values", async (role) => {
    const master = await startRedis(cleanup, ["--repl-diskless-sync-delay", "0"]);
    await use(master.port);
    const replicaOf = ["--replicaof", `127.0.0.1 ${master.port}`];
    const redis = role === "master" ? master : await startRedis(cleanup, replicaOf);
    const port = await freePort();
    const args = ["-redis.addr", local(redis.port), "-web.listen-address", `127.0.0.1:${port}`];
    await startProgram(exporter.path("prometheus-redis-exporter"), args, { port, cleanup });
    const adapter = await startAdapter(cleanup, { args: ["--redis"], env: { REDIS_ADDR: local(redis.port) } });
    if (role === "replica")
      await until(async () => (await adapter.page()).value("redis_master_link_up") === 1, { timeoutMs: 20_000 });
    const scrapeThem = async () => parseMetrics((await request({ host: "127.0.0.1", port }, "/metrics")).body);
    // What asking adds to the server's own statistics has to be there on all pages that are compared.
    await scrapeThem();
    const [before, theirs, after] = [await adapter.page(), await scrapeThem(), await adapter.page()];
    const { unexplained, stale } = compare({ before, theirs, after }, { file: "redis.txt", only: /^redis_/ });
    expect(unexplained).toEqual([]);
    if (role === "master") expect(stale).toEqual([]);
    expect(theirs.samples.filter(({ name }) => name.startsWith("redis_")).length).toBeGreaterThan(150);
  });
});

describe.skipIf(redisServer.skip)(redisServer.title("beside a real Redis"), () => {
  test("a password by variable, by file, and in the address is used, and never shown", async () => {
    const redis = await startRedis(cleanup, ["--requirepass", "hunter2-hunter2"]);
    const file = join(tempDir(cleanup), "password");
    writeFileSync(file, "hunter2-hunter2\n");
    const address = { REDIS_ADDR: local(redis.port) };
    for (const env of [
      { ...address, REDIS_PASSWORD: "hunter2-hunter2" },
      { ...address, REDIS_PASSWORD_FILE: file },
      { REDIS_ADDR: `redis://:hunter2-hunter2@127.0.0.1:${redis.port}` },
    ]) {
      const adapter = await startAdapter(cleanup, { args: ["--redis"], env });
      expect((await adapter.page()).value("redis_up")).toBe(1);
      const shown = [adapter.rawStderr(), (await adapter.admin("/api/v1/status")).body, (await adapter.page()).text];
      expect(shown.join("")).not.toContain("hunter2");
    }
  });

  test("without the password, or with a wrong one, the page says that it is down, and the log says why", async () => {
    const redis = await startRedis(cleanup, ["--requirepass", "hunter2-hunter2"]);
    const env = { REDIS_ADDR: local(redis.port), REDIS_PASSWORD: "wrong" };
    const adapter = await startAdapter(cleanup, { args: ["--redis"], env });
    const page = await adapter.page();
    expect(page.value("redis_up")).toBe(0);
    expect(page.value("redis_connected_clients")).toBeUndefined();
    expect(await adapter.waitForLog("source cannot be read")).toMatchObject({
      error: expect.stringContaining("WRONGPASS"),
    });
  });

  test("a user who may only ask for INFO still gets what INFO tells", async () => {
    const redis = await startRedis(cleanup);
    const admin = await connectRedis({
      address: { host: "127.0.0.1", port: redis.port },
      timeoutMs: 5000,
      maxReplyBytes: 1e6,
    });
    await admin.command("ACL", "SETUSER", "watcher", "on", ">secret", "+info");
    admin.close();
    const env = { REDIS_ADDR: local(redis.port), REDIS_USER: "watcher", REDIS_PASSWORD: "secret" };
    const page = await (await startAdapter(cleanup, { args: ["--redis"], env })).page();
    expect([page.value("redis_up"), page.value("redis_config_maxclients")]).toEqual([1, undefined]);
    expect(page.value("redis_memory_used_bytes")).toBeGreaterThan(0);
  });

  test("when Redis goes, the page is 200 and shows it as down and nothing of before; when it comes back, it is up", async () => {
    const port = await freePort();
    const redis = await startRedis(cleanup, [], port);
    const adapter = await startAdapter(cleanup, { args: ["--redis"], env: { REDIS_ADDR: local(port) } });
    expect((await adapter.page()).value("redis_up")).toBe(1);
    await redis.kill();
    const { status, body } = await adapter.ask("/metrics");
    expect(status).toBe(200);
    expect(body).toContain("\nredis_up 0\n");
    expect(body).not.toContain("redis_memory_used_bytes");
    await startRedis(cleanup, [], port);
    expect((await adapter.page()).value("redis_up")).toBe(1);
    const told = adapter
      .logs()
      .map(({ msg }) => msg)
      .filter((msg) => msg?.startsWith("source "));
    expect(told).toEqual(["source answers", "source cannot be read", "source answers"]);
  });

  test("a Redis that hangs is cut off below the scraper's own time-out", async () => {
    const redis = await startRedis(cleanup);
    const adapter = await startAdapter(cleanup, { args: ["--redis"], env: { REDIS_ADDR: local(redis.port) } });
    redis.signal("SIGSTOP");
    cleanup(() => redis.signal("SIGCONT"));
    const began = performance.now();
    const { body } = await adapter.ask("/metrics", { "X-Prometheus-Scrape-Timeout-Seconds": "1" });
    expect(body).toContain("\nredis_up 0\n");
    expect(performance.now() - began).toBeLessThan(1000);
  });
});

describe("an INFO that nobody has seen before", () => {
  const serve = (info: string) =>
    startRawServer(
      (socket) =>
        socket.on("data", (data) => {
          for (const command of data.toString().split(/(?=\*\d+\r\n)/)) {
            socket.write(
              command.includes("INFO") ? `$${Buffer.byteLength(info)}\r\n${info}\r\n` : "-ERR unknown command\r\n",
            );
          }
        }),
      { cleanup },
    );

  test("gives a page that promtool takes, whatever its fields hold", async () => {
    const info = [
      "# Server",
      'redis_version:9"9\\9',
      "os:new\u0007line \u{1F600}",
      "uptime_in_seconds:soon",
      "connected_clients:1",
      "connected_clients:2",
      "used_memory:nan",
      "total_commands_processed:-5",
      "# Unheard-of",
      "keyspace_hits:0x10",
      "evicted_keys:7",
      "# Commandstats",
      'cmdstat_a"b{}:calls=1,usec=x',
      "# Latencystats",
      "latency_percentiles_usec_get:p50=,p99.9=abc",
      "# Keyspace",
      "db0:keys=1,expires=,avg_ttl=none",
      "db0:keys=2",
      "# Replication",
      "slave0:ip=1,port",
      ":",
      "::::",
      "#",
    ].join("\r\n");
    const { port } = await serve(info);
    const adapter = await startAdapter(cleanup, { args: ["--redis"], env: { REDIS_ADDR: local(port) } });
    const page = await adapter.page();
    expect(page.value("redis_connected_clients")).toBe(2);
    expect(page.value("redis_evicted_keys_total")).toBe(7);
    expect(page.value("redis_commands_total", { cmd: 'a"b{}' })).toBe(1);
    expect(page.value("redis_up")).toBe(1);
    expect(page.value("redis_commands_processed_total")).toBeUndefined();
    expect((await adapter.metrics()).value("metrics_adapter_series_left_out_total", { reason: "invalid_value" })).toBe(
      1,
    );
    if (!exporter.skip)
      execFileSync(exporter.path("promtool"), ["check", "metrics"], {
        input: page.text.replaceAll(/^redis_(?!up).*_seconds .*$/gm, ""),
      });
  });

  test("an answer that is larger than allowed is a failure, not memory", async () => {
    const { port } = await serve("x".repeat(100_000));
    const args = ["--redis", "--max-body-size", "10k"];
    const page = await (await startAdapter(cleanup, { args, env: { REDIS_ADDR: local(port) } })).page();
    expect(page.value("redis_up")).toBe(0);
  });
});
