// Counts what the HTTP proxy does, by shard.
import { UPSTREAM_FAILURE_REASONS } from "@outrigger/http";
import type { ProxyObserver, Served } from "@outrigger/http";

import type { Refusal } from "../proxy/dispatching.ts";
import type { ShardFailure } from "../proxy/shard-failures.ts";
import { HttpShard } from "./shard.ts";

/** What goes wrong with an upstream, as reasons that shards of all protocols have. */
const REASONS: Readonly<Record<string, ShardFailure>> = {
  connect_refused: "connect_failed",
  connect_timeout: "connect_timeout",
  closed_early: "lost",
  bad_response: "bad_reply",
  response_timeout: "timeout",
  truncated: "lost",
};

export function createObserver(onRefused: (reason: Refusal) => void): ProxyObserver {
  const uncounted = { add: () => undefined };
  return {
    received: uncounted,
    sent: uncounted,
    onResponse: ({ upstream, complete, startedAt }: Served) => {
      if (upstream instanceof HttpShard && complete) upstream.onResponse((performance.now() - startedAt) / 1000);
    },
    onRefused: ({ reason }) => {
      if (!UPSTREAM_FAILURE_REASONS.includes(reason)) onRefused(reason === "overloaded" ? "overloaded" : "bad_request");
    },
    onUpstreamFailure: ({ reason }, upstream) => {
      if (upstream instanceof HttpShard) upstream.onFailure(REASONS[reason]!);
    },
    onAborted: () => undefined,
  };
}
