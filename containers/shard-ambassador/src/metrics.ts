// The metrics of the shard ambassador: names, meaning and label values.
import { counter, gauge, histogram } from "@outrigger/runtime";
import type { MetricsOf } from "@outrigger/runtime";

import { CLOSE_REASONS } from "./proxy/client-connection.ts";
import { REFUSALS } from "./proxy/dispatching.ts";

const pool = "the pool's name in `nutcracker.yaml`, else the protocol";
const shard = "the shard's name";
const labels = { pool, shard };

export const metrics = {
  connections: counter("shard_ambassador_connections_total", "Connections accepted from clients."),
  connectionsRefused: counter("shard_ambassador_connections_refused_total", "Connections closed at once, by reason.", {
    reason: ["too_many", "accept_failed"],
  }),
  active: gauge("shard_ambassador_connections_active", "Clients connected now."),
  closed: counter(
    "shard_ambassador_connections_closed_total",
    "Connections ended for what the client did, by reason.",
    {
      reason: CLOSE_REASONS,
    },
  ),
  requests: counter(
    "shard_ambassador_requests_total",
    "Commands for a shard; one that is split counts at each.",
    labels,
  ),
  refused: counter("shard_ambassador_requests_refused_total", "Commands refused by the ambassador, by reason.", {
    reason: REFUSALS,
  }),
  retries: counter(
    "shard_ambassador_retries_total",
    "Requests by HTTP that could be sent a second time, by whether `--retry-budget` let them.",
    { outcome: ["sent", "over_budget"] },
  ),
  shardErrors: counter("shard_ambassador_shard_errors_total", "Commands that a shard could not answer, by reason.", {
    ...labels,
    reason: "`down`, `connect_failed`, `connect_timeout`, `lost`, `timeout`, `bad_reply` or `refused`",
  }),
  duration: histogram("shard_ambassador_request_duration_seconds", "From a command's arrival to its shard's reply.", {
    labels,
    buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  }),
  keyShare: gauge(
    "shard_ambassador_shard_key_share",
    "The share of all keys that a shard has at present, by a sample of 10,000: from 0 to 1.",
    labels,
  ),
  imbalance: gauge(
    "shard_ambassador_imbalance",
    "How many times as many requests as the average the busiest shard of a pool had in the last ten seconds; 0 without any.",
    { pool },
  ),
  hottestShare: gauge(
    "shard_ambassador_hottest_key_share",
    "The share of the requests of the last half minute or so that were for the one key that is asked for most: from 0 to 1.",
    { pool },
  ),
  inFlight: gauge("shard_ambassador_requests_in_flight", "Commands that wait for their shard's reply.", labels),
  shardUp: gauge("shard_ambassador_shard_up", "1 while the shard can be reached, else 0.", labels),
  ejected: gauge(
    "shard_ambassador_shard_ejected",
    "1 while the shard's keys go to others, with `--on-failure next`, else 0.",
    labels,
  ),
  ejections: counter("shard_ambassador_shard_ejections_total", "How often a shard's keys went to others.", labels),
  ownConnections: gauge(
    "shard_ambassador_own_connections",
    "Connections to shards that clients have for themselves, since they watch keys or are subscribed.",
    { pool },
  ),
  memory: gauge("shard_ambassador_memory_bytes", "Bytes held for clients, of those that `--memory-limit` allows."),
  memoryFull: counter(
    "shard_ambassador_memory_full_total",
    "How often `--memory-limit` was reached, and reading paused.",
  ),
} as const;

export type Metrics = MetricsOf<typeof metrics>;
