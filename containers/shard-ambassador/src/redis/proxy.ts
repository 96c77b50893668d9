// The Redis proxy: clients on one side, shards on the other, and the placement between them.
import { createDeadlines } from "@outrigger/http";
import type { Address } from "@outrigger/options";
import type { Cell, Logger } from "@outrigger/runtime";

import type { Metrics } from "../metrics.ts";
import type { Values } from "../options.ts";
import { createPlacement } from "../placement/placement.ts";
import type { ShardSpec } from "../shards.ts";
import { placementSettingsOf } from "../shards.ts";
import { createBudget } from "./budget.ts";
import { createClients } from "./clients.ts";
import { createDispatch, REFUSALS } from "./dispatch.ts";
import type { Refusal } from "./dispatch.ts";
import { createReplyWriter } from "./reply-writer.ts";
import { createShard, errorCells } from "./shard.ts";
import type { Shard, ShardSettings, ShardStatus } from "./shard.ts";
import { createTurn } from "./turn.ts";

export type RedisProxySettings = {
  readonly values: Values;
  readonly shards: readonly ShardSpec[];
  readonly version: string;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Called on each sweep of the timeouts, for liveness. */
  beat(): void;
  /** Called when a shard becomes reachable, or unreachable. */
  onShards(statuses: readonly ShardStatus[]): void;
};

export type Route = { readonly shard: string; readonly address: string };

export type RedisProxy = {
  listen(address: Address): Promise<Address>;
  /** Which shard owns a key. */
  route(key: Uint8Array): Route;
  shards(): readonly ShardStatus[];
  /** Accepts no more, and resolves when every client has got its replies. */
  drain(): Promise<void>;
  close(): void;
};

const MAX_ARGUMENTS = 1024 * 1024;

export function createRedisProxy(settings: RedisProxySettings): RedisProxy {
  const { values, metrics, log, version } = settings;
  const turn = createTurn();
  const full = metrics.memoryFull.cell({});
  const memory = metrics.memory.cell({});
  const budget = createBudget(values.memoryLimit, () => full.add(1));
  const deadlines = createDeadlines(() => {
    settings.beat();
    memory.set(budget.used());
    for (const shard of shards) shard.publish();
  });
  const shards = openShards(settings, { turn, deadlines }, () => settings.onShards(statuses()));
  const statuses = (): ShardStatus[] => shards.map((shard) => shard.status());
  const placement = placementSettingsOf(values);
  const locate = createPlacement(settings.shards, placement);
  const route = (key: Uint8Array): Route => {
    const { name, address } = shards[locate(key, 0, key.length)]!.status();
    return { shard: name, address };
  };
  const refused = refusalCells(metrics);
  const dispatch = createDispatch({
    shards,
    locate,
    hashTag: placement.hashTag,
    local: { explain: route, version, password: values.password },
    onRefused: (reason) => refused[reason].add(1),
  });
  const limits = { maxBytes: values.maxRequest, maxArguments: MAX_ARGUMENTS };
  const writer = createReplyWriter();
  const clients = createClients({
    connection: { turn, deadlines, budget, writer, limits, timeout: values.clientTimeout, dispatch },
    maxConnections: values.maxConnections,
    metrics,
    log,
  });
  return {
    listen: clients.listen,
    route,
    shards: statuses,
    drain: clients.drain,
    close: () => {
      clients.destroy();
      for (const shard of shards) shard.close();
      deadlines.stop();
    },
  };
}

function openShards(
  { values, shards, metrics, log }: RedisProxySettings,
  shared: Pick<ShardSettings, "turn" | "deadlines">,
  onState: () => void,
): Shard[] {
  return shards.map(({ name, address }) =>
    createShard({
      ...shared,
      name,
      address,
      password: values.shardPassword?.reveal(),
      connections: values.connections,
      connectTimeout: values.connectTimeout,
      timeout: values.timeout,
      maxReply: values.memoryLimit,
      counters: {
        requests: metrics.requests.cell({ shard: name }),
        errors: errorCells((reason) => metrics.shardErrors.cell({ shard: name, reason })),
        inFlight: metrics.inFlight.cell({ shard: name }),
        up: metrics.shardUp.cell({ shard: name }),
        duration: metrics.duration.histogram({}),
      },
      onState: (isUp, reason) => {
        if (isUp) log.info({ shard: name }, "shard is up");
        else log.warn({ shard: name, reason }, "shard is down");
        onState();
      },
    }),
  );
}

const refusalCells = (metrics: Metrics): Record<Refusal, Cell> =>
  Object.fromEntries(REFUSALS.map((reason) => [reason, metrics.refused.cell({ reason })])) as Record<Refusal, Cell>;
