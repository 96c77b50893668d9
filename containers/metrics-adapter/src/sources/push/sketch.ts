// A sketch of many values, whose quantiles are right to half a per cent: values are counted in buckets whose bounds grow by
// one per cent (DDSketch, Masson et al. 2019).

export type Sketch = {
  add(value: number, times: number): void;
  /** The value below which this part of all lies; NaN where there is none. */
  quantile(part: number): number;
  merge(other: Sketch): void;
  clear(): void;
  /** Counts by bucket: what is above zero by its logarithm, and below zero the same way. */
  readonly buckets: { readonly positive: Map<number, number>; readonly negative: Map<number, number>; zero: number };
};

const GAMMA = 1.01;
const LOG_GAMMA = Math.log(GAMMA);
/** What is smaller counts as zero, what is larger as this: so there are at most some 5 000 buckets. */
const [SMALLEST, LARGEST] = [1e-9, 1e12];

const indexOf = (value: number): number => Math.ceil(Math.log(Math.min(value, LARGEST)) / LOG_GAMMA);
/** The middle of a bucket. */
const valueOf = (index: number): number => (2 * GAMMA ** index) / (GAMMA + 1);

const increase = (counts: Map<number, number>, index: number, times: number): void =>
  void counts.set(index, (counts.get(index) ?? 0) + times);

export function createSketch(): Sketch {
  const buckets: Sketch["buckets"] = { positive: new Map(), negative: new Map(), zero: 0 };
  const { positive, negative } = buckets;
  return {
    buckets,
    add: (value, times) => {
      if (value > SMALLEST) increase(positive, indexOf(value), times);
      else if (value < -SMALLEST) increase(negative, indexOf(-value), times);
      else buckets.zero += times;
    },
    merge: (other) => {
      for (const [index, times] of other.buckets.positive) increase(positive, index, times);
      for (const [index, times] of other.buckets.negative) increase(negative, index, times);
      buckets.zero += other.buckets.zero;
    },
    quantile: (part) => {
      const below = [...negative].sort(([a], [b]) => b - a).map(([index, times]) => [-valueOf(index), times] as const);
      const above = [...positive].sort(([a], [b]) => a - b).map(([index, times]) => [valueOf(index), times] as const);
      const all = [...below, [0, buckets.zero] as const, ...above].filter(([, times]) => times > 0);
      const total = all.reduce((sum, [, times]) => sum + times, 0);
      let rank = part * (total - 1);
      for (const [value, times] of all) {
        if (rank < times) return value;
        rank -= times;
      }
      return all.at(-1)?.[0] ?? NaN;
    },
    clear: () => {
      positive.clear();
      negative.clear();
      buckets.zero = 0;
    },
  };
}
