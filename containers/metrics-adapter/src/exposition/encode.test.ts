// What the encoders write, as others read it: promtool, and a decoder of protobuf's wire format.
import { execFileSync } from "node:child_process";
import { monitorEventLoopDelay } from "node:perf_hooks";

import { requirePrograms } from "@outrigger/testing";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { encodePage } from "./encode.ts";
import type { Family, MetricType, Series } from "./model.ts";
import type { Format } from "./negotiate.ts";
import { createPage } from "./page.ts";

const promtool = requirePrograms("promtool");
const TYPES: readonly MetricType[] = [
  "counter",
  "gauge",
  "histogram",
  "gaugehistogram",
  "summary",
  "info",
  "stateset",
  "unknown",
];

/** Text that is as unlike a name as it can be. */
const wild = fc.oneof(
  fc.string({ unit: "binary", maxLength: 8 }),
  fc.constantFrom("le", "quantile", "a", "b", 'q"\n\\', "\ud800", "", "a.b", "{", "# EOF"),
);
const number = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(0, 1, NaN, -Infinity, Infinity));
const labels = fc.array(fc.tuple(wild, wild), { maxLength: 3 }).map((pairs) => pairs.flat());
const series: fc.Arbitrary<Series> = fc.oneof(
  fc.record({ labels, value: number }),
  fc.record({
    labels,
    sum: number,
    count: number,
    buckets: fc.array(fc.record({ le: number, count: number }), { maxLength: 3 }),
  }),
  fc.record({
    labels,
    sum: number,
    count: number,
    quantiles: fc.array(fc.record({ quantile: number, value: number }), { maxLength: 3 }),
  }),
);
const declarations = fc.array(
  fc.record({ name: wild, type: fc.constantFrom(...TYPES), help: wild, series: fc.array(series, { maxLength: 4 }) }),
);

function familiesOf(
  given: readonly (Omit<Family, "unit" | "legacy" | "texts" | "series"> & { series: readonly Series[] })[],
  maxSeriesPerMetric = 100,
): readonly Family[] {
  const page = createPage({ maxSeries: 200_000, maxSeriesPerMetric, maxLabelValue: 100 }, () => {});
  for (const { series, ...declaration } of given) {
    const family = page.family(declaration);
    for (const each of series) family.add(each);
  }
  return page.families();
}

async function bytesOf(families: readonly Family[], format: Format): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of encodePage(families, format)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe.skipIf(promtool.skip)(promtool.title("promtool"), () => {
  test("takes the page of whatever was tried to be added", async () => {
    const check = fc.asyncProperty(declarations, async (given) => {
      const page = await bytesOf(familiesOf(given), { syntax: "text", version: "0.0.4", escaping: "underscores" });
      expect(parseErrorOf(page)).toBe("");
    });
    await fc.assert(check, { numRuns: 150 });
  }, 120_000);

  /** promtool's status is 3 for names that are not as it likes them, and 1 for what is no page. */
  function parseErrorOf(page: Buffer): string {
    try {
      execFileSync(promtool.path("promtool"), ["check", "metrics"], { input: page, stdio: "pipe" });
      return "";
    } catch (error) {
      const { status, stderr } = error as { status: number; stderr: Buffer };
      return status === 3 ? "" : `${stderr.toString()}\n${page.toString()}`;
    }
  }
});

type Field = { readonly field: number; readonly value: number | Buffer };

/** Cuts a message into its fields, as any decoder would. */
function fieldsOf(bytes: Buffer): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): number => {
    let [value, scale] = [0, 1];
    for (; ; scale *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const field = Math.floor(tag / 8);
    if (tag % 8 === 0) fields.push({ field, value: varint() });
    else if (tag % 8 === 1) fields.push({ field, value: bytes.readDoubleLE((at += 8) - 8) });
    else {
      const length = varint();
      fields.push({ field, value: bytes.subarray(at, (at += length)) });
    }
  }
  expect(at).toBe(bytes.length);
  return fields;
}

test("protobuf has each family with its length before it, and a native histogram's fields where they belong", async () => {
  const native = {
    schema: -1,
    zeroThreshold: 0.25,
    zeroCount: 2,
    positive: { spans: [{ offset: -3, length: 2 }], deltas: [1, -1] },
    negative: { spans: [], deltas: [] },
  };
  const families = familiesOf([
    {
      name: "h",
      type: "histogram",
      help: "Help.",
      series: [{ labels: ["a", "ü"], buckets: [{ le: 1, count: 300 }], sum: 1.5, count: 301, native }],
    },
    { name: "c", type: "counter", help: "", series: [{ labels: [], value: 7 }] },
  ]);
  const bytes = await bytesOf(families, { syntax: "protobuf", version: "", escaping: "underscores" });
  // Seen as one message, the page is a row of lengths; so each family is cut out by its own.
  const first = bytes.subarray(1, 1 + bytes[0]!);
  const head = fieldsOf(first);
  expect(head.slice(0, 3)).toEqual([
    { field: 1, value: Buffer.from("h") },
    { field: 2, value: Buffer.from("Help.") },
    { field: 3, value: 4 },
  ]);
  const metric = fieldsOf(head[3]!.value as Buffer);
  expect(fieldsOf(metric[0]!.value as Buffer)).toEqual([
    { field: 1, value: Buffer.from("a") },
    { field: 2, value: Buffer.from("ü") },
  ]);
  const histogram = fieldsOf(metric[1]!.value as Buffer);
  expect(histogram.map(({ field }) => field)).toEqual([1, 2, 3, 5, 6, 7, 12, 13, 13]);
  expect(histogram.filter(({ field }) => [1, 2, 5, 6, 7, 13].includes(field)).map(({ value }) => value)).toEqual([
    301, 1.5, 1, 0.25, 2, 2, 1,
  ]);
  expect(fieldsOf(histogram[2]!.value as Buffer)).toEqual([
    { field: 1, value: 300 },
    { field: 2, value: 1 },
  ]);
  expect(fieldsOf(histogram[6]!.value as Buffer)).toEqual([
    { field: 1, value: 5 },
    { field: 2, value: 2 },
  ]);
  const second = bytes.subarray(2 + bytes[0]!);
  expect(second).toHaveLength(bytes[1 + bytes[0]!]!);
  expect(fieldsOf(second).map(({ field }) => field)).toEqual([1, 2, 3, 4]);
});

test.each<Format>([
  { syntax: "text", version: "0.0.4", escaping: "underscores" },
  { syntax: "protobuf", version: "", escaping: "underscores" },
])("100 000 series in $syntax give others their turn", async (format) => {
  const series = [...Array(100_000).keys()].map((at) => ({ labels: ["id", String(at), "path", "/a/b/c"], value: at }));
  const page = familiesOf([{ name: "many", type: "gauge", help: "Many.", series }], 100_000);
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  let size = 0;
  for await (const chunk of encodePage(page, format)) size += chunk.length;
  delays.disable();
  clearInterval(timer);
  expect(size).toBeGreaterThan(3_000_000);
  // The goal is 20 ms; a test has to bear with its neighbours, so it looks at the middle of all delays.
  expect(delays.percentile(50) / 1e6).toBeLessThan(20);
  expect(turns).toBeGreaterThan(1);
});
