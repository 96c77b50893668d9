import { planMove } from "../placement/plan.ts";
// Watches how keys and requests are shared out: the metrics that show a skew.
import type { HotKeys } from "./hot-keys.ts";
import type { PoolSettings } from "./pool.ts";
import { namedOf } from "./topology.ts";
import type { Placeable, Topologies } from "./topology.ts";

const INTERVAL_MS = 10_000;

/** Gives what is to be called with each sweep. */
export function createLoadWatch<S extends Placeable>(
  { spec, metrics }: PoolSettings,
  topologies: Pick<Topologies<S>, "current">,
  hotKeys: HotKeys,
): () => void {
  const pool = spec.name;
  const imbalance = metrics.imbalance.cell({ pool });
  const hottest = metrics.hottestShare.cell({ pool });
  let known: unknown;
  let before = new Map<S, number>();
  let dueAt = performance.now() + INTERVAL_MS;
  imbalance.set(0);
  hottest.set(0);
  shareKeys();
  return () => {
    if (known !== topologies.current) shareKeys();
    if (performance.now() < dueAt) return;
    dueAt = performance.now() + INTERVAL_MS;
    imbalance.set(takeImbalance());
    hottest.set(hotKeys.top(1)[0]?.share ?? 0);
    hotKeys.age();
  };

  function shareKeys(): void {
    known = topologies.current;
    const { names, locate } = { ...namedOf(topologies.current), locate: topologies.current.locate };
    for (const { shard, after } of planMove({ names, locate }, { names, locate }).load)
      metrics.keyShare.cell({ pool, shard }).set(after);
  }

  /** The busiest shard's requests since the last time, over the average. */
  function takeImbalance(): number {
    const { shards } = topologies.current;
    const counts = new Map(shards.map((shard) => [shard, shard.served()]));
    const lately = shards.map((shard) => counts.get(shard)! - (before.get(shard) ?? 0));
    before = counts;
    const sum = lately.reduce((total, count) => total + count, 0);
    return sum === 0 ? 0 : (Math.max(...lately) * shards.length) / sum;
  }
}
