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
export async function reloadAll(context: Reloading, { pools, tls, live, discovered }: Live): Promise<ReloadOutcome> {
  const { values, problems } = await context.reread();
  if (problems.length > 0) return { outcome: "refused", reasons: problems };
  const found = discovered();
  const now = values as Values;
  const outcome = applyValues(context, pools, live, found === undefined ? now : { ...now, shards: [...found] });
  if (outcome.outcome === "refused" || tls?.reload() !== true) return outcome;
  context.log.info({}, "certificates for connections to shards changed");
  return { outcome: "applied" };
}

/** What reloading needs to know of the ambassador. */
export type Live = {
  readonly pools: readonly Pool[];
  readonly tls: ShardTls | undefined;
  readonly live: { values: Values };
  /** The shards that were found; undefined where the options name them. */
  discovered(): readonly string[] | undefined;
};

/** Takes over values that have been checked. */
export function applyValues(
  { log }: Pick<Reloading, "log">,
  pools: readonly Pool[],
  live: { values: Values },
  values: Values,
): ReloadOutcome {
  const before = poolsOf(live.values);
  const after = poolsOf(values);
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
  live.values = values;
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
