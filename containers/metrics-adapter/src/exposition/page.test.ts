import { describe, expect, test } from "vitest";

import type { MetricType, Series } from "./model.ts";
import { createPage } from "./page.ts";
import type { Page } from "./page.ts";

function pageOf(limits = {}): {
  page: Page;
  left: string[];
  add: (name: string, type: MetricType, ...series: Series[]) => void;
} {
  const left: string[] = [];
  const page = createPage(
    { maxSeriesPerMetric: 100, maxSeries: 1000, maxLabelValue: 50, ...limits },
    (reason, name) => {
      left.push(`${name}: ${reason}`);
    },
  );
  const add = (name: string, type: MetricType, ...series: Series[]): void => {
    const family = page.family({ name, type, help: "Help." });
    for (const each of series) family.add(each);
  };
  return { page, left, add };
}
const point = (value: number, ...labels: string[]): Series => ({ labels, value });
const names = (page: Page): string[] => page.families().map(({ name }) => name);

test("what is added stays in its family, in order, and a family may be declared again", () => {
  const { page, left, add } = pageOf();
  add("a", "gauge", point(1));
  add("b", "counter", point(2, "x", "1"));
  add("a", "gauge", point(3, "y", "2"));
  expect(page.families()).toMatchObject([{ name: "a", series: [{ value: 1 }, { value: 3 }] }, { name: "b" }]);
  expect(left).toEqual([]);
});

describe("is left out, and the rest stays", () => {
  test.each<[string, string, (add: ReturnType<typeof pageOf>["add"]) => void]>([
    [
      "the same labels twice, in whatever order",
      "a: duplicate",
      (add) => add("a", "gauge", point(1, "x", "1", "y", "2"), point(2, "y", "2", "x", "1")),
    ],
    ["a family of two types", "a: conflict", (add) => (add("a", "gauge", point(1)), add("a", "counter", point(2)))],
    [
      "a name that a histogram's samples have",
      "a_count: conflict",
      (add) => (
        add("a", "histogram", { labels: [], buckets: [], sum: 0, count: 0 }),
        add("a_count", "gauge", point(1))
      ),
    ],
    [
      "a histogram one of whose samples' names is taken",
      "a: conflict",
      (add) => (add("a_sum", "gauge", point(1)), add("a", "summary", { labels: [], quantiles: [], sum: 0, count: 0 })),
    ],
    ["a metric without a name", ": invalid_name", (add) => (add("", "gauge", point(1)), add("a", "gauge", point(1)))],
    [
      "a label twice",
      "b: invalid_label",
      (add) => (add("b", "gauge", point(1, "x", "1", "x", "2")), add("a", "gauge", point(1))),
    ],
    [
      "a label without a name",
      "b: invalid_label",
      (add) => (add("b", "gauge", point(1, "", "1")), add("a", "gauge", point(1))),
    ],
    [
      "a label's value that is too long",
      "b: invalid_label",
      (add) => (add("b", "gauge", point(1, "x", "y".repeat(51))), add("a", "gauge", point(1))),
    ],
    [
      "a label le of a histogram",
      "b: invalid_label",
      (add) => (
        add("b", "histogram", { labels: ["le", "1"], buckets: [], sum: 0, count: 0 }),
        add("a", "gauge", point(1))
      ),
    ],
    [
      "a counter below zero",
      "b: invalid_value",
      (add) => (add("b", "counter", point(-1)), add("a", "gauge", point(1))),
    ],
    [
      "a counter that is no number",
      "b: invalid_value",
      (add) => (add("b", "counter", point(NaN)), add("a", "gauge", point(1))),
    ],
    [
      "a histogram that is not cumulative",
      "b: invalid_value",
      (add) => (
        add("b", "histogram", {
          labels: [],
          buckets: [
            { le: 1, count: 2 },
            { le: 2, count: 1 },
          ],
          sum: 0,
          count: 2,
        }),
        add("a", "gauge", point(1))
      ),
    ],
    [
      "a bucket above the count",
      "b: invalid_value",
      (add) => (
        add("b", "histogram", { labels: [], buckets: [{ le: 1, count: 2 }], sum: 0, count: 1 }),
        add("a", "gauge", point(1))
      ),
    ],
    [
      "a quantile that is no number",
      "b: invalid_value",
      (add) => (
        add("b", "summary", { labels: [], quantiles: [{ quantile: NaN, value: 1 }], sum: 0, count: 1 }),
        add("a", "gauge", point(1))
      ),
    ],
    ["an info that is not 1", "b: invalid_value", (add) => (add("b", "info", point(2)), add("a", "gauge", point(1)))],
    [
      "a number as a histogram",
      "b: invalid_value",
      (add) => (add("b", "histogram", point(2)), add("a", "gauge", point(1))),
    ],
  ])("%s", (_, expected, act) => {
    const { page, left, add } = pageOf();
    act(add);
    expect(left).toEqual([expected]);
    expect(page.seriesCount).toBe(1);
  });
});

test("label values that cannot be written in UTF-8 are repaired", () => {
  const { page, add } = pageOf();
  add("a", "gauge", point(1, "x", "half \ud83d"));
  expect(page.families()[0]!.series[0]!.labels).toEqual(["x", "half \ufffd"]);
});

test("series beyond those that a metric may have are summed up in one that says so", () => {
  const { page, left, add } = pageOf({ maxSeriesPerMetric: 2 });
  add("a", "counter", ...[1, 2, 3, 4].map((value) => point(value, "id", String(value))));
  add("b", "counter", point(1));
  expect(page.families()[0]!.series).toEqual([point(1, "id", "1"), point(2, "id", "2"), point(7, "overflow", "true")]);
  expect(left).toEqual(["a: overflow", "a: overflow"]);
  expect(names(page)).toEqual(["a", "b"]);
});

test("however many metrics come, the page does not grow beyond its series", () => {
  const { page, left, add } = pageOf({ maxSeries: 10 });
  for (let at = 0; at < 1000; at++) add(`m${at}`, "counter", point(1));
  expect(page.families()).toHaveLength(10);
  expect(left).toHaveLength(990);
});
