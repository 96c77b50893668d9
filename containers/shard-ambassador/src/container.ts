// The shard ambassador: the application talks to one address, and each request goes to the shard that owns its key.
import { isDeepStrictEqual } from "node:util";

import { watchPaths } from "@outrigger/files";
import { formatAddress, Secret } from "@outrigger/options";
import { defineContainer } from "@outrigger/runtime";
import type { Context, ReloadOutcome } from "@outrigger/runtime";

import manifest from "../package.json" with { type: "json" };
import { ADMIN_PORT, plan as planCommand, route } from "./explain.ts";
import { metrics } from "./metrics.ts";
import type { Values } from "./options.ts";
import { options } from "./options.ts";
import { adviseOn } from "./placement/advice.ts";
import { createRedisProxy } from "./redis/proxy.ts";
import type { RedisProxy } from "./redis/proxy.ts";
import type { ShardStatus } from "./redis/shard.ts";
import { checkValues, listenOf, placedOf, PLACEMENT_OPTIONS } from "./shards.ts";

type AmbassadorContext = Context<typeof options, typeof metrics>;

const text = { type: "string" };
const list = { type: "array", items: { type: "object", additionalProperties: true } };

export const container = defineContainer({
  name: "shard-ambassador",
  version: manifest.version,
  pattern: "ambassador",
  summary: manifest.description,
  adminPort: ADMIN_PORT,
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
      answer: { shards: list },
    },
    "/api/v1/plan": {
      summary: "What share of the keys would move to other shards if these were the shards",
      query: { shards: "the shards, as the option has them" },
      answer: {
        moved: { type: "number" },
        moves: list,
        load: list,
        warnings: { type: "array", items: text },
        problems: { type: "array", items: text },
      },
    },
  },

  commands: { route, plan: planCommand },

  check: async (values, writtenAs) => checkValues(values, writtenAs),

  async start(context) {
    const { options: values, log, readiness, heartbeat, onStop } = context;
    readiness.set("shards", false, "not connected yet");
    const proxy = createRedisProxy({
      values,
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
    const address = await proxy.listen(listenOf(values));
    log.info({ listener: values.protocol, address: formatAddress(address) }, "listening");
    await watchFile(context);
    const live = { values: values as Values };
    return {
      drain: proxy.drain,
      reload: () => reload(context, proxy, live),
      status: () => ({
        listen: formatAddress(address),
        distribution: live.values.distribution,
        shards: proxy.shards(),
      }),
      routes: {
        "/api/v1/route": ({ key = "" }) => ({ key, ...proxy.route(Buffer.from(key)) }),
        "/api/v1/plan": ({ shards = "" }) => plan(proxy, live.values, shards),
        "/api/v1/shards": () => ({ shards: proxy.shards() }),
      },
    };
  },
});

const reasonOf = (statuses: readonly ShardStatus[]): string =>
  statuses.map(({ name, up, reason }) => `shard ${name} ${up ? "is up" : reason}`).join("; ");

/** What other shards would mean with the placement as it is, or why they cannot be. */
function plan(proxy: RedisProxy, values: Values, text: string): Record<string, unknown> {
  const shards = text.split(",").map((item) => item.trim());
  const after = { ...values, shards: shards.filter((item) => item !== "") };
  const writtenAs = Object.fromEntries(Object.keys(options).map((option) => [option, option]));
  const problems = checkValues(after, writtenAs as Record<keyof Values, string>);
  return problems.length > 0
    ? { problems }
    : { ...proxy.plan(after), warnings: adviseOn(placedOf(values), placedOf(after)), problems };
}

const plain = (value: unknown): unknown => (value instanceof Secret ? value.reveal() : value);

/** Takes over other shards and another placement; what cannot change while running is refused, not ignored. */
async function reload(
  { reread, log }: AmbassadorContext,
  proxy: RedisProxy,
  live: { values: Values },
): Promise<ReloadOutcome> {
  const { values, problems } = await reread();
  if (problems.length > 0) return { outcome: "refused", reasons: problems };
  const after = values as Values;
  const changed = (Object.keys(options) as (keyof Values)[]).filter(
    (option) => !isDeepStrictEqual(plain(live.values[option]), plain(after[option])),
  );
  if (changed.length === 0) return { outcome: "unchanged" };
  const fixed = changed.filter((option) => !PLACEMENT_OPTIONS.some((placement) => placement === option));
  const reasons = fixed.map((option) => `${option}: expected to stay as it was until a restart, got another value`);
  if (reasons.length > 0) return { outcome: "refused", reasons };
  const { moved, moves } = proxy.plan(after);
  proxy.update(after);
  log.info({ moved, moves }, "shards changed");
  live.values = after;
  return { outcome: "applied" };
}

/** Reloads when the file of options changes. */
async function watchFile({ options: { config }, log, onStop, reload: ask }: AmbassadorContext): Promise<void> {
  if (config === undefined) return;
  const watch = await watchPaths([config], {
    onChange: (changed) => {
      log.info({ files: changed }, "files changed");
      void ask();
    },
    onMode: (mode, reason) => {
      if (mode === "poll") log.warn({ reason }, "file events are not available, so files are polled");
    },
  });
  onStop("file watch", () => watch.close());
}
