// Histograms and summaries of values that are pushed.
import type { Histogram, NativeHistogram, Summary } from "../../exposition/model.ts";
import type { MappingFile, MappingRule } from "./mapping-file.ts";
import { millisecondsOf } from "./mapping-file.ts";
import { createNativeBuckets } from "./native-buckets.ts";
import { createSketch } from "./sketch.ts";

export type DistributionSettings =
  | { readonly type: "histogram"; readonly buckets: readonly number[]; readonly native: NativeSettings | undefined }
  | {
      readonly type: "summary";
      readonly quantiles: readonly number[];
      readonly maxAgeMs: number;
      readonly ageBuckets: number;
    };
export type NativeSettings = { readonly factor: number; readonly maxBuckets: number };

/** What is observed, without labels. */
export type Distribution = {
  /** Counts a value so many times. */
  observe(value: number, times: number): void;
  read(): Omit<Histogram, "labels"> | Omit<Summary, "labels">;
};

const DEFAULT_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const DEFAULT_QUANTILES = [0.5, 0.9, 0.99];

type Options = Pick<MappingRule, "observer_type" | "timer_type" | "histogram_options" | "summary_options">;

/** What a rule says of distributions, or else the file's defaults. */
export function distributionSettingsOf(
  rule: Partial<Options>,
  defaults: MappingFile["defaults"],
): DistributionSettings {
  const type = rule.observer_type ?? rule.timer_type ?? defaults.observer_type ?? defaults.timer_type ?? "summary";
  return type === "histogram"
    ? histogramSettingsOf(rule.histogram_options ?? defaults.histogram_options ?? {})
    : summarySettingsOf(rule.summary_options ?? defaults.summary_options ?? {});
}

function histogramSettingsOf(options: NonNullable<Options["histogram_options"]>): DistributionSettings {
  const { native_histogram_bucket_factor: factor, native_histogram_max_buckets: maxBuckets = 256 } = options;
  const native = factor === undefined ? undefined : { factor, maxBuckets };
  return { type: "histogram", buckets: options.buckets ?? (native === undefined ? DEFAULT_BUCKETS : []), native };
}

function summarySettingsOf(options: NonNullable<Options["summary_options"]>): DistributionSettings {
  const { quantiles, max_age: maxAge = "10m", age_buckets: ageBuckets = 5 } = options;
  const wanted = quantiles?.map(({ quantile }) => quantile) ?? DEFAULT_QUANTILES;
  const ascending = wanted.toSorted((a, b) => a - b);
  return { type: "summary", quantiles: ascending, maxAgeMs: millisecondsOf(maxAge), ageBuckets };
}

export const createDistribution = (settings: DistributionSettings, now: () => number): Distribution =>
  settings.type === "histogram" ? createHistogram(settings) : createSummary(settings, now);

function createHistogram({
  buckets: bounds,
  native,
}: Extract<DistributionSettings, { type: "histogram" }>): Distribution {
  const counts = new Float64Array(bounds.length);
  const sparse = native === undefined ? undefined : createNativeBuckets(native);
  let sum = 0;
  let count = 0;
  return {
    observe: (value, times) => {
      sum += value * times;
      count += times;
      const at = bounds.findIndex((bound) => value <= bound);
      if (at >= 0) counts[at]! += times;
      sparse?.observe(value, times);
    },
    read: () => {
      let upTo = 0;
      const buckets = bounds.map((le, at) => ({ le, count: (upTo += counts[at]!) }));
      const read: NativeHistogram | undefined = sparse?.read();
      return { buckets, sum, count, ...(read === undefined ? {} : { native: read }) };
    },
  };
}

/** Quantiles are those of the last `maxAgeMs`: a ring of sketches, the oldest of which is emptied as time goes on. */
function createSummary(
  { quantiles, maxAgeMs, ageBuckets }: Extract<DistributionSettings, { type: "summary" }>,
  now: () => number,
): Distribution {
  const ring = Array.from({ length: ageBuckets }, createSketch);
  const width = Math.max(1, maxAgeMs / ageBuckets);
  let turn = Math.floor(now() / width);
  let sum = 0;
  let count = 0;
  const age = (): void => {
    const current = Math.floor(now() / width);
    for (let step = Math.max(turn + 1, current - ageBuckets + 1); step <= current; step++)
      ring[step % ageBuckets]!.clear();
    turn = Math.max(turn, current);
  };
  return {
    observe: (value, times) => {
      age();
      sum += value * times;
      count += times;
      ring[turn % ageBuckets]!.add(value, times);
    },
    read: () => {
      age();
      const all = createSketch();
      for (const sketch of ring) all.merge(sketch);
      return { quantiles: quantiles.map((quantile) => ({ quantile, value: all.quantile(quantile) })), sum, count };
    },
  };
}
