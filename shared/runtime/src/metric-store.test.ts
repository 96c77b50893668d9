import { expect, test } from "vitest";

import { createMetricStore } from "./metric-store.ts";
import { counter, gauge, histogram } from "./metric-table.ts";

const table = {
  requests: counter("demo_requests_total", "Requests.", { method: ["get", "post"], status: ["2xx", "5xx"] }),
  active: gauge("demo_active", "Active now."),
  duration: histogram("demo_duration_seconds", "Durations.", { buckets: [0.1, 1], labels: { kind: ["a", "b"] } }),
  expiry: gauge("demo_expiry", "Expiry.", { file: "its path", subject: "of the certificate" }),
} as const;

const valuesOf = (store: ReturnType<typeof createMetricStore<typeof table>>, metric: keyof typeof table) =>
  store
    .samplesOf(table[metric])
    .map(({ metricName, labels, value }) => [metricName, ...Object.values(labels), value].join(" "));

test("closed series are all there from the beginning, at zero and in table order", () => {
  const store = createMetricStore(table);
  expect(valuesOf(store, "requests")).toEqual([
    "demo_requests_total get 2xx 0",
    "demo_requests_total get 5xx 0",
    "demo_requests_total post 2xx 0",
    "demo_requests_total post 5xx 0",
  ]);
  expect(valuesOf(store, "active")).toEqual(["demo_active 0"]);
  expect(valuesOf(store, "expiry")).toEqual([]);
});

test("counting reaches the series of these labels, in any order, and no other", () => {
  const store = createMetricStore(table);
  store.metrics.requests.inc({ method: "post", status: "2xx" });
  store.metrics.requests.cell({ status: "2xx", method: "post" }).add(2);
  store.metrics.active.cell({}).set(7);
  expect(valuesOf(store, "requests").filter((text) => !text.endsWith(" 0"))).toEqual([
    "demo_requests_total post 2xx 3",
  ]);
  expect(valuesOf(store, "active")).toEqual(["demo_active 7"]);
});

test("labels that the table does not have are an error, not a new series", () => {
  const { requests, expiry } = createMetricStore(table).metrics;
  const wrong = { method: "put", status: "2xx" } as never;
  for (const use of [requests.inc, requests.cell]) {
    expect(() => use(wrong)).toThrow(
      'demo_requests_total: expected labels of its table, got {"method":"put","status":"2xx"}',
    );
  }
  expect(() => requests.inc({ method: "get" } as never)).toThrow("expected labels of its table");
  expect(() => requests.inc({ method: "get", status: "2xx", more: "x" } as never)).toThrow("expected labels");
  expect(() => expiry.inc({ file: "a", subjct: "b" } as never)).toThrow("demo_expiry: expected labels of its table");
});

test("a histogram counts each value in its bucket, and cumulates when sampled", () => {
  const store = createMetricStore(table);
  const seconds = store.metrics.duration.histogram({ kind: "a" });
  for (const value of [0.05, 0.1, 0.5, 1, 2, 30]) seconds.observe(value);
  expect(valuesOf(store, "duration")).toEqual([
    "demo_duration_seconds_bucket a 0.1 2",
    "demo_duration_seconds_bucket a 1 4",
    "demo_duration_seconds_bucket a +Inf 6",
    "demo_duration_seconds_sum a 33.65",
    "demo_duration_seconds_count a 6",
    "demo_duration_seconds_bucket b 0.1 0",
    "demo_duration_seconds_bucket b 1 0",
    "demo_duration_seconds_bucket b +Inf 0",
    "demo_duration_seconds_sum b 0",
    "demo_duration_seconds_count b 0",
  ]);
});

test("a metric is used as what it is: a cell of a histogram, or buckets of a counter, would hit other numbers", () => {
  const { duration, requests, expiry } = createMetricStore(table).metrics;
  expect(() => duration.cell({ kind: "a" })).toThrow("demo_duration_seconds: expected observe(), as it is a histogram");
  expect(() => duration.inc({ kind: "a" })).toThrow("as it is a histogram");
  expect(() => requests.histogram({ method: "get", status: "2xx" })).toThrow("as it is a counter");
  expect(() => expiry.histogram({ file: "a", subject: "b" })).toThrow("as it is a gauge");
});

test("what other threads have counted is added, also what they count later", () => {
  const main = createMetricStore(table);
  const thread = createMetricStore(table, createMetricStore(table).buffer);
  thread.metrics.requests.inc({ method: "get", status: "2xx" });
  main.join(thread.buffer);
  main.metrics.requests.inc({ method: "get", status: "2xx" });
  thread.metrics.requests.inc({ method: "get", status: "2xx" });
  main.metrics.duration.histogram({ kind: "b" }).observe(0.5);
  thread.metrics.duration.histogram({ kind: "b" }).observe(5);
  expect(valuesOf(main, "requests")[0]).toBe("demo_requests_total get 2xx 3");
  expect(valuesOf(main, "duration").slice(-3)).toEqual([
    "demo_duration_seconds_bucket b +Inf 2",
    "demo_duration_seconds_sum b 5.5",
    "demo_duration_seconds_count b 2",
  ]);
  expect(valuesOf(thread, "requests")[0]).toBe("demo_requests_total get 2xx 2");
});

test("open series appear when they are set, once however their labels are written, and can be forgotten", () => {
  const store = createMetricStore(table);
  const { expiry } = store.metrics;
  expiry.cell({ file: "a", subject: "x" }).set(1);
  expiry.cell({ subject: "x", file: "a" }).add(1);
  expiry.inc({ file: "b", subject: "x" });
  expect(valuesOf(store, "expiry")).toEqual(["demo_expiry a x 2", "demo_expiry b x 1"]);
  expiry.clear();
  expect(valuesOf(store, "expiry")).toEqual([]);
});

test("open series are bounded: after a thousand, new ones are not recorded and old ones go on", () => {
  const store = createMetricStore(table);
  for (let i = 0; i < 2000; i++) store.metrics.expiry.inc({ file: String(i), subject: "x" });
  store.metrics.expiry.inc({ file: "0", subject: "x" });
  expect(store.samplesOf(table.expiry)).toHaveLength(1000);
  expect(valuesOf(store, "expiry")[0]).toBe("demo_expiry 0 x 2");
});

test("a histogram may have open labels: each series has buckets of its own, and there are so many at most", () => {
  const table = { took: histogram("demo_took_seconds", "How long.", { buckets: [1, 2], labels: { shard: "a name" } }) };
  const { metrics, samplesOf } = createMetricStore(table);
  expect(samplesOf(table.took)).toEqual([]);
  const fast = metrics.took.histogram({ shard: "fast" });
  metrics.took.histogram({ shard: "slow" }).observe(7);
  fast.observe(0.5);
  fast.observe(1.5);
  metrics.took.histogram({ shard: "fast" }).observe(0.5);
  const valuesOf = (shard: string): number[] =>
    samplesOf(table.took)
      .filter(({ labels }) => labels["shard"] === shard)
      .map(({ value }) => value);
  expect(valuesOf("fast")).toEqual([2, 3, 3, 2.5, 3]);
  expect(valuesOf("slow")).toEqual([0, 0, 1, 7, 1]);
  expect(() => metrics.took.inc({ shard: "fast" })).toThrow("expected observe()");
  for (let i = 0; i < 2000; i++) metrics.took.histogram({ shard: `${i}` }).observe(1);
  expect(samplesOf(table.took)).toHaveLength(1000 * 5);
});
