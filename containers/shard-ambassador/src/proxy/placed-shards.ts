// The shards of a pool and the placement among them, whatever they speak: what is known of them, and how they change.
import type { Cell } from "@outrigger/runtime";

import type { Metrics } from "../metrics.ts";
import { createPlacement } from "../placement/placement.ts";
import { planMove } from "../placement/plan.ts";
import type { PoolValues } from "../pools.ts";
import { onFailureOf, placementSettingsOf, shardsOf } from "../shards.ts";
import { REFUSALS } from "./dispatching.ts";
import type { Refusal } from "./dispatching.ts";
import type { EjectionPolicy } from "./ejection.ts";
import { createHotKeys } from "./hot-keys.ts";
import type { HotKeys } from "./hot-keys.ts";
import { createLoadWatch } from "./load-watch.ts";
import type { Pool, PoolSettings } from "./pool.ts";
import type { ShardCounters } from "./shard-counts.ts";
import { errorCells } from "./shard-counts.ts";
import { createTopologies, namedOf } from "./topology.ts";
import type { Placeable, ShardSpec, Topologies } from "./topology.ts";

/** What a shard of any protocol is made with. */
export type ShardFacts = ShardSpec & {
  readonly counters: ShardCounters;
  onState(isUp: boolean, reason: string): void;
  onHealth(): void;
};

export type PlacedShards<S extends Placeable> = Pick<
  Pool,
  "name" | "route" | "shards" | "hottest" | "plan" | "update"
> & {
  readonly hotKeys: HotKeys;
  readonly topologies: Topologies<S>;
  close(): void;
};

export function placeShards<S extends Placeable>(
  settings: PoolSettings,
  open: (facts: ShardFacts) => S,
): PlacedShards<S> {
  const { spec, machinery, log, onShards } = settings;
  const { name: pool, values } = spec;
  const topologies: Topologies<S> = createTopologies(shardsOf(values), placementSettingsOf(values), {
    policy: ejectionPolicyOf(values),
    open: (one) => open(factsOf(settings, one, () => topologies.settle())),
    onEjected: (shard, isEjected) => {
      if (isEjected) log.warn({ pool, shard }, "shard is ejected: its keys go to others");
      else log.info({ pool, shard }, "shard is admitted again");
    },
  });
  const hotKeys = createHotKeys();
  const watchLoad = createLoadWatch(settings, topologies, hotKeys);
  const stopTending = machinery.onSweep(() => {
    topologies.tend();
    watchLoad();
  });
  const route: Pool["route"] = (key) => {
    const { shards, locate } = topologies.current;
    const { name, address } = shards[locate(key, 0, key.length)]!.status();
    return { shard: name, address };
  };
  return {
    name: pool,
    topologies,
    hotKeys,
    route,
    hottest: () => hotKeys.top(values.hotKeys).map((hot) => ({ ...hot, ...route(Buffer.from(hot.key)) })),
    shards: () => {
      const { shards, ejected } = topologies.current;
      return shards.map((shard) => ({ ...shard.status(), ejected: ejected.has(shard) }));
    },
    plan: (next) => {
      const specs = shardsOf(next);
      const locate = createPlacement(specs, placementSettingsOf(next));
      return planMove(namedOf(topologies.current), { names: specs.map(({ name }) => name), locate });
    },
    update: (next) => {
      topologies.update(shardsOf(next), placementSettingsOf(next));
      onShards();
    },
    close: () => {
      stopTending();
      topologies.close();
    },
  };
}

export function factsOf(
  { spec, metrics, log, onShards }: PoolSettings,
  shard: ShardSpec,
  settle: () => void,
): ShardFacts {
  const labels = { pool: spec.name, shard: shard.name };
  return {
    ...shard,
    counters: {
      requests: metrics.requests.cell(labels),
      errors: errorCells((reason) => metrics.shardErrors.cell({ ...labels, reason })),
      inFlight: metrics.inFlight.cell(labels),
      up: metrics.shardUp.cell(labels),
      duration: metrics.duration.histogram(labels),
      ejected: metrics.ejected.cell(labels),
      ejections: metrics.ejections.cell(labels),
    },
    onState: (isUp, reason) => {
      if (isUp) log.info(labels, "shard is up");
      else log.warn({ ...labels, reason }, "shard is down");
      onShards();
    },
    onHealth: settle,
  };
}

const ejectionPolicyOf = (values: PoolValues, { failureLimit, maxEjected } = values): EjectionPolicy | undefined =>
  onFailureOf(values) === "fail" ? undefined : { failureLimit, maxShare: maxEjected / 100 };

export const refusalCells = (metrics: Metrics): Record<Refusal, Cell> =>
  Object.fromEntries(REFUSALS.map((reason) => [reason, metrics.refused.cell({ reason })])) as Record<Refusal, Cell>;
