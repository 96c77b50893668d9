// The shard ambassador: the application talks to one address, and each request goes to the shard that owns its key.
import { isDeepStrictEqual } from "node:util";

import { formatAddress, Secret } from "@outrigger/options";
import { defineContainer } from "@outrigger/runtime";
import type { Context, ReloadOutcome } from "@outrigger/runtime";

import manifest from "../package.json" with { type: "json" };
import { metrics } from "./metrics.ts";
import type { Values } from "./options.ts";
import { options } from "./options.ts";
import { createRedisProxy } from "./redis/proxy.ts";
import type { ShardStatus } from "./redis/shard.ts";
import { checkValues, shardsOf } from "./shards.ts";

type AmbassadorContext = Context<typeof options, typeof metrics>;

const text = { type: "string" };

export const container = defineContainer({
  name: "shard-ambassador",
  version: manifest.version,
  summary: manifest.description,
  adminPort: 9911,
  options,
  metrics,
  routes: {
    "/api/v1/route": {
      summary: "Which shard owns a key",
      query: { key: "the key, as UTF-8" },
      answer: { key: text, shard: text, address: text },
    },
    "/api/v1/shards": {
      summary: "The shards, and whether each can be reached",
      query: {},
      answer: { shards: { type: "array", items: { type: "object", additionalProperties: true } } },
    },
  },

  check: async (values, writtenAs) => checkValues(values, writtenAs),

  async start(context) {
    const { options: values, log, readiness, heartbeat, onStop } = context;
    readiness.set("shards", false, "not connected yet");
    const proxy = createRedisProxy({
      values,
      shards: shardsOf(values),
      version: manifest.version,
      metrics: context.metrics,
      log,
      beat: heartbeat("deadlines", 100),
      onShards: (statuses) =>
        readiness.set(
          "shards",
          statuses.some(({ up }) => up),
          reasonOf(statuses),
        ),
    });
    onStop("redis proxy", proxy.close);
    const address = await proxy.listen(values.listen);
    log.info({ listener: "redis", address: formatAddress(address) }, "listening");
    return {
      drain: proxy.drain,
      reload: () => reload(context),
      status: () => ({ listen: formatAddress(address), distribution: values.distribution, shards: proxy.shards() }),
      routes: {
        "/api/v1/route": ({ key = "" }) => ({ key, ...proxy.route(Buffer.from(key)) }),
        "/api/v1/shards": () => ({ shards: proxy.shards() }),
      },
    };
  },
});

const reasonOf = (statuses: readonly ShardStatus[]): string =>
  statuses.map(({ name, up, reason }) => `shard ${name} ${up ? "is up" : reason}`).join("; ");

const plain = (value: unknown): unknown => (value instanceof Secret ? value.reveal() : value);

/** Nothing can change while running; a changed parameter is not silently ignored. */
async function reload({ options: before, reread }: AmbassadorContext): Promise<ReloadOutcome> {
  const { values, problems } = await reread();
  if (problems.length > 0) return { outcome: "refused", reasons: problems };
  const after = values as Values;
  const changed = (Object.keys(options) as (keyof Values)[]).filter(
    (option) => !isDeepStrictEqual(plain(before[option]), plain(after[option])),
  );
  if (changed.length === 0) return { outcome: "unchanged" };
  const reasons = changed.map((option) => `${option}: expected to stay as it was until a restart, got another value`);
  return { outcome: "refused", reasons };
}
