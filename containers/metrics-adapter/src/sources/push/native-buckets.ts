// The sparse buckets of a native histogram: bounds are powers of 2^(2^-schema). When there are more than allowed, each two
// become one.
import type { NativeBuckets, NativeHistogram } from "../../exposition/model.ts";
import type { NativeSettings } from "./distribution.ts";

export type NativeBucketCounts = { observe(value: number, times: number): void; read(): NativeHistogram };

/** What is nearer to zero counts as zero: client libraries' own threshold, 2^-128. */
const ZERO_THRESHOLD = 2 ** -128;
const [FINEST, COARSEST] = [8, -4];

/** The coarsest schema whose buckets grow by no more than the factor. */
function schemaOf(factor: number): number {
  for (let schema = COARSEST; schema < FINEST; schema++) if (2 ** (2 ** -schema) <= factor) return schema;
  return FINEST;
}

export function createNativeBuckets({ factor, maxBuckets }: NativeSettings): NativeBucketCounts {
  let schema = schemaOf(factor);
  let zeroCount = 0;
  let positive = new Map<number, number>();
  let negative = new Map<number, number>();
  const indexOf = (value: number): number => Math.ceil(Math.log2(value) * 2 ** schema);
  const halve = (counts: Map<number, number>): Map<number, number> => {
    const halved = new Map<number, number>();
    for (const [index, count] of counts) {
      const coarse = Math.ceil(index / 2);
      halved.set(coarse, (halved.get(coarse) ?? 0) + count);
    }
    return halved;
  };
  return {
    observe: (value, times) => {
      if (!Number.isFinite(value)) return;
      if (Math.abs(value) <= ZERO_THRESHOLD) {
        zeroCount += times;
        return;
      }
      const side = value > 0 ? positive : negative;
      const index = indexOf(Math.abs(value));
      side.set(index, (side.get(index) ?? 0) + times);
      while (positive.size + negative.size > maxBuckets && schema > COARSEST) {
        schema--;
        [positive, negative] = [halve(positive), halve(negative)];
      }
    },
    read: () => ({
      schema,
      zeroThreshold: ZERO_THRESHOLD,
      zeroCount,
      positive: sideOf(positive),
      negative: sideOf(negative),
    }),
  };
}

/** Runs of buckets that follow one another, and the differences of their counts. */
function sideOf(counts: ReadonlyMap<number, number>): NativeBuckets {
  const spans: { offset: number; length: number }[] = [];
  const deltas: number[] = [];
  let [next, before] = [0, 0];
  for (const [index, count] of [...counts].sort(([a], [b]) => a - b)) {
    const last = spans.at(-1);
    if (last !== undefined && index === next) last.length++;
    else spans.push({ offset: index - next, length: 1 });
    deltas.push(count - before);
    [next, before] = [index + 1, count];
  }
  return { spans, deltas };
}
