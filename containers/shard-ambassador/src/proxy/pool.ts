// A pool of Redis or memcached: clients on one side, shards on the other, and the placement between them.
import { formatAddress } from "@outrigger/options";
import type { Address } from "@outrigger/options";
import type { Logger } from "@outrigger/runtime";

import { createDispatch as createMemcachedDispatch } from "../memcached/dispatch.ts";
import { RequestParser as MemcachedRequestParser } from "../memcached/request-parser.ts";
import type { Metrics } from "../metrics.ts";
import type { Plan } from "../placement/plan.ts";
import type { PoolSpec, PoolValues } from "../pools.ts";
import { createDispatch } from "../redis/dispatch.ts";
import { RequestParser } from "../redis/request-parser.ts";
import { listenOf, onFailureOf, replicasOf, timeoutOf } from "../shards.ts";
import type { PlacementValues } from "../shards.ts";
import { createClients } from "./clients.ts";
import type { Clients } from "./clients.ts";
import type { DispatchSettings } from "./dispatching.ts";
import type { HotKey } from "./hot-keys.ts";
import type { Machinery } from "./machinery.ts";
import { factsOf, placeShards, refusalCells } from "./placed-shards.ts";
import type { ShardFacts } from "./placed-shards.ts";
import { withReplicas } from "./replicas.ts";
import { createShard } from "./shard.ts";
import type { Shard, ShardStatus } from "./shard.ts";
import type { PoolStatistics } from "./statistics.ts";
import { WIRES } from "./wire.ts";
import type { Wire } from "./wire.ts";

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
  /** The keys that are asked for most, as many as may be told. */
  hottest(): readonly (HotKey & Route)[];
  /** What taking over the shards and the placement of other values would mean. */
  plan(values: PlacementValues): Plan;
  /** Takes them over. */
  update(values: PlacementValues): void;
  /** Undefined where nothing is counted beside the metrics. */
  statistics?(): PoolStatistics;
  /** Accepts no more, and resolves when every client has got its replies. */
  drain(): Promise<void>;
  close(): void;
};

const MAX_ARGUMENTS = 1024 * 1024;

export function createPool(settings: PoolSettings): Pool {
  const { spec, machinery, metrics, version } = settings;
  const { values } = spec;
  const { topologies, hotKeys, close, ...placed } = placeShards(settings, (facts) => openShard(settings, facts));
  const refused = refusalCells(metrics);
  const ownConnections = metrics.ownConnections.cell({ pool: spec.name });
  ownConnections.set(0);
  let fragments = 0;
  const clients = openClients(settings, {
    topologies,
    hotKeys,
    local: { explain: placed.route, version, password: values.password, database: values.database },
    bounds: { maxOwnConnections: values.maxOwnConnections, maxTransaction: values.maxRequest },
    onOwnConnections: (open) => ownConnections.set(open),
    onSweep: machinery.onSweep,
    onRefused: (reason) => refused[reason].add(1),
    onSplit: (parts) => (fragments += parts),
  });
  return {
    ...placed,
    listen: () => clients.listen(listenOf(values)),
    statistics: () => {
      const { shards } = topologies.current;
      const byName = shards.map((shard) => [shard.status().name, shard.statistics()] as const);
      return { ...clients.statistics(), fragments, shards: Object.fromEntries(byName) };
    },
    drain: clients.drain,
    close: () => {
      clients.destroy();
      close();
    },
  };
}

function openClients({ spec, machinery, metrics, log }: PoolSettings, dispatching: DispatchSettings): Clients {
  const { protocol, maxRequest: maxBytes, clientTimeout: timeout } = spec.values;
  const connection = { ...machinery, wire: wireOf(spec.values), timeout };
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

function openShard(settings: PoolSettings, facts: ShardFacts): Shard {
  const { values } = settings.spec;
  const primary = openServer(settings, facts);
  const replicas = replicasOf(values, facts.name).map((address) => {
    const replica = { ...facts, name: `${facts.name}@${formatAddress(address)}`, address };
    return openServer(
      settings,
      factsOf(settings, replica, () => undefined),
    );
  });
  return withReplicas(primary, replicas, {
    prefersReplicas: values.readPolicy === "replica",
    fallsBack: onFailureOf(values) === "replica",
  });
}

function openServer({ spec, machinery }: PoolSettings, facts: ShardFacts): Shard {
  const { values } = spec;
  return createShard({
    ...machinery,
    ...facts,
    wire: wireOf(values),
    greetings: greetingsOf(values),
    connections: values.connections,
    connectTimeout: values.connectTimeout,
    timeout: timeoutOf(values),
    maxBackoff: values.probeInterval,
    maxReply: values.memoryLimit,
  });
}

const wireOf = ({ protocol }: PoolValues): Wire => WIRES[protocol === "memcached" ? "memcached" : "redis"];

/** What each connection begins with, by the version of the protocol. */
function greetingsOf(values: PoolValues): Record<2 | 3, Buffer[]> {
  const { shardPassword, database } = values;
  const { greeting } = wireOf(values);
  const given = { password: shardPassword?.reveal(), database };
  return { 2: greeting(2, given), 3: greeting(3, given) };
}
