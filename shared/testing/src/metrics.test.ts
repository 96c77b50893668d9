import { expect, test } from "vitest";

import { parseMetrics } from "./metrics.ts";

const TEXT = `# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{code="200",method="GET"} 3
requests_total{code="200",method="POST"} 2
requests_total{code="500",method="GET"} 1 1700000000000
latency_seconds_bucket{le="+Inf"} 7
odd{path="a\\\\b\\n\\"c\\"",} NaN
limit +Inf
`;

test("a value is looked up by name and by any of its labels, and is the sum of what carries them", () => {
  const metrics = parseMetrics(TEXT);
  expect(metrics.value("requests_total", { code: "500" })).toBe(1);
  expect(metrics.value("requests_total", { code: "200" })).toBe(5);
  expect(metrics.value("requests_total")).toBe(6);
  expect(metrics.value("latency_seconds_bucket", { le: "+Inf" })).toBe(7);
  expect(metrics.value("limit")).toBe(Number.POSITIVE_INFINITY);
});

test("a metric or a label that is not there has no value", () => {
  const metrics = parseMetrics(TEXT);
  expect(metrics.value("requests")).toBeUndefined();
  expect(metrics.value("requests_total", { code: "404" })).toBeUndefined();
});

test("escapes in label values are undone", () => {
  expect(parseMetrics(TEXT).samples.find(({ name }) => name === "odd")).toEqual({
    name: "odd",
    labels: { path: 'a\\b\n"c"' },
    value: Number.NaN,
  });
});

test("a line that is no sample is refused", () => {
  expect(() => parseMetrics("requests_total")).toThrow("expected name{labels} value, got requests_total");
  expect(() => parseMetrics("up{a=b} 1")).toThrow('expected name="value", got a=b');
});
