import { createServer } from "node:net";
// What twemproxy tells of its pools and servers, in its own JSON: whoever connects gets it, and the connection ends.
import { hostname } from "node:os";

import { formatAddress } from "@outrigger/options";
import type { Address } from "@outrigger/options";

import type { Pool } from "../proxy/pool.ts";
import type { PoolStatistics, ShardStatistics } from "../proxy/statistics.ts";

export type StatisticsServer = { readonly address: Address; close(): void };

/** Whoever does not take it in this time is left alone. */
const TIMEOUT_MS = 5000;

/** Resolves when it listens; rejects when the address is taken. */
export function serveStatistics(
  where: Address,
  { pools, version }: { pools: readonly Pool[]; version: string },
): Promise<StatisticsServer> {
  const startedAt = Date.now();
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy());
    socket.end(`${JSON.stringify(statisticsOf(pools, { version, startedAt }))}\n`);
    socket.resume();
  });
  server.maxConnections = 100;
  const { promise, resolve, reject } = Promise.withResolvers<StatisticsServer>();
  server.once("error", ({ message, code = message }: NodeJS.ErrnoException) =>
    reject(new Error(`--stats-listen: expected a free address, got ${formatAddress(where)} (${code})`)),
  );
  server.listen(where, () => {
    const bound = server.address();
    const address = typeof bound === "object" && bound !== null ? { host: bound.address, port: bound.port } : where;
    resolve({ address, close: () => void server.close() });
  });
  return promise;
}

type Facts = { readonly version: string; readonly startedAt: number };

/** All of it, in the order in which twemproxy has it. */
export function statisticsOf(pools: readonly Pool[], { version, startedAt }: Facts): Record<string, unknown> {
  const all = pools.flatMap((pool) => (pool.statistics === undefined ? [] : [[pool.name, pool.statistics()] as const]));
  const sum = (count: (statistics: PoolStatistics) => number): number =>
    all.reduce((total, [, statistics]) => total + count(statistics), 0);
  return {
    service: "shard-ambassador",
    source: hostname(),
    version,
    uptime: Math.floor((Date.now() - startedAt) / 1000),
    timestamp: Math.floor(Date.now() / 1000),
    total_connections: sum(({ clientsEver }) => clientsEver),
    curr_connections: sum(({ clients, shards }) => clients + totalOf(shards, ({ connections }) => connections)),
    ...Object.fromEntries(all.map(([name, statistics]) => [name, poolOf(statistics)])),
  };
}

const totalOf = (shards: PoolStatistics["shards"], count: (shard: ShardStatistics) => number): number =>
  Object.values(shards).reduce((total, shard) => total + count(shard), 0);

const poolOf = ({ clientsEnded, clientsFailed, clients, fragments, shards }: PoolStatistics) => ({
  client_eof: clientsEnded,
  client_err: clientsFailed,
  client_connections: clients,
  server_ejects: totalOf(shards, ({ ejections }) => ejections),
  forward_error: totalOf(shards, ({ refused }) => refused),
  fragments,
  ...Object.fromEntries(Object.entries(shards).map(([name, shard]) => [name, serverOf(shard)])),
});

/** `server_ejected_at` is in microseconds. */
const serverOf = (shard: ShardStatistics) => ({
  server_eof: shard.ended,
  server_err: shard.failed,
  server_timedout: shard.timedOut,
  server_connections: shard.connections,
  server_ejected_at: shard.ejectedAt * 1000,
  requests: shard.requests,
  request_bytes: shard.requestBytes,
  responses: shard.responses,
  response_bytes: shard.responseBytes,
  in_queue: shard.unsent,
  in_queue_bytes: shard.unsentBytes,
  out_queue: shard.unanswered,
  out_queue_bytes: shard.unansweredBytes,
});
