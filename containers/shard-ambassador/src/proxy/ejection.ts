// Which of the shards that fail lose their keys to the others.

export type EjectionPolicy = {
  /** Failures in a row. */
  readonly failureLimit: number;
  /** The share of the shards that may be ejected at a time, from 0 to 1. */
  readonly maxShare: number;
};

/** Those that have failed often enough, as many as the policy allows; those that are ejected already come first. */
export function ejectedOf<Shard extends { failures(): number }>(
  shards: readonly Shard[],
  before: ReadonlySet<Shard>,
  { failureLimit, maxShare }: EjectionPolicy,
): Set<Shard> {
  const failed = shards.filter((shard) => shard.failures() >= failureLimit);
  const inOrder = [...failed.filter((shard) => before.has(shard)), ...failed.filter((shard) => !before.has(shard))];
  const allowed = Math.min(Math.floor(shards.length * maxShare), shards.length - 1);
  return new Set(inOrder.slice(0, allowed));
}
