// The text formats: Prometheus' 0.0.4 and 1.0.0, and OpenMetrics 0.0.1 and 1.0.0.
import type { Exemplar, Family, Histogram, MetricType, Point, Series, Summary } from "./model.ts";
import { isHistogram, isSummary } from "./model.ts";
import { isLegacyMetricName } from "./names.ts";
import type { Format } from "./negotiate.ts";
import { createShapes, escapeAll, quoted, writeLabels } from "./shapes.ts";

/** How the series of one family are written. */
export type FamilyWriter = {
  readonly head: string;
  /** One series; `labels` is the text of its labels. */
  write(series: Series, labels: string): string;
};

/** The types that the text formats do not have, by those that they stand for there. */
const TEXT_TYPES: Readonly<Partial<Record<MetricType, string>>> = {
  gaugehistogram: "histogram",
  info: "gauge",
  stateset: "gauge",
  unknown: "untyped",
};

export function formatValue(value: number): string {
  if (value === Infinity) return "+Inf";
  if (value === -Infinity) return "-Inf";
  return String(value);
}

/** Bounds of OpenMetrics are floats even where they are whole. */
const canonical = (value: number): string =>
  Number.isInteger(value) && Math.abs(value) < 1e21 ? `${value}.0` : formatValue(value);

const escapeHelp = (text: string): string => text.replaceAll(/[\\\n]/g, (char) => (char === "\n" ? "\\n" : "\\\\"));

/** How samples begin. */
type Shape = { readonly open: (name: string) => string; readonly legacy: boolean };

/** `name{` for a name that may stand alone, `{"name"` for one that has to be quoted. */
const shapeOf = (legacy: boolean): Shape => ({ open: (name) => (legacy ? name : `{${quoted(name)}`), legacy });

/** The suffix of OpenMetrics' family name that its samples have again. */
const OPENMETRICS_SUFFIX: Readonly<Partial<Record<MetricType, string>>> = { counter: "_total", info: "_info" };

/** The name and the type that OpenMetrics knows the family by: what its rules do not allow is of unknown type. */
function openMetricsIdentity({ name, type }: Family, taken: ReadonlySet<string>): { name: string; type: MetricType } {
  const suffix = OPENMETRICS_SUFFIX[type];
  if (suffix === undefined) return { name, type };
  const bare = name.slice(0, -suffix.length);
  const follows = name.endsWith(suffix) && bare !== "" && !taken.has(bare);
  if (follows) return { name: bare, type };
  return { name, type: type === "info" ? "gauge" : "unknown" };
}

/** Names stand as they are: what has to be escaped has been. `taken` are the names of all families on the page. */
export function createFamilyWriter(family: Family, { syntax }: Format, taken: ReadonlySet<string>): FamilyWriter {
  const openMetrics = syntax === "openmetrics";
  const identity = openMetrics ? openMetricsIdentity(family, taken) : family;
  const lines = createLineWriter({ openMetrics, base: family.name, name: identity.name, type: identity.type });
  return {
    head: headOf(family, identity, openMetrics),
    write: (series, labels) => {
      if (isHistogram(series)) return lines.histogram(series, labels);
      return isSummary(series) ? lines.summary(series, labels) : lines.point(series, labels);
    },
  };
}

function headOf({ help, unit }: Family, identity: { name: string; type: MetricType }, openMetrics: boolean): string {
  const name = isLegacyMetricName(identity.name) ? identity.name : quoted(identity.name);
  const type = openMetrics ? identity.type : (TEXT_TYPES[identity.type] ?? identity.type);
  const written = openMetrics ? escapeAll(help) : escapeHelp(help);
  const helpLine = help === "" ? "" : `# HELP ${name} ${written}\n`;
  const unitLine = openMetrics && unit !== "" && identity.name.endsWith(`_${unit}`) ? `# UNIT ${name} ${unit}\n` : "";
  return `${helpLine}# TYPE ${name} ${type}\n${unitLine}`;
}

