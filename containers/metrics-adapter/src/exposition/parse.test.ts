import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { assemble, belongingOf } from "./assemble.ts";
import { encodePage } from "./encode.ts";
import type { Family, MetricType, Series } from "./model.ts";
import type { Format } from "./negotiate.ts";
import { createPage } from "./page.ts";
import { parsePage } from "./parse.ts";

const LIMITS = { maxSeries: 1000, maxSeriesPerMetric: 100, maxLabelValue: 1000 };

function pageOf(
  given: readonly { name: string; type: MetricType; help: string; unit?: string; series: readonly Series[] }[],
): readonly Family[] {
  const page = createPage(LIMITS, () => {});
  for (const { series, ...declaration } of given) for (const each of series) page.family(declaration).add(each);
  return page.families();
}

async function textOf(families: readonly Family[], format: Format): Promise<string> {
  let text = "";
  for await (const chunk of encodePage(families, format)) text += chunk.toString();
  return text;
}

function reread(text: string, openMetrics: boolean): readonly Family[] {
  const { metadata, samples } = parsePage(text, { openMetrics });
  return pageOf(assemble(samples.map((sample) => belongingOf(sample, metadata))));
}

const number = fc.oneof(fc.double({ noNaN: true }), fc.nat(1000));
const labels = fc
  .uniqueArray(fc.tuple(fc.constantFrom("a", "b", "c.d", "ü"), fc.string({ unit: "grapheme" })), {
    selector: ([name]) => name,
  })
  .map((pairs) => pairs.flat());
const cumulative = fc.array(fc.nat(5), { maxLength: 4 }).map((steps) => {
  let count = 0;
  const buckets = steps.map((step, at) => ({ le: at + 0.5, count: (count += step) }));
  return { buckets: [...buckets, { le: Infinity, count: count + 1 }], count: count + 1, sum: 1.5 };
});
const point = fc.record({ labels, value: number });
const histogram = fc.tuple(labels, cumulative).map(([labels, rest]) => ({ labels, ...rest }));
const summary = fc.record({
  labels,
  quantiles: fc.constant([{ quantile: 0.5, value: 3 }]),
  sum: number,
  count: fc.nat(),
});
const family = fc.oneof(
  fc.record({ type: fc.constant<MetricType>("counter"), suffix: fc.constant("_total"), series: fc.array(point) }),
  fc.record({
    type: fc.constantFrom<MetricType>("gauge", "unknown"),
    suffix: fc.constant(""),
    series: fc.array(point),
  }),
  fc.record({ type: fc.constant<MetricType>("histogram"), suffix: fc.constant(""), series: fc.array(histogram) }),
  fc.record({ type: fc.constant<MetricType>("summary"), suffix: fc.constant(""), series: fc.array(summary) }),
);
const families = fc.array(fc.tuple(family, fc.string({ unit: "grapheme" })), { maxLength: 5 }).map((all) =>
  all.map(([{ type, suffix, series }, help], at) => ({
    name: `family.${at}${suffix}`,
    type,
    help: help.trim(),
    series,
  })),
);

test.each<Format>([
  { syntax: "text", version: "1.0.0", escaping: "allow-utf-8" },
  { syntax: "openmetrics", version: "1.0.0", escaping: "allow-utf-8" },
])("what is written as $syntax is read back the same", async (format) => {
  const isOpenMetrics = format.syntax === "openmetrics";
  const check = fc.asyncProperty(families, async (given) => {
    const text = await textOf(pageOf(given), format);
    expect(await textOf(reread(text, isOpenMetrics), format)).toBe(text);
  });
  await fc.assert(check, { numRuns: 300 });
});

test("separators of lines that are none of the format's are characters like others", () => {
  const { metadata, samples } = parsePage('# HELP a x\u2028y\n# TYPE a gauge\na{b="\u2029"} 1\n');
  expect(metadata.get("a")).toMatchObject({ help: "x\u2028y", type: "gauge" });
  expect(samples[0]!.labels).toEqual(["b", "\u2029"]);
});

describe("what is no page", () => {
  test.each([
    ["a line without a value", "a 1\nb\n", "line 2: expected a number"],
    ["labels without an end", 'a{b="c" 1', "line 1: expected a comma or }"],
    ["a label without a value", "a{b} 1", 'line 1: expected name="value"'],
    ["a comma that is missing", 'a{b="c"d="e"} 1', "line 1: expected a comma or }"],
    ["too many words", "a 1 2 3", "line 1: expected a value and a time"],
    ["a type that there is not", "# TYPE a sum", "line 1: expected a type of metrics"],
    ["a page of HTML", "<!doctype html>", "line 1: expected name{labels} value"],
  ])("%s is told with its line", (_, text, message) => expect(() => parsePage(text)).toThrow(message));

  test("whatever it is, it is read or told", () => {
    const soup = fc
      .array(
        fc.constantFrom(
          "a",
          "{",
          "}",
          '"',
          "=",
          ",",
          " ",
          "1",
          "#",
          "TYPE",
          "\n",
          "\\",
          "_bucket",
          "histogram",
          "# EOF",
          "\u0000",
        ),
      )
      .map((parts) => parts.join(""));
    const check = fc.property(soup, fc.boolean(), (text, openMetrics) => {
      try {
        reread(text, openMetrics);
      } catch (error) {
        expect((error as Error).message).toMatch(/^line \d+: expected /);
      }
    });
    fc.assert(check, { numRuns: 2000 });
  });
});
