// What the adapter serves, whatever it reads: formats, time-outs, probes and their refusals, bounds.
import { gunzipSync } from "node:zlib";

import { parseMetrics, runContainer, startApp, startRawServer, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { configFile, startAdapter } from "./adapter.ts";

/** A Redis as far as a scrape needs it: it counts the scrapes, and answers when `release` is called. */
async function startSlowRedis() {
  const waiting: (() => void)[] = [];
  let scrapes = 0;
  const server = await startRawServer(
    (socket) => {
      scrapes++;
      waiting.push(() => socket.write(`$12\r\nredis_mode:x\r\n${"-ERR no\r\n".repeat(5)}`));
    },
    { cleanup },
  );
  return {
    url: `redis://${server.address}`,
    scrapes: () => scrapes,
    release: () => waiting.splice(0).forEach((answer) => answer()),
  };
}

test("scrapes that come together share one collection, and one that comes later collects anew", async () => {
  const redis = await startSlowRedis();
  const adapter = await startAdapter(cleanup, { args: ["--redis", "--redis-address", redis.url] });
  const together = Promise.all([1, 2, 3].map(() => adapter.page()));
  await until(() => redis.scrapes() === 1);
  await until(async () => (await adapter.admin("/livez")).status === 200);
  redis.release();
  for (const page of await together) expect(page.value("redis_up")).toBe(1);
  expect(redis.scrapes()).toBe(1);
  const later = adapter.page();
  await until(() => redis.scrapes() === 2);
  redis.release();
  expect((await later).value("redis_exporter_scrapes_total")).toBe(2);
});

test("a source that fails or hangs does not keep the others from the page, and each has labels of its own", async () => {
  const [silent, redis] = [await startRawServer(() => {}, { cleanup }), await startSlowRedis()];
  const config = {
    sources: [
      { type: "redis", name: "hanging", address: `redis://${silent.address}` },
      { type: "redis", address: redis.url, labels: { instance_role: "cache" } },
    ],
  };
  const adapter = await startAdapter(cleanup, { config });
  const page = adapter.ask("/metrics", { "X-Prometheus-Scrape-Timeout-Seconds": "0.9" });
  await until(() => redis.scrapes() === 1);
  redis.release();
  const { value } = parseMetrics((await page).body);
  expect(value("redis_up", { source: "hanging" })).toBe(0);
  expect(value("redis_up", { instance_role: "cache" })).toBe(1);
  expect(value("redis_scrape_duration_seconds", { source: "hanging" })).toBeCloseTo(0.4, 1);
});

describe("formats", () => {
  test("are negotiated, and each is marked as what it is", async () => {
    const adapter = await startAdapter(cleanup, { args: ["--redis", "--redis-address", "redis://127.0.0.1:1"] });
    const openMetrics = await adapter.ask("/metrics", { accept: "application/openmetrics-text;version=1.0.0" });
    expect(openMetrics.headers["content-type"]).toBe(
      "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores",
    );
    expect(openMetrics.body).toMatch(/\n# EOF\n$/);
    const text = await adapter.ask("/metrics");
    expect(text.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(parseMetrics(text.body).value("redis_up")).toBe(0);
  });

  test("are compressed for who takes gzip", async () => {
    const adapter = await startAdapter(cleanup, { args: ["--redis", "--redis-address", "redis://127.0.0.1:1"] });
    const address = await adapter.address("metrics");
    const answer = await fetch(`http://${address}/metrics`, { headers: { "accept-encoding": "gzip" } });
    expect(answer.headers.get("content-encoding")).toBe("gzip");
    expect(await answer.text()).toContain("redis_up 0\n");
    const plain = await adapter.ask("/metrics", { "accept-encoding": "gzip;q=0" });
    expect(plain.headers["content-encoding"]).toBeUndefined();
    expect(() => gunzipSync(plain.body)).toThrow();
  });
});

describe("/probe", () => {
  const open = async (args: string[] = []) =>
    startAdapter(cleanup, {
      config: { modules: { cache: { type: "redis" } } },
      args: ["--probe-targets", "127.0.0.1:*,unix:/run/x.sock", ...args],
    });

  test("reads the target that it is asked for, by the module that it is asked for, as /scrape does", async () => {
    const [adapter, redis] = [await open(), await startSlowRedis()];
    for (const path of [`/probe?target=${redis.url}&module=cache`, `/scrape?target=${redis.url}`]) {
      const page = adapter.ask(path);
      const before = redis.scrapes();
      await until(() => redis.scrapes() > before);
      redis.release();
      expect(parseMetrics((await page).body).value("redis_up")).toBe(1);
    }
    expect((await adapter.page()).samples).toEqual([]);
  });

  test.each([
    ["without a target", "/probe", 400, "target: expected host:port or a URL, got nothing"],
    [
      "with an unknown module",
      "/probe?target=127.0.0.1:1&module=nope",
      400,
      /^module: expected one of cache, redis.*, got nope/,
    ],
    [
      "with a target elsewhere",
      "/probe?target=192.0.2.1:6379",
      403,
      "target: expected one that --probe-targets allows",
    ],
    [
      "with a name that only begins like an allowed one",
      "/probe?target=127.0.0.1.evil.example:1",
      403,
      "target: expected",
    ],
    [
      "with an allowed host as the user of another",
      "/probe?target=redis://127.0.0.1:1@192.0.2.1:1",
      403,
      "target: expected",
    ],
    ["with another socket", "/probe?target=unix:/run/y.sock", 403, "target: expected"],
    ["elsewhere", "/nothing", 404, "/nothing: expected /metrics or /probe"],
  ])("%s is refused", async (_, path, status, text) => {
    const answer = await (await open()).ask(path);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatch(text);
  });
});

test("debug=true says where each value comes from", async () => {
  const redis = await startSlowRedis();
  const adapter = await startAdapter(cleanup, { args: ["--redis", "--redis-address", redis.url] });
  const answer = adapter.ask("/metrics?debug=true");
  await until(() => redis.scrapes() === 1);
  redis.release();
  expect((await answer).body).toMatch(
    /^# redis: up, [\d.]+ ms\n# \d+ series\n(.*\n)*redis_db_keys\{db="db0"\} 0 <- INFO Keyspace: db0\n/,
  );
});

test("series beyond the bound are left out, counted, and named in one log line", async () => {
  const redis = await startSlowRedis();
  const args = ["--redis", "--redis-address", redis.url, "--max-series-per-metric", "3"];
  const adapter = await startAdapter(cleanup, { args });
  for (const round of [1, 2]) {
    const page = adapter.page();
    await until(() => redis.scrapes() === round);
    redis.release();
    expect((await page).samples.filter(({ name }) => name === "redis_db_keys")).toHaveLength(4);
  }
  const { value } = await adapter.metrics();
  expect(value("metrics_adapter_series_left_out_total", { reason: "overflow" })).toBe(2 * 2 * 13);
  const told = adapter.logs().filter(({ msg }) => msg === "series left out");
  expect(told.map(({ metric }) => metric).sort()).toEqual(["redis_db_keys", "redis_db_keys_expiring"]);
});

test("more scrapes at a time than allowed are refused", async () => {
  const redis = await startSlowRedis();
  const adapter = await startAdapter(cleanup, {
    args: ["--redis", "--redis-address", redis.url, "--max-scrapes", "1"],
  });
  const first = adapter.page();
  await until(() => redis.scrapes() === 1);
  expect((await adapter.ask("/metrics")).status).toBe(503);
  redis.release();
  expect((await first).value("redis_up")).toBe(1);
});

test("a scrape that is being answered when the adapter is told to stop is finished", async () => {
  const redis = await startSlowRedis();
  const adapter = await startAdapter(cleanup, { args: ["--redis", "--redis-address", redis.url] });
  const page = adapter.page();
  await until(() => redis.scrapes() === 1);
  adapter.signal("SIGTERM");
  await adapter.waitForLog("draining");
  redis.release();
  expect((await page).value("redis_up")).toBe(1);
  expect(await adapter.exited).toMatchObject({ code: 0 });
});

describe("a configuration that cannot be used", () => {
  test.each([
    ["nothing to read", "", "--sources: expected at least one source, or a flag such as --redis, got none"],
    ["an unknown type", "sources: [{type: rediss}]", "sources[0].type: expected "],
    ["an unknown setting", "sources: [{type: redis, adress: x}]", "sources[0]: expected no key adress"],
    [
      "an address that is none",
      "sources: [{type: redis, address: 'http://x'}]",
      "sources[0].address: expected redis://host:port",
    ],
    [
      "one name twice",
      "sources: [{type: redis, name: a}, {type: redis, name: a}]",
      "expected names that differ, got a twice",
    ],
  ])("%s is refused with where it is", async (_, config, problem) => {
    const ended = await runContainer({
      name: "metrics-adapter",
      args: ["--check-config", "--config", configFile(cleanup, config)],
      cleanup,
    });
    expect(ended.stderr).toContain(problem);
    expect(ended.code).toBe(2);
  });

  test("an address of the flags that is none is refused without its password", async () => {
    const args = ["--check-config", "--redis", "--redis-address", "ftp://u:hunter2@x"];
    const { stderr } = await runContainer({ name: "metrics-adapter", args, cleanup });
    expect(stderr).toContain("--redis-address: expected redis://host:port");
    expect(stderr).not.toContain("hunter2");
  });
});

test("a server that is no Redis and hangs up is down, and that is all", async () => {
  const app = await startApp((_, response) => response.destroy(), { cleanup });
  const adapter = await startAdapter(cleanup, { args: ["--redis", "--redis-address", `redis://${app.address}`] });
  expect((await adapter.page()).value("redis_up")).toBe(0);
});