type LineSettings = { openMetrics: boolean; base: string; name: string; type: MetricType };

type LineWriter = {
  point(point: Point, labels: string): string;
  histogram(histogram: Histogram, labels: string): string;
  summary(summary: Summary, labels: string): string;
};

function createLineWriter({ openMetrics, base, name, type }: LineSettings): LineWriter {
  const { open, legacy } = shapeOf(isLegacyMetricName(base));
  const exemplarShapes = createShapes();
  const bound = openMetrics ? canonical : formatValue;
  const timeOf = (timestamp: number | undefined): string => {
    if (timestamp === undefined) return "";
    return openMetrics ? ` ${timestamp}` : ` ${Math.round(timestamp * 1000)}`;
  };

  /** `prefix` is what open() gave for the name of the sample. */
  const line = (prefix: string, labels: string, rest: string): string => {
    if (!legacy) return `${prefix}${labels === "" ? "" : `,${labels}`}} ${rest}\n`;
    return labels === "" ? `${prefix} ${rest}\n` : `${prefix}{${labels}} ${rest}\n`;
  };
  const join = (labels: string, more: string): string => (labels === "" ? more : `${labels},${more}`);
  const createdLine = (labels: string, created: number | undefined): string =>
    openMetrics && created !== undefined && type !== "unknown"
      ? line(open(`${name}_created`), labels, String(created))
      : "";
  const exemplarOf = (exemplar: Exemplar | undefined): string =>
    openMetrics && exemplar !== undefined && type !== "unknown"
      ? formatExemplar(exemplar, writeLabels(exemplar.labels, exemplarShapes(exemplar.labels)))
      : "";

  const pointPrefix = open(base);
  const bucketPrefix = open(`${base}_bucket`);
  const isGauge = type === "gaugehistogram" && openMetrics;
  const sumPrefix = open(`${base}${isGauge ? "_gsum" : "_sum"}`);
  const countPrefix = open(`${base}${isGauge ? "_gcount" : "_count"}`);
  const hasCreated = type === "counter";

  return {
    point: ({ value, timestamp, created, exemplar }, text) => {
      const marked = hasCreated ? exemplarOf(exemplar) : "";
      const main = line(pointPrefix, text, `${formatValue(value)}${timeOf(timestamp)}${marked}`);
      return hasCreated && created !== undefined ? main + createdLine(text, created) : main;
    },
    histogram: ({ buckets, sum, count, timestamp, created }, text) => {
      const time = timeOf(timestamp);
      const last = buckets.at(-1);
      const all = last?.le === Infinity ? buckets : [...buckets, { le: Infinity, count }];
      const rows = all.map(({ le, count: upTo, exemplar }) =>
        line(bucketPrefix, join(text, `le="${bound(le)}"`), `${formatValue(upTo)}${time}${exemplarOf(exemplar)}`),
      );
      rows.push(line(sumPrefix, text, formatValue(sum) + time), line(countPrefix, text, formatValue(count) + time));
      return rows.join("") + (isGauge ? "" : createdLine(text, created));
    },
    summary: ({ quantiles, sum, count, timestamp, created }, text) => {
      const time = timeOf(timestamp);
      const rows = quantiles.map(({ quantile, value }) =>
        line(pointPrefix, join(text, `quantile="${bound(quantile)}"`), formatValue(value) + time),
      );
      rows.push(line(sumPrefix, text, formatValue(sum) + time), line(countPrefix, text, formatValue(count) + time));
      return rows.join("") + createdLine(text, created);
    },
  };
}

/** OpenMetrics 1.0: the names and values of an exemplar's labels have at most 128 characters. */
const MAX_EXEMPLAR = 128;

function formatExemplar({ labels, value, timestamp }: Exemplar, text: string): string {
  if (labels.reduce((sum, text) => sum + text.length, 0) > MAX_EXEMPLAR) return "";
  return ` # {${text}} ${formatValue(value)}${timestamp === undefined ? "" : ` ${timestamp}`}`;
}
