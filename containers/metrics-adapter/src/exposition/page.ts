// The page of one scrape: families are declared, series are added, and what would make the page invalid is left out and
// reported. What is taken can always be encoded.
import type { Bucket, Family, Histogram, Labels, MetricType, Series, Summary } from "./model.ts";
import { isHistogram, isSummary } from "./model.ts";
import { isLegacyMetricName } from "./names.ts";
import { createShapes, identityOf, writeLabels } from "./shapes.ts";
import type { Shape } from "./shapes.ts";

/** Why a series is not on the page. */
export const LEFT_OUT = [
  "duplicate",
  "conflict",
  "invalid_name",
  "invalid_label",
  "invalid_value",
  "overflow",
] as const;
export type LeftOut = (typeof LEFT_OUT)[number];

export type PageLimits = {
  /** Series of one metric, and of the whole page. */
  readonly maxSeriesPerMetric: number;
  readonly maxSeries: number;
  /** Characters of a label's value. */
  readonly maxLabelValue: number;
};

export type Declaration = { name: string; type: MetricType; help: string; unit?: string };

/** Told of each series that is left out. */
export type ReportLeftOut = (reason: LeftOut, metric: string, labels: Labels) => void;

export type FamilyBuilder = {
  /** Adds a series. Returns whether it is on the page. */
  add(series: Series): boolean;
};

export type Page = {
  /** Declares a family, or gives the one of that name; with another type than before, all its series are left out. */
  family(declaration: Declaration): FamilyBuilder;
  families(): readonly Family[];
  readonly seriesCount: number;
};

/** The label of the series that stands for those of a metric that are too many; its value is their sum. */
export const OVERFLOW_LABEL: Labels = ["overflow", "true"];

const OVERFLOW_TEXT = writeLabels(OVERFLOW_LABEL, createShapes()(OVERFLOW_LABEL));

type Filling = Omit<Family, "series" | "texts" | "legacy"> & {
  readonly series: Series[];
  readonly texts: string[];
  /** The labels of all series, each in the order in which the same names came first. */
  readonly keys: Set<string>;
  readonly shapes: (labels: Labels) => Shape;
  legacy: boolean;
  overflowAt: number;
};

const SUFFIXES: Readonly<Partial<Record<MetricType, readonly string[]>>> = {
  histogram: ["_bucket", "_sum", "_count", ""],
  gaugehistogram: ["_bucket", "_sum", "_count", "_gsum", "_gcount", ""],
  summary: ["_sum", "_count", ""],
};
const RESERVED: Readonly<Partial<Record<MetricType, string>>> = {
  histogram: "le",
  gaugehistogram: "le",
  summary: "quantile",
};

/** All names that samples of the family have. */
const sampleNames = ({ name, type }: Declaration): string[] => (SUFFIXES[type] ?? [""]).map((suffix) => name + suffix);

/** The same for the same labels in any order. */
export function keyOf(labels: Labels): string {
  if (labels.length <= 2) return labels.join("\u0000");
  const pairs: string[] = [];
  for (let at = 0; at < labels.length; at += 2) pairs.push(`${labels[at]}\u0000${labels[at + 1]}`);
  return pairs.sort().join("\u0001");
}

