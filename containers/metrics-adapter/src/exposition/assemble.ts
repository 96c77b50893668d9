// Makes families of single samples: a histogram's buckets, sum and count are one series again.
import { defined } from "../defined.ts";
import type { Bucket, Exemplar, Labels, MetricType, Series } from "./model.ts";
import { keyOf } from "./page.ts";
import type { Metadata, Sample } from "./parse.ts";

export type Assembled = {
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  readonly unit: string;
  readonly series: readonly Series[];
};

/** A sample with the family that it belongs to, by the page's own metadata. */
export type Belonging = Sample & { readonly metadata: Metadata; readonly suffix: string };

const NONE: Metadata = { type: "unknown", help: "", unit: "" };
/** Suffixes that samples have beside their family's name, by type. A counter's own belongs to its name here. */
const SUFFIXES: Readonly<Partial<Record<MetricType, readonly string[]>>> = {
  histogram: ["_bucket", "_sum", "_count", "_created"],
  gaugehistogram: ["_bucket", "_gsum", "_gcount", "_sum", "_count"],
  summary: ["_sum", "_count", "_created"],
  counter: ["_created"],
};

/** Finds the family of a sample, and what its name has more than that. */
export function belongingOf(sample: Sample, metadata: ReadonlyMap<string, Metadata>): Belonging {
  const own = metadata.get(sample.name);
  if (own !== undefined) return { ...sample, metadata: own, suffix: "" };
  for (const suffix of ALL_SUFFIXES) {
    if (!sample.name.endsWith(suffix)) continue;
    const base = sample.name.slice(0, -suffix.length);
    const family = metadata.get(base) ?? (suffix === "_created" ? metadata.get(`${base}_total`) : undefined);
    if (family === undefined) continue;
    if (NAME_SUFFIX[family.type] === suffix) return { ...sample, metadata: family, suffix: "" };
    if (SUFFIXES[family.type]?.includes(suffix) === true) return { ...sample, metadata: family, suffix };
  }
  return { ...sample, metadata: NONE, suffix: "" };
}

/** The suffix that OpenMetrics takes from the family's name, and our names keep. */
const NAME_SUFFIX: Readonly<Partial<Record<MetricType, string>>> = { counter: "_total", info: "_info" };
const ALL_SUFFIXES = ["_total", "_info", "_bucket", "_sum", "_count", "_gsum", "_gcount", "_created"];

type Gathered = {
  readonly labels: Labels;
  readonly buckets: Bucket[];
  readonly quantiles: { quantile: number; value: number }[];
  value?: number;
  sum?: number;
  count?: number;
  timestamp?: number;
  created?: number;
  exemplar?: Exemplar;
};

type Gathering = { readonly name: string; readonly metadata: Metadata; readonly series: Map<string, Gathered[]> };

const without = (labels: Labels, name: string): Labels => labels.filter((_, at) => labels[at - (at % 2)] !== name);
const labelOf = (labels: Labels, name: string): string | undefined => {
  const at = labels.findIndex((text, at) => at % 2 === 0 && text === name);
  return at < 0 ? undefined : labels[at + 1];
};

/** Puts samples together. What is left over of a distribution that lost its parts is given as it is, as numbers. */
export function assemble(samples: readonly Belonging[]): Assembled[] {
  const families = new Map<string, Gathering>();
  for (const sample of samples) {
    const isCreated = sample.suffix === "_created" && sample.metadata.type === "counter";
    const base = sample.name.slice(0, sample.name.length - sample.suffix.length);
    const name = isCreated ? `${base}_total` : base;
    const family = families.get(name) ?? { name, metadata: sample.metadata, series: new Map<string, Gathered[]>() };
    families.set(name, family);
    gather(family, sample);
  }
  return [...families.values()].map(({ name, metadata, series }) => ({
    name,
    ...metadata,
    series: [...series.values()].flatMap((all) => all.flatMap((each) => finish(metadata.type, each))),
  }));
}

/** The label that a part of a distribution has more than its series. */
const PART: Readonly<Partial<Record<MetricType, string>>> = {
  histogram: "le",
  gaugehistogram: "le",
  summary: "quantile",
};

function gather({ metadata: { type }, series }: Gathering, sample: Belonging): void {
  const part = PART[type];
  const labels = part === undefined ? sample.labels : without(sample.labels, part);
  const key = keyOf(labels);
  const known = series.get(key) ?? [];
  series.set(key, known);
  // A number that is there twice is given twice: the page then leaves the second out, and says so.
  const isNew = known.length === 0 || (part === undefined && sample.suffix === "" && known.at(-1)!.value !== undefined);
  if (isNew) known.push({ labels, buckets: [], quantiles: [] });
  put(known.at(-1)!, sample, part);
}

function put(into: Gathered, sample: Belonging, part: string | undefined): void {
  const { suffix, value, timestamp, exemplar } = sample;
  if (timestamp !== undefined) into.timestamp = timestamp;
  const field = FIELDS[suffix];
  if (field !== undefined) into[field] = value;
  else if (part !== undefined) putPart(into, sample, part);
  else {
    into.value = value;
    if (exemplar !== undefined) into.exemplar = exemplar;
  }
}

const FIELDS: Readonly<Record<string, "created" | "sum" | "count">> = {
  _created: "created",
  _sum: "sum",
  _gsum: "sum",
  _count: "count",
  _gcount: "count",
};

function putPart(into: Gathered, { labels, value, exemplar }: Belonging, part: string): void {
  const text = labelOf(labels, part) ?? "";
  const bound = /^\+?inf$/i.test(text) ? Infinity : Number(text === "" ? NaN : text);
  if (part === "quantile") into.quantiles.push({ quantile: bound, value });
  else into.buckets.push({ le: bound, count: value, ...defined({ exemplar }) });
}

function finish(type: MetricType, gathered: Gathered): Series[] {
  const { labels, buckets, quantiles, value, sum = NaN, timestamp, created, exemplar } = gathered;
  const times = defined({ timestamp, created });
  if (type === "histogram" || type === "gaugehistogram") {
    const sorted = buckets.sort((a, b) => a.le - b.le);
    const count = gathered.count ?? sorted.at(-1)?.count ?? 0;
    return [{ labels, buckets: sorted, sum, count, ...times }];
  }
  if (type === "summary") {
    const sorted = quantiles.sort((a, b) => a.quantile - b.quantile);
    return [{ labels, quantiles: sorted, sum, count: gathered.count ?? 0, ...times }];
  }
  return value === undefined ? [] : [{ labels, value, ...times, ...defined({ exemplar }) }];
}
