// Metrics from the lines of logs: those of a real nginx through rotation, and of an application that writes anything.
import { appendFileSync, copyFileSync, renameSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { request, requirePrograms, tempDir, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import type { Adapter } from "./adapter.ts";
import { startAdapter } from "./adapter.ts";
import { freePort, startProgram } from "./programs.ts";

const programs = requirePrograms("nginx");

/** Lines that the adapter has come across, whatever came of them. */
const linesOf = async (adapter: Adapter): Promise<number> =>
  (await adapter.page()).samples
    .filter(({ name }) => name === "log_lines_total")
    .reduce((sum, { value }) => sum + value, 0);

const untilLines = (adapter: Adapter, count: number): Promise<unknown> =>
  until(async () => (await linesOf(adapter)) === count, { timeoutMs: 20_000, describe: `${count} lines` });

function startOn(metrics: readonly object[], more: object = {}): { file: string; start: () => Promise<Adapter> } {
  const file = join(tempDir(cleanup), "app.log");
  writeFileSync(file, "");
  const source = { type: "log", files: [file], pollIntervalSeconds: 0.02, metrics, ...more };
  return { file, start: () => startAdapter(cleanup, { config: { sources: [source] } }) };
}

describe.skipIf(programs.skip)(programs.title("the log of a real nginx"), () => {
  test("becomes counters and histograms, and goes on when it is rotated", async () => {
    const [folder, port] = [tempDir(cleanup), await freePort()];
    const logFormat = '$remote_addr [$time_local] "$request" $status $body_bytes_sent $request_time';
    const config = `daemon off;
error_log stderr;
pid ${folder}/nginx.pid;
events {}
http {
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  log_format ours '${logFormat}';
  server {
    listen 127.0.0.1:${port};
    access_log ${folder}/access.log ours;
    location / { return 200 "hello"; }
    location /missing { return 404 "none!"; }
  }
}
`;
    writeFileSync(join(folder, "nginx.conf"), config);
    const args = ["-p", folder, "-c", join(folder, "nginx.conf")];
    const nginx = await startProgram(programs.path("nginx"), args, { port, cleanup });
    const metrics = [
      { name: "responses_total", labels: { method: "$request_method", status: "$status" } },
      { name: "response_bytes_total", value: "$body_bytes_sent" },
      { name: "response_seconds", type: "histogram", value: "$request_time", buckets: [1, 5] },
    ];
    const source = { type: "log", files: [join(folder, "access.log")], readAll: true, logFormat, metrics };
    const adapter = await startAdapter(cleanup, { config: { sources: [source] } });
    const ask = (path: string) => request({ host: "127.0.0.1", port }, path);
    for (const path of ["/", "/a b?c", "/missing"]) await ask(path.replace(" ", "%20"));
    await until(async () => (await adapter.page()).value("responses_total", { method: "GET", status: "404" }) === 1);
    renameSync(join(folder, "access.log"), join(folder, "access.log.1"));
    await ask("/");
    nginx.signal("SIGUSR1");
    await until(async () => {
      await ask("/");
      const page = await adapter.page();
      return page.value("responses_total", { method: "GET", status: "200" })! >= 5 && page;
    });
    const page = await adapter.page();
    expect(page.value("log_up")).toBe(1);
    const all = page.value("log_lines_total", { result: "matched" })!;
    expect(page.value("response_seconds_count")).toBe(all);
    expect(page.value("response_seconds_bucket", { le: "5" })).toBe(all);
    expect(page.value("response_bytes_total")).toBe(all * 5);
  });
});

describe("the log of an application", () => {
  test("is read by expressions and grok, with counters at zero before any line", async () => {
    const { file, start } = startOn([
      { name: "errors_total", match: "(?i)\\berror\\b" },
      { name: "lines_by_level_total", match: "level=(\\w+)", labels: { level: "$1" }, initial: [{ level: "fatal" }] },
      { name: "queue_length", type: "gauge", grok: "queue: %{INT:length}", value: "$length" },
      { name: "took_seconds", type: "summary", match: "took (\\S+)ms", value: "$1", scale: 0.001, quantiles: [0.5] },
    ]);
    const adapter = await start();
    const zero = await adapter.page();
    expect([zero.value("errors_total"), zero.value("lines_by_level_total", { level: "fatal" })]).toEqual([0, 0]);
    expect([zero.value("queue_length"), zero.value("took_seconds_count")]).toEqual([undefined, 0]);
    appendFileSync(file, "level=info up\nlevel=error an ERROR\nqueue: 7\nqueue: 3\ntook 20ms\ntook longms\nterror\n");
    await untilLines(adapter, 7);
    const page = await adapter.page();
    expect(page.value("errors_total")).toBe(1);
    expect(page.value("lines_by_level_total", { level: "error" })).toBe(1);
    expect(page.value("queue_length")).toBe(3);
    expect(page.value("took_seconds_sum")).toBeCloseTo(0.02);
    expect(page.value("log_values_refused_total", { reason: "not_a_number" })).toBe(1);
    expect(page.value("log_lines_total", { result: "ignored" })).toBe(1);
  });

  test("counts each line once, through a copy that is cut back and a new file; what was there before does not count", async () => {
    const { file, start } = startOn([{ name: "hits_total", match: "hit" }]);
    writeFileSync(file, "hit before\nhit half");
    const adapter = await start();
    appendFileSync(file, " and more\nhit 1\n");
    await until(async () => (await adapter.page()).value("hits_total") === 1);
    copyFileSync(file, `${file}.1`);
    truncateSync(file, 0);
    appendFileSync(file, "hit 2\n");
    await until(async () => (await adapter.page()).value("hits_total") === 2);
    renameSync(file, `${file}.2`);
    appendFileSync(`${file}.2`, "hit 3\n");
    writeFileSync(file, "hit 4\n");
    await until(async () => (await adapter.page()).value("hits_total") === 4);
  });

  test("with a folder for its state, what was written while the adapter was away counts, and nothing twice", async () => {
    const { file, start } = startOn([{ name: "hits_total", match: "hit" }], { stateDir: tempDir(cleanup) });
    appendFileSync(file, "hit 1\nhit 2\n");
    const first = await start();
    await untilLines(first, 2);
    await first.stop();
    renameSync(file, `${file}.1`);
    writeFileSync(file, "hit 3\n");
    const second = await start();
    await untilLines(second, 1);
    expect((await second.page()).value("hits_total")).toBe(1);
  });

  test("never has more series than allowed, nor lines longer than allowed", async () => {
    const metrics = [{ name: "users_total", match: "user=(\\S+)", labels: { user: "$1" } }];
    const { file, start } = startOn(metrics, { maxSeries: 3, maxLine: 100 });
    const adapter = await start();
    appendFileSync(file, Array.from({ length: 10 }, (_, at) => `user=${at}\n`).join(""));
    appendFileSync(file, `${"x".repeat(90)} user=1 ${"x".repeat(30)}\nuser=1\n`);
    await until(async () => (await adapter.page()).value("users_total", { user: "1" }) === 2);
    const page = await adapter.page();
    expect(page.samples.filter(({ name }) => name === "users_total")).toHaveLength(3);
    expect(page.value("log_values_refused_total", { reason: "too_many_series" })).toBe(7);
    expect(page.value("log_lines_total", { result: "too_long" })).toBeGreaterThan(0);
  });
});
