// Where the numbers are. Closed metrics live in one Float64Array, which may be shared memory: each thread writes its own
// array, a scrape adds them up, and the hot path only adds to a number. Metrics with open labels live in a map.
import type { Labels, Metric, MetricTable } from "./metric-table.ts";
import { isClosed, seriesOf } from "./metric-table.ts";

/** One number of one series; histograms have `observe` instead. */
export type Cell = { add(amount: number): void; set(value: number): void };
export type HistogramCell = { observe(value: number): void };

type LabelValues<L extends Labels> = { readonly [K in keyof L]: L[K] extends readonly (infer V)[] ? V : string };

/** What a container does with one metric of its table. */
export type MetricHandle<L extends Labels> = {
  /** The cell of one series: take it once, keep it for the hot path. */
  cell(labels: LabelValues<L>): Cell;
  /** The cell of one series of a histogram. */
  histogram(labels: LabelValues<L>): HistogramCell;
  /** Adds one. */
  inc(labels: LabelValues<L>): void;
  /** Forgets all series of a metric with open labels. */
  clear(): void;
};
export type MetricsOf<T extends MetricTable> = {
  readonly [K in keyof T]: T[K] extends Metric<infer L> ? MetricHandle<L> : never;
};

/** A value of one series, named as the exposition wants it. */
export type Sample = {
  readonly metricName: string;
  readonly labels: Record<string, string | number>;
  readonly value: number;
};

/** The place of each closed series in the array; equal for equal tables, so that threads agree on it. */
type Layout = { readonly start: ReadonlyMap<Metric, number>; readonly length: number };

const widthOf = (metric: Metric): number => (metric.type === "histogram" ? metric.buckets.length + 2 : 1);

function layoutOf(table: MetricTable): Layout {
  const start = new Map<Metric, number>();
  let length = 0;
  for (const metric of Object.values(table)) {
    if (!isClosed(metric)) continue;
    start.set(metric, length);
    length += seriesOf(metric).length * widthOf(metric);
  }
  return { start, length };
}

/** Open labels are bounded too: what comes after so many series is not recorded. */
const MAX_OPEN_SERIES = 1000;

export type MetricStore<T extends MetricTable> = {
  readonly metrics: MetricsOf<T>;
  /** Shared memory that another thread's store can be made on. */
  readonly buffer: SharedArrayBuffer;
  /** Adds another thread's numbers to every later sample. */
  join(buffer: SharedArrayBuffer): void;
  samplesOf(metric: Metric): Sample[];
};

/** Makes the store of a table: empty, or over the memory of another thread's store of the same table. */
export function createMetricStore<T extends MetricTable>(table: T, shared?: SharedArrayBuffer): MetricStore<T> {
  const layout = layoutOf(table);
  const buffer = shared ?? new SharedArrayBuffer(Math.max(layout.length, 1) * Float64Array.BYTES_PER_ELEMENT);
  const numbers = new Float64Array(buffer);
  const arrays = [numbers];
  const open = new Map<Metric, OpenSeries>();
  const openBuckets = new Map<Metric, OpenBuckets>();
  const handles: Record<string, MetricHandle<Labels>> = {};
  for (const [key, metric] of Object.entries(table)) {
    const start = layout.start.get(metric);
    if (start !== undefined) handles[key] = closedHandle(metric, numbers, start);
    else if (metric.type === "histogram") {
      const series: OpenBuckets = new Map();
      openBuckets.set(metric, series);
      handles[key] = openHistogram(metric, series);
    } else {
      const series = openSeries();
      open.set(metric, series);
      handles[key] = openHandle(metric, series);
    }
  }
  const sum = (index: number): number => arrays.reduce((total, array) => total + array[index]!, 0);
  return {
    metrics: handles as MetricsOf<T>,
    buffer,
    join: (other) => void arrays.push(new Float64Array(other)),
    samplesOf: (metric) => {
      const start = layout.start.get(metric);
      if (start !== undefined) return closedSamples(metric, start, sum);
      const buckets = openBuckets.get(metric);
      if (buckets !== undefined)
        return [...buckets.values()].flatMap(({ labels, numbers: own }) =>
          bucketSamples(metric, labels, (at) => own[at]!),
        );
      return [...open.get(metric)!.values()].map(({ labels, value }) => ({ metricName: metric.name, labels, value }));
    },
  };
}

/** Names a series by the values of its labels, in table order; throws when the labels are not those of the table. */
function keyOf(metric: Metric, labels: Record<string, string>): string {
  const names = Object.keys(metric.labels);
  const same = Object.keys(labels).length === names.length && names.every((name) => Object.hasOwn(labels, name));
  if (!same) throw unknownLabels(metric, labels);
  return names.map((name) => labels[name]).join("\0");
}

const unknownLabels = ({ name }: Metric, labels: Record<string, string>): Error =>
  new TypeError(`${name}: expected labels of its table, got ${JSON.stringify(labels)}`);