export function createPage(limits: PageLimits, report: ReportLeftOut): Page {
  const families = new Map<string, Filling>();
  /** Which family each name of a sample belongs to. */
  const owners = new Map<string, string>();
  let seriesCount = 0;

  const declare = (declaration: Declaration): Filling | LeftOut => {
    const { name, type, unit = "" } = declaration;
    const known = families.get(name);
    if (known !== undefined) return known.type === type ? known : "conflict";
    if (name === "" || !name.isWellFormed()) return "invalid_name";
    const names = sampleNames(declaration);
    if (names.some((sample) => owners.has(sample))) return "conflict";
    for (const sample of names) owners.set(sample, name);
    const made = createFilling({ ...declaration, unit });
    families.set(name, made);
    return made;
  };

  const addTo = (family: Filling, series: Series): LeftOut | undefined => {
    const { labels } = series;
    const shape = family.shapes(labels);
    if (!shape.valid || !areValuesShort(labels, limits.maxLabelValue)) return "invalid_label";
    if (!isValueValid(family.type, series)) return "invalid_value";
    if (!areWellFormed(labels)) return addTo(family, { ...series, labels: labels.map((text) => text.toWellFormed()) });
    const text = writeLabels(labels, shape);
    const key = identityOf(labels, shape, text, family.shapes);
    if (family.keys.has(key)) return "duplicate";
    if (family.series.length >= limits.maxSeriesPerMetric || seriesCount >= limits.maxSeries) {
      // A metric that comes when the page is full gets none: else names without end would be series without end.
      if (family.series.length > 0) addOverflow(family, series);
      return "overflow";
    }
    family.keys.add(key);
    family.legacy &&= shape.legacy;
    family.series.push(series);
    family.texts.push(text);
    seriesCount++;
    return undefined;
  };

  return {
    family: (declaration) => {
      const family = declare(declaration);
      return {
        add: (series) => {
          const left = typeof family === "string" ? family : addTo(family, series);
          if (left !== undefined) report(left, declaration.name, series.labels);
          return left === undefined;
        },
      };
    },
    families: () => [...families.values()].filter(({ series }) => series.length > 0),
    get seriesCount() {
      return seriesCount;
    },
  };
}

const createFilling = ({ name, type, help, unit }: Required<Declaration>): Filling => ({
  name,
  type,
  help: help.toWellFormed(),
  unit,
  legacy: isLegacyMetricName(name),
  series: [],
  texts: [],
  keys: new Set(),
  shapes: createShapes(RESERVED[type]),
  overflowAt: -1,
});

/** Only numbers can be summed up; distributions that are too many are left out. */
function addOverflow(family: Filling, series: Series): void {
  if (isHistogram(series) || isSummary(series)) return;
  const before = family.series[family.overflowAt];
  if (before === undefined || !("value" in before)) {
    family.overflowAt = family.series.push({ labels: OVERFLOW_LABEL, value: series.value }) - 1;
    family.texts.push(OVERFLOW_TEXT);
    family.keys.add(OVERFLOW_TEXT);
  } else family.series[family.overflowAt] = { labels: OVERFLOW_LABEL, value: before.value + series.value };
}

/** Label values with half a surrogate pair cannot be written in UTF-8. */
function areWellFormed(labels: Labels): boolean {
  for (let at = 1; at < labels.length; at += 2) if (!labels[at]!.isWellFormed()) return false;
  return true;
}

function areValuesShort(labels: Labels, maxLabelValue: number): boolean {
  for (let at = 1; at < labels.length; at += 2) if (labels[at]!.length > maxLabelValue) return false;
  return true;
}

/** What counts things is neither negative nor NaN. */
const isCount = (value: number): boolean => value >= 0;

function isValueValid(type: MetricType, series: Series): boolean {
  if (isHistogram(series)) return (type === "histogram" || type === "gaugehistogram") && isHistogramValid(series);
  if (isSummary(series)) return type === "summary" && isSummaryValid(series);
  if (type === "counter") return isCount(series.value);
  if (type === "info") return series.value === 1;
  if (type === "stateset") return series.value === 0 || series.value === 1;
  return type === "gauge" || type === "unknown";
}

function isHistogramValid({ buckets, count }: Histogram): boolean {
  const fits = ({ le, count: upTo }: Bucket): boolean => !Number.isNaN(le) && isCount(upTo) && upTo <= count;
  return isCount(count) && buckets.every((each, at) => fits(each) && (at === 0 || isAfter(buckets[at - 1]!, each)));
}

/** Quantiles are not held to 0..1: there are exporters that have percentiles there, and dashboards that expect them. */
function isSummaryValid({ quantiles, count }: Summary): boolean {
  const ascends = quantiles.every(({ quantile }, at) => at === 0 || quantiles[at - 1]!.quantile < quantile);
  return isCount(count) && ascends && quantiles.every(({ quantile }) => Number.isFinite(quantile));
}

const isAfter = (before: Bucket, { le, count }: Bucket): boolean => before.le < le && before.count <= count;
