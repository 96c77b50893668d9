// What the samples of several rounds are reduced to: medians, spreads, percentiles and ratios.

const ascending = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b);

/** The middle value, or the mean of the two middle ones. Throws on an empty list. */
export function median(values: readonly number[]): number {
  const sorted = ascending(values);
  const upper = sorted[sorted.length >> 1];
  if (upper === undefined) throw new Error("median: expected at least one value, got none");
  return sorted.length % 2 === 1 ? upper : (sorted[(sorted.length >> 1) - 1]! + upper) / 2;
}

/** The smallest value that at least `share` (above 0, at most 1) of all values do not exceed (nearest rank). */
export function percentile(values: readonly number[], share: number): number {
  if (!(share > 0 && share <= 1)) throw new Error(`percentile: expected a share above 0 and at most 1, got ${share}`);
  const value = ascending(values)[Math.ceil(share * values.length) - 1];
  if (value === undefined) throw new Error("percentile: expected at least one value, got none");
  return value;
}

export type Spread = { readonly median: number; readonly min: number; readonly max: number };

export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/** How often `reference` goes into `values`: the spread of the ratios round by round, so that a slow minute hits both. */
export function ratiosByRound(values: readonly number[], reference: readonly number[]): Spread {
  if (values.length !== reference.length) {
    throw new Error(`ratios: expected as many rounds as the reference (${reference.length}), got ${values.length}`);
  }
  return spreadOf(values.map((value, round) => value / reference[round]!));
}
