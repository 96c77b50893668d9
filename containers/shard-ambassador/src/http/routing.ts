// Who gets an HTTP request: the shard that owns its key, and if that fails, at most one other.
import type { Answer, ProxySettings } from "@outrigger/http";

import type { PoolValues } from "../pools.ts";
import type { HotKeys } from "../proxy/hot-keys.ts";
import type { Topologies } from "../proxy/topology.ts";
import { onFailureOf } from "../shards.ts";
import type { KeyReader } from "./key.ts";
import { createRetryBudget } from "./retry-budget.ts";
import { HttpShard } from "./shard.ts";

export type RoutingSettings = {
  readonly values: PoolValues;
  readonly topologies: Pick<Topologies<HttpShard>, "current" | "locateBeside">;
  readonly reader: KeyReader;
  readonly hotKeys: Pick<HotKeys, "see">;
  /** A request has none of the keys. */
  onNoKey(): void;
  /** A request is sent again, or would be if the budget let it. */
  onRetry(outcome: "sent" | "over_budget"): void;
};

const PLAIN = "Content-Type: text/plain\r\n";

export function createRouting(settings: RoutingSettings): Required<Pick<ProxySettings, "route" | "reroute">> {
  const { values, topologies, reader, hotKeys, onNoKey, onRetry } = settings;
  const budget = createRetryBudget(values.retryBudget);
  const goesToNext = onFailureOf(values) === "next";
  const noKey: Answer = {
    status: 400,
    lines: PLAIN,
    body: `400: expected a key (${values.key.join(", ")}), got none\n`,
  };
  return {
    route: (head, peer) => {
      if (!reader.read(head, peer)) {
        onNoKey();
        return noKey;
      }
      const { shards, locate } = topologies.current;
      const shard = shards[locate(reader.bytes, reader.start, reader.end)]!;
      const why = shard.whyDown();
      if (why !== undefined) return refusal(shard, why);
      budget.earn();
      hotKeys.see(reader.bytes, reader.start, reader.end);
      shard.onRequest();
      return shard;
    },
    reroute: (head, peer, failed) => {
      const shard = failed instanceof HttpShard && reader.read(head, peer) ? after(failed) : undefined;
      if (shard === undefined) return undefined;
      const isPaid = budget.spend();
      onRetry(isPaid ? "sent" : "over_budget");
      if (isPaid) shard.onRequest();
      return isPaid ? shard : undefined;
    },
  };

  /** The next shard for the key that was just read, or the same one again. */
  function after(failed: HttpShard): HttpShard | undefined {
    if (!goesToNext) return failed;
    const locate = topologies.locateBeside(failed);
    const next = locate && topologies.current.shards[locate(reader.bytes, reader.start, reader.end)];
    return next?.whyDown() === undefined ? next : undefined;
  }
}

/** Nobody is asked: the shard is known to be down. */
function refusal(shard: HttpShard, why: string): Answer {
  shard.onFailure("down");
  return { status: 503, lines: PLAIN, body: `503: shard ${shard.name} ${why}\n` };
}