const otherUse = ({ name, type }: Metric): Error =>
  new TypeError(`${name}: expected ${type === "histogram" ? "observe()" : "add() or set()"}, as it is a ${type}`);

function closedHandle(metric: Metric, numbers: Float64Array, start: number): MetricHandle<Labels> {
  const places = new Map(seriesOf(metric).map((labels, at) => [keyOf(metric, labels), start + at * widthOf(metric)]));
  const placeOf = (labels: Record<string, string>, buckets: boolean): number => {
    // The place of a number is no place for buckets, nor the other way round.
    if (buckets !== (metric.type === "histogram")) throw otherUse(metric);
    const place = places.get(keyOf(metric, labels));
    if (place === undefined) throw unknownLabels(metric, labels);
    return place;
  };
  return {
    cell: (labels) => new NumberCell(numbers, placeOf(labels, false)),
    histogram: (labels) => new BucketCell(numbers, placeOf(labels, true), metric.buckets),
    inc: (labels) => {
      numbers[placeOf(labels, false)]! += 1;
    },
    clear: () => undefined,
  };
}

class NumberCell implements Cell {
  readonly #numbers: Float64Array;
  readonly #place: number;

  constructor(numbers: Float64Array, place: number) {
    this.#numbers = numbers;
    this.#place = place;
  }

  add(amount: number): void {
    this.#numbers[this.#place]! += amount;
  }

  set(value: number): void {
    this.#numbers[this.#place] = value;
  }
}

/** Buckets (each value counted once, cumulated when sampled), then +Inf, then the sum. */
class BucketCell implements HistogramCell {
  readonly #numbers: Float64Array;
  readonly #place: number;
  readonly #buckets: readonly number[];

  constructor(numbers: Float64Array, place: number, buckets: readonly number[]) {
    this.#numbers = numbers;
    this.#place = place;
    this.#buckets = buckets;
  }

  observe(value: number): void {
    let bucket = 0;
    while (bucket < this.#buckets.length && value > this.#buckets[bucket]!) bucket++;
    this.#numbers[this.#place + bucket]! += 1;
    this.#numbers[this.#place + this.#buckets.length + 1]! += value;
  }
}

function closedSamples(metric: Metric, start: number, sum: (index: number) => number): Sample[] {
  return seriesOf(metric).flatMap((labels, at) => {
    const place = start + at * widthOf(metric);
    if (metric.type !== "histogram") return [{ metricName: metric.name, labels, value: sum(place) }];
    return bucketSamples(metric, labels, (index) => sum(place + index));
  });
}

/** The samples of one histogram, whose numbers stand as BucketCell has them. */
function bucketSamples(metric: Metric, labels: Record<string, string>, numberAt: (index: number) => number): Sample[] {
  let cumulated = 0;
  const buckets = [...metric.buckets, "+Inf"].map((le, bucket) => {
    cumulated += numberAt(bucket);
    return { metricName: `${metric.name}_bucket`, labels: { ...labels, le }, value: cumulated };
  });
  const total = numberAt(metric.buckets.length + 1);
  return [
    ...buckets,
    { metricName: `${metric.name}_sum`, labels, value: total },
    { metricName: `${metric.name}_count`, labels, value: cumulated },
  ];
}

type OpenBuckets = Map<string, { labels: Record<string, string>; numbers: Float64Array }>;

function openHistogram(metric: Metric, series: OpenBuckets): MetricHandle<Labels> {
  const refuse = (): never => {
    throw otherUse(metric);
  };
  return {
    cell: refuse,
    inc: refuse,
    histogram: (labels) => {
      const key = keyOf(metric, labels);
      const known = series.get(key) ?? { labels, numbers: new Float64Array(widthOf(metric)) };
      if (series.size < MAX_OPEN_SERIES) series.set(key, known);
      return new BucketCell(known.numbers, 0, metric.buckets);
    },
    clear: () => series.clear(),
  };
}

type OpenSeries = Map<string, { labels: Record<string, string>; value: number }>;

const openSeries = (): OpenSeries => new Map();

function openHandle(metric: Metric, series: OpenSeries): MetricHandle<Labels> {
  const at = (labels: Record<string, string>): { value: number } => {
    const key = keyOf(metric, labels);
    const existing = series.get(key);
    if (existing !== undefined) return existing;
    const fresh = { labels, value: 0 };
    if (series.size < MAX_OPEN_SERIES) series.set(key, fresh);
    return fresh;
  };
  return {
    cell: (labels) => {
      const kept = at(labels);
      return { add: (amount) => void (kept.value += amount), set: (value) => void (kept.value = value) };
    },
    histogram: () => {
      throw otherUse(metric);
    },
    inc: (labels) => void (at(labels).value += 1),
    clear: () => series.clear(),
  };
}
