// The sample model: what one scrape has found. Built anew for every scrape, so that what has vanished is not shown.

/** Names and values in turn: `["cmd", "get", "db", "0"]`. Flat, since a page may have hundreds of thousands. */
export type Labels = readonly string[];

export type MetricType =
  | "counter"
  | "gauge"
  | "histogram"
  | "gaugehistogram"
  | "summary"
  | "info"
  | "stateset"
  | "unknown";

/** Times are seconds since 1970. */
type Times = { readonly timestamp?: number; readonly created?: number };

export type Exemplar = { readonly labels: Labels; readonly value: number; readonly timestamp?: number };

/** One number: of a counter, a gauge, an info (1), a state of a stateset (0 or 1), or of unknown type. */
export type Point = Times & { readonly labels: Labels; readonly value: number; readonly exemplar?: Exemplar };

/** `count` is cumulative: all observations up to and including `le`. */
export type Bucket = { readonly le: number; readonly count: number; readonly exemplar?: Exemplar };

/** One side of a native histogram: runs of buckets, and the difference of each bucket's count to the one before it. */
export type NativeBuckets = {
  readonly spans: readonly { readonly offset: number; readonly length: number }[];
  readonly deltas: readonly number[];
};

/** The sparse form, which only protobuf can carry: the buckets' bounds are powers of 2^(2^-schema). */
export type NativeHistogram = {
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly positive: NativeBuckets;
  readonly negative: NativeBuckets;
};

/** Buckets ascend; +Inf may be left out, since it has `count`. */
export type Histogram = Times & {
  readonly labels: Labels;
  readonly buckets: readonly Bucket[];
  readonly sum: number;
  readonly count: number;
  readonly native?: NativeHistogram;
};

export type Summary = Times & {
  readonly labels: Labels;
  readonly quantiles: readonly { readonly quantile: number; readonly value: number }[];
  readonly sum: number;
  readonly count: number;
};

export type Series = Point | Histogram | Summary;

/**
 * All series of one name. The name is that of the text format 0.0.4: a counter's and an info's have their suffix, if any,
 * and a histogram's has none.
 */
export type Family = {
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  readonly unit: string;
  readonly series: readonly Series[];
  /** The labels of each series, written as the text formats have them. */
  readonly texts: readonly string[];
  /** Whether its name and its labels' names are all of the form that every reader knows, so that none is escaped. */
  readonly legacy: boolean;
};

export const isHistogram = (series: Series): series is Histogram => "buckets" in series;
export const isSummary = (series: Series): series is Summary => "quantiles" in series;
