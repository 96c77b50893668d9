// The proxy for Redis and memcached: clients on one side, shards on the other, and the placement between them.
import { createDeadlines } from "@outrigger/http";
import type { Address } from "@outrigger/options";
import type { Cell, Logger } from "@outrigger/runtime";

import { createDispatch as createMemcachedDispatch } from "../memcached/dispatch.ts";
import { RequestParser as MemcachedRequestParser } from "../memcached/request-parser.ts";
import type { Metrics } from "../metrics.ts";
import type { Values } from "../options.ts";
import { createPlacement } from "../placement/placement.ts";
import { planMove } from "../placement/plan.ts";
import type { Plan } from "../placement/plan.ts";
import { onFailureOf, placementSettingsOf, shardsOf } from "../shards.ts";
import type { PlacementValues } from "../shards.ts";
import { createBudget } from "./budget.ts";
import type { ClientSettings } from "./client-connection.ts";
import { createClients } from "./clients.ts";
import type { Clients } from "./clients.ts";
import { createDispatch, REFUSALS } from "./dispatch.ts";
import type { DispatchSettings, Refusal } from "./dispatch.ts";
import type { EjectionPolicy } from "./ejection.ts";
import { createReplyWriter } from "./reply-writer.ts";
import { RequestParser } from "./request-parser.ts";
import { createShard, errorCells } from "./shard.ts";
import type { Shard, ShardSettings, ShardStatus } from "./shard.ts";
import { createTopologies, namedOf } from "./topology.ts";
import type { ShardSpec, Topologies } from "./topology.ts";
import { createTurn } from "./turn.ts";
import { WIRES } from "./wire.ts";

export type RedisProxySettings = {
  readonly values: Values;
  readonly version: string;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Called on each sweep of the timeouts, for liveness. */
  beat(): void;
  /** Called when a shard becomes reachable, or unreachable. */
  onShards(statuses: readonly ShardStatus[]): void;
};

export type Route = { readonly shard: string; readonly address: string };

/** With whether its keys go to others. */
export type EjectableStatus = ShardStatus & { readonly ejected: boolean };

export type RedisProxy = {
  listen(address: Address): Promise<Address>;
  /** Which shard owns a key. */
  route(key: Uint8Array): Route;
  shards(): readonly EjectableStatus[];
  /** What taking over the shards and the placement of other values would mean. */
  plan(values: PlacementValues): Plan;
  /** Takes them over. */
  update(values: PlacementValues): void;
  /** Accepts no more, and resolves when every client has got its replies. */
  drain(): Promise<void>;
  close(): void;
};

const MAX_ARGUMENTS = 1024 * 1024;

export function createRedisProxy(settings: RedisProxySettings): RedisProxy {
  const { values, metrics, version } = settings;
  const turn = createTurn();
  const full = metrics.memoryFull.cell({});
  const memory = metrics.memory.cell({});
  const budget = createBudget(values.memoryLimit, () => full.add(1));
  const deadlines = createDeadlines(() => {
    settings.beat();
    memory.set(budget.used());
    topologies.tend();
  });
  const tell = (): void => settings.onShards(statuses());
  const topologies = openTopologies(settings, { turn, deadlines }, tell);
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
  const clients = openClients(
    settings,
    { turn, deadlines, budget },
    {
      topologies,
      local: { explain: route, version, password: values.password },
      onRefused: (reason) => refused[reason].add(1),
    },
  );
  return {
    listen: clients.listen,
    route,
    shards: statuses,
    plan: (next) => {
      const specs = shardsOf(next);
      const locate = createPlacement(specs, placementSettingsOf(next));
      return planMove(namedOf(topologies.current), { names: specs.map(({ name }) => name), locate });
    },
    update: (next) => {
      topologies.update(shardsOf(next), placementSettingsOf(next));
      tell();
    },
    drain: clients.drain,
    close: () => {
      clients.destroy();
      topologies.close();
      deadlines.stop();
    },
  };
}

function openClients(
  { values, metrics, log }: RedisProxySettings,
  shared: Pick<ClientSettings<RequestParser>, "turn" | "deadlines" | "budget">,
  dispatching: DispatchSettings,
): Clients {
  const { protocol, maxConnections, maxRequest: maxBytes, clientTimeout: timeout } = values;
  const connection = { ...shared, writer: createReplyWriter(), wire: WIRES[protocol], timeout };
  const others = { maxConnections, metrics, log };
  if (protocol === "memcached") {
    const dispatch = createMemcachedDispatch(dispatching);
    const createParser = (): MemcachedRequestParser => new MemcachedRequestParser({ maxBytes });
    return createClients({ connection: { ...connection, createParser, dispatch }, ...others });
  }
  const dispatch = createDispatch(dispatching);
  const createParser = (): RequestParser => new RequestParser({ maxBytes, maxArguments: MAX_ARGUMENTS });
  return createClients({ connection: { ...connection, createParser, dispatch }, ...others });
}

function openTopologies(
  settings: RedisProxySettings,
  shared: Pick<ShardSettings, "turn" | "deadlines">,
  tell: () => void,
): Topologies {
  const { values, log } = settings;
  const topologies: Topologies = createTopologies(shardsOf(values), placementSettingsOf(values), {
    policy: ejectionPolicyOf(values),
    open: (spec) => openShard(settings, shared, spec, { tell, settle: () => topologies.settle() }),
    onEjected: (name, isEjected) => {
      if (isEjected) log.warn({ shard: name }, "shard is ejected: its keys go to others");
      else log.info({ shard: name }, "shard is admitted again");
    },
  });
  return topologies;
}

function openShard(
  { values, metrics, log }: RedisProxySettings,
  shared: Pick<ShardSettings, "turn" | "deadlines">,
  { name, address }: ShardSpec,
  on: { tell(): void; settle(): void },
): Shard {
  return createShard({
    ...shared,
    name,
    address,
    wire: WIRES[values.protocol],
    password: values.shardPassword?.reveal(),
    connections: values.connections,
    connectTimeout: values.connectTimeout,
    timeout: values.timeout,
    maxBackoff: values.probeInterval,
    maxReply: values.memoryLimit,
    counters: {
      requests: metrics.requests.cell({ shard: name }),
      errors: errorCells((reason) => metrics.shardErrors.cell({ shard: name, reason })),
      inFlight: metrics.inFlight.cell({ shard: name }),
      up: metrics.shardUp.cell({ shard: name }),
      duration: metrics.duration.histogram({}),
      ejected: metrics.ejected.cell({ shard: name }),
      ejections: metrics.ejections.cell({ shard: name }),
    },
    onState: (isUp, reason) => {
      if (isUp) log.info({ shard: name }, "shard is up");
      else log.warn({ shard: name, reason }, "shard is down");
      on.tell();
    },
    onHealth: on.settle,
  });
}

const ejectionPolicyOf = (values: Values, { failureLimit, maxEjected } = values): EjectionPolicy | undefined =>
  onFailureOf(values) === "fail" ? undefined : { failureLimit, maxShare: maxEjected / 100 };

const refusalCells = (metrics: Metrics): Record<Refusal, Cell> =>
  Object.fromEntries(REFUSALS.map((reason) => [reason, metrics.refused.cell({ reason })])) as Record<Refusal, Cell>;
