import { execFileSync } from "node:child_process";

import { parseMetrics, requirePrograms } from "@outrigger/testing";
import { describe, expect, test } from "vitest";

import { captureLog } from "../test/log.ts";
import { defineContainer } from "./container.ts";
import { createInstruments } from "./instruments.ts";
import { counter, gauge, histogram, metricsMarkdown } from "./metric-table.ts";
import { commonMetrics } from "./registry.ts";

const metrics = {
  requests: counter("demo_requests_total", 'Requests with a \\ and a "quote".', { status: ["2xx", "5xx"] }),
  duration: histogram("demo_duration_seconds", "Durations.", { buckets: [0.5, 1] }),
  expiry: gauge("demo_expiry_timestamp_seconds", "Expiry.", { subject: "of the certificate" }),
} as const;

const demo = defineContainer({
  name: "demo",
  version: "1.2.3",
  pattern: "sidecar",
  summary: "A demonstration",
  adminPort: 0,
  options: {},
  metrics,
  start: async () => ({}),
});

const HOSTILE = 'CN=a "quoted" \\ name,\nO=b';

async function scrape(): Promise<{ contentType: string; text: string }> {
  const { sink } = captureLog();
  const instruments = createInstruments(demo, { logLevel: "info", logFormat: "json" }, sink);
  const { expiry, duration } = instruments.store.metrics as never as {
    [K in "expiry" | "duration"]: {
      cell(labels: object): { set(value: number): void };
      histogram(labels: object): { observe(value: number): void };
    };
  };
  expiry.cell({ subject: HOSTILE }).set(1.5e9);
  for (const value of [0.1, 0.7, 3]) duration.histogram({}).observe(value);
  return instruments.metricsText();
}

test("a scrape has HELP, TYPE and every sample, and says what it is", async () => {
  const { contentType, text } = await scrape();
  expect(contentType).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(text).toContain("# TYPE demo_requests_total counter\n");
  expect(text).toContain("# TYPE demo_duration_seconds histogram\n");
  const parsed = parseMetrics(text);
  expect(parsed.value("demo_requests_total", { status: "5xx" })).toBe(0);
  expect(parsed.value("demo_duration_seconds_bucket", { le: "1" })).toBe(2);
  expect(parsed.value("demo_duration_seconds_bucket", { le: "+Inf" })).toBe(3);
  expect(parsed.value("demo_duration_seconds_count")).toBe(3);
});

test("a label value with quotes, backslashes and line feeds comes out as it went in", async () => {
  const { text } = await scrape();
  const sample = parseMetrics(text).samples.find(({ name }) => name === "demo_expiry_timestamp_seconds");
  expect(sample).toEqual({ name: "demo_expiry_timestamp_seconds", labels: { subject: HOSTILE }, value: 1.5e9 });
});

test("the metrics of every container tell of this process", async () => {
  const { value } = parseMetrics((await scrape()).text);
  expect(value("outrigger_build_info", { container: "demo", version: "1.2.3" })).toBe(1);
  expect(value("outrigger_ready")).toBe(0);
  expect(value("process_cpu_seconds_total")).toBeGreaterThan(0);
  expect(value("process_resident_memory_bytes")).toBeGreaterThan(1e7);
  expect(Math.abs(value("process_start_time_seconds")! - (Date.now() / 1000 - process.uptime()))).toBeLessThan(2);
});

test("the documentation has a row for each metric, with its labels and their values", () => {
  const rows = metricsMarkdown(metrics).split("\n").slice(2);
  expect(rows[0]).toBe('| `demo_requests_total` | counter | `status`: 2xx, 5xx | Requests with a \\ and a "quote". |');
  expect(rows[2]).toContain("`subject`: of the certificate");
  expect(metricsMarkdown(commonMetrics).split("\n")).toHaveLength(2 + Object.keys(commonMetrics).length);
});

const promtool = requirePrograms("promtool");
describe.skipIf(promtool.skip)(promtool.title("promtool"), () => {
  test("has nothing to criticise in a scrape", async () => {
    const { text } = await scrape();
    expect(String(execFileSync(promtool.path("promtool"), ["check", "metrics"], { input: text }))).toBe("");
  });
});
