// A pool of Redis or memcached: clients on one side, shards on the other, and the placement between them.
import type { Address } from "@outrigger/options";
import type { Cell, Logger } from "@outrigger/runtime";

import { createDispatch as createMemcachedDispatch } from "../memcached/dispatch.ts";
import { RequestParser as MemcachedRequestParser } from "../memcached/request-parser.ts";
import type { Metrics } from "../metrics.ts";
import { createPlacement } from "../placement/placement.ts";
import { planMove } from "../placement/plan.ts";
import type { Plan } from "../placement/plan.ts";
import type { PoolSpec, PoolValues } from "../pools.ts";
import { createDispatch } from "../redis/dispatch.ts";
import { RequestParser } from "../redis/request-parser.ts";
import { listenOf, onFailureOf, placementSettingsOf, shardsOf } from "../shards.ts";
import type { PlacementValues } from "../shards.ts";
import { createClients } from "./clients.ts";
import type { Clients } from "./clients.ts";
import { REFUSALS } from "./dispatching.ts";
import type { DispatchSettings, Refusal } from "./dispatching.ts";
import type { EjectionPolicy } from "./ejection.ts";
import type { Machinery } from "./machinery.ts";
import { createShard, errorCells } from "./shard.ts";
import type { Shard, ShardStatus } from "./shard.ts";
import type { PoolStatistics } from "./statistics.ts";
import { createTopologies, namedOf } from "./topology.ts";
import type { ShardSpec, Topologies } from "./topology.ts";
import { WIRES } from "./wire.ts";

export type PoolSettings = {
  readonly spec: PoolSpec;
  readonly machinery: Machinery;
  readonly version: string;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Called when a shard becomes reachable, or unreachable. */
  onShards(): void;
};

export type Route = { readonly shard: string; readonly address: string };

/** With whether its keys go to others. */
export type EjectableStatus = ShardStatus & { readonly ejected: boolean };

export type Pool = {
  readonly name: string;
  /** Binds where its options say; resolves with the address as bound. */
  listen(): Promise<Address>;
  /** Which shard owns a key. */
  route(key: Uint8Array): Route;
  shards(): readonly EjectableStatus[];
  /** What taking over the shards and the placement of other values would mean. */
  plan(values: PlacementValues): Plan;
  /** Takes them over. */
  update(values: PlacementValues): void;
  statistics(): PoolStatistics;
  /** Accepts no more, and resolves when every client has got its replies. */
  drain(): Promise<void>;
  close(): void;
};

const MAX_ARGUMENTS = 1024 * 1024;

export function createPool(settings: PoolSettings): Pool {
  const { spec, machinery, metrics, version, onShards } = settings;
  const { values } = spec;
  const topologies = openTopologies(settings);
  const stopTending = machinery.onSweep(topologies.tend);
  const statuses = (): EjectableStatus[] => {
    const { shards, ejected } = topologies.current;
    return shards.map((shard) => ({ ...shard.status(), ejected: ejected.has(shard) }));
  };
  const route = (key: Uint8Array): Route => {
    const { shards, locate } = topologies.current;
    const { name, address } = shards[locate(key, 0, key.length)]!.status();
    return { shard: name, address };
  };
  const refused = refusalCells(metrics);
  let fragments = 0;
  const clients = openClients(settings, {
    topologies,
    local: { explain: route, version, password: values.password, database: values.database },
    onRefused: (reason) => refused[reason].add(1),
    onSplit: (parts) => (fragments += parts),
  });
  return {
    name: spec.name,
    listen: () => clients.listen(listenOf(values)),
    route,
    shards: statuses,
    plan: (next) => {
      const specs = shardsOf(next);
      const locate = createPlacement(specs, placementSettingsOf(next));
      return planMove(namedOf(topologies.current), { names: specs.map(({ name }) => name), locate });
    },
    update: (next) => {
      topologies.update(shardsOf(next), placementSettingsOf(next));
      onShards();
    },
    statistics: () => {
      const { shards } = topologies.current;
      const byName = shards.map((shard) => [shard.status().name, shard.statistics()] as const);
      return { ...clients.statistics(), fragments, shards: Object.fromEntries(byName) };
    },
    drain: clients.drain,
    close: () => {
      stopTending();
      clients.destroy();
      topologies.close();
    },
  };
}

