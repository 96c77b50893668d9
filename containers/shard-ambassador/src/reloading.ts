// Takes over other shards and another placement while running; what cannot change is refused, not ignored.
import { isDeepStrictEqual } from "node:util";

import { Secret } from "@outrigger/options";
import type { Context, ReloadOutcome } from "@outrigger/runtime";

import type { metrics } from "./metrics.ts";
import type { options, Values } from "./options.ts";
import { poolsOf } from "./pools.ts";
import type { PoolSpec, PoolValues } from "./pools.ts";
import type { Pool } from "./proxy/pool.ts";
import type { ShardTls } from "./shard-tls.ts";
import { PLACEMENT_OPTIONS } from "./shards.ts";

type Reloading = Pick<Context<typeof options, typeof metrics>, "reread" | "log">;

const plain = (value: unknown): unknown => (value instanceof Secret ? value.reveal() : value);

/** Certificates are for connections that are opened from now on. */
export async function reloadAll(
  context: Reloading,
  { pools, tls, live }: { pools: readonly Pool[]; tls: ShardTls | undefined; live: { values: Values } },
): Promise<ReloadOutcome> {
  const outcome = await reloadPools(context, pools, live);
  if (outcome.outcome === "refused" || tls?.reload() !== true) return outcome;
  context.log.info({}, "certificates for connections to shards changed");
  return { outcome: "applied" };
}

async function reloadPools(
  { reread, log }: Reloading,
  pools: readonly Pool[],
  live: { values: Values },
): Promise<ReloadOutcome> {
  const { values, problems } = await reread();
  if (problems.length > 0) return { outcome: "refused", reasons: problems };
  const before = poolsOf(live.values);
  const after = poolsOf(values as Values);
  if (!isDeepStrictEqual(namesOf(before), namesOf(after))) {
    const [was, is] = [before, after].map((specs) => namesOf(specs).join(", "));
    return { outcome: "refused", reasons: [`pools: expected ${was} until a restart, got ${is}`] };
  }
  const changed = after.map((spec, i) => changedOptions(before[i]!.values, spec.values));
  const reasons = changed.flatMap((names, i) => reasonsOf(names, after.length > 1 ? `${after[i]!.name}: ` : ""));
  if (reasons.length > 0) return { outcome: "refused", reasons };
  if (changed.every((names) => names.length === 0)) return { outcome: "unchanged" };
  for (const [i, pool] of pools.entries()) {
    if (changed[i]!.length === 0) continue;
    const { moved, moves } = pool.plan(after[i]!.values);
    pool.update(after[i]!.values);
    log.info({ pool: pool.name, moved, moves }, "shards changed");
  }
  live.values = values as Values;
  return { outcome: "applied" };
}

const namesOf = (specs: readonly PoolSpec[]): string[] => specs.map(({ name }) => name);

/** Options of a pool that differ; `pools` is what they come from. */
function changedOptions(before: PoolValues, after: PoolValues): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])] as (keyof PoolValues)[];
  return names.filter((name) => name !== "pools" && !isDeepStrictEqual(plain(before[name]), plain(after[name])));
}

const reasonsOf = (changed: readonly string[], pool: string): string[] =>
  changed
    .filter((option) => !PLACEMENT_OPTIONS.some((placement) => placement === option))
    .map((option) => `${pool}${option}: expected to stay as it was until a restart, got another value`);