function openClients({ spec, machinery, metrics, log }: PoolSettings, dispatching: DispatchSettings): Clients {
  const { protocol, maxRequest: maxBytes, clientTimeout: timeout } = spec.values;
  const connection = { ...machinery, wire: WIRES[protocol], timeout };
  const others = { listening: spec.values, metrics, log };
  if (protocol === "memcached") {
    const dispatch = createMemcachedDispatch(dispatching);
    const createParser = (): MemcachedRequestParser => new MemcachedRequestParser({ maxBytes });
    return createClients({ connection: { ...connection, createParser, dispatch }, ...others });
  }
  const dispatch = createDispatch(dispatching);
  const createParser = (): RequestParser => new RequestParser({ maxBytes, maxArguments: MAX_ARGUMENTS });
  return createClients({ connection: { ...connection, createParser, dispatch }, ...others });
}

function openTopologies(settings: PoolSettings): Topologies {
  const { name: pool, values } = settings.spec;
  const { log } = settings;
  const topologies: Topologies = createTopologies(shardsOf(values), placementSettingsOf(values), {
    policy: ejectionPolicyOf(values),
    open: (spec) => openShard(settings, spec, () => topologies.settle()),
    onEjected: (shard, isEjected) => {
      if (isEjected) log.warn({ pool, shard }, "shard is ejected: its keys go to others");
      else log.info({ pool, shard }, "shard is admitted again");
    },
  });
  return topologies;
}

function openShard(settings: PoolSettings, { name, address }: ShardSpec, settle: () => void): Shard {
  const { spec, machinery, metrics, log, onShards } = settings;
  const { name: pool, values } = spec;
  const wire = WIRES[values.protocol];
  const labels = { pool, shard: name };
  return createShard({
    ...machinery,
    name,
    address,
    wire,
    greetings: greetingsOf(values),
    connections: values.connections,
    connectTimeout: values.connectTimeout,
    timeout: values.timeout === 0 ? Number.POSITIVE_INFINITY : values.timeout,
    maxBackoff: values.probeInterval,
    maxReply: values.memoryLimit,
    counters: {
      requests: metrics.requests.cell(labels),
      errors: errorCells((reason) => metrics.shardErrors.cell({ ...labels, reason })),
      inFlight: metrics.inFlight.cell(labels),
      up: metrics.shardUp.cell(labels),
      duration: metrics.duration.histogram({}),
      ejected: metrics.ejected.cell(labels),
      ejections: metrics.ejections.cell(labels),
    },
    onState: (isUp, reason) => {
      if (isUp) log.info({ pool, shard: name }, "shard is up");
      else log.warn({ pool, shard: name, reason }, "shard is down");
      onShards();
    },
    onHealth: settle,
  });
}

/** What each connection begins with, by the version of the protocol. */
function greetingsOf({ protocol, shardPassword, database }: PoolValues): Record<2 | 3, Buffer[]> {
  const { greeting } = WIRES[protocol];
  const given = { password: shardPassword?.reveal(), database };
  return { 2: greeting(2, given), 3: greeting(3, given) };
}

const ejectionPolicyOf = (values: PoolValues, { failureLimit, maxEjected } = values): EjectionPolicy | undefined =>
  onFailureOf(values) === "fail" ? undefined : { failureLimit, maxShare: maxEjected / 100 };

const refusalCells = (metrics: Metrics): Record<Refusal, Cell> =>
  Object.fromEntries(REFUSALS.map((reason) => [reason, metrics.refused.cell({ reason })])) as Record<Refusal, Cell>;
