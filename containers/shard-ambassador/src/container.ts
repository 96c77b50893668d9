// The shard ambassador: the application talks to one address, and each request goes to the shard that owns its key.
import { watchPaths } from "@outrigger/files";
import { formatAddress } from "@outrigger/options";
import { defineContainer, withStatus } from "@outrigger/runtime";
import type { Context } from "@outrigger/runtime";

import manifest from "../package.json" with { type: "json" };
import { startDiscovery } from "./discovery/discovery.ts";
import { ADMIN_PORT, plan, planBetween, route } from "./explain.ts";
import { createHttpPool } from "./http/pool.ts";
import { metrics } from "./metrics.ts";
import type { Values } from "./options.ts";
import { options } from "./options.ts";
import { checkPools, poolsOf } from "./pools.ts";
import { createMachinery } from "./proxy/machinery.ts";
import type { Machinery } from "./proxy/machinery.ts";
import { createPool } from "./proxy/pool.ts";
import type { Pool } from "./proxy/pool.ts";
import { applyValues, reloadAll } from "./reloading.ts";
import { createShardTls, filesOf } from "./shard-tls.ts";
import { adoptFile } from "./twemproxy/pools.ts";
import { serveStatistics } from "./twemproxy/statistics.ts";
import { translate } from "./twemproxy/words.ts";

type AmbassadorContext = Context<typeof options, typeof metrics>;
type Answer = Record<string, unknown>;

const text = { type: "string" };
const list = { type: "array", items: { type: "object", additionalProperties: true } };
const optionalQuery = { pool: "the name of a pool; the first one unless given" };
const otherStatuses = { 404: "There is no pool of that name" };

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
      optionalQuery,
      otherStatuses,
      answer: { key: text, shard: text, address: text },
    },
    "/api/v1/shards": {
      summary: "The shards, and whether each can be reached",
      query: {},
      answer: { shards: list },
    },
    "/api/v1/hot-keys": {
      summary:
        "The keys that are asked for most, of late, with their share of a pool's requests: as many as `--hot-keys` lets",
      query: {},
      answer: { keys: list },
    },
    "/api/v1/plan": {
      summary: "What share of the keys would move to other shards if these were the shards",
      query: { shards: "the shards, as the option has them" },
      optionalQuery,
      otherStatuses,
      answer: {
        moved: { type: "number" },
        moves: list,
        load: list,
        warnings: { type: "array", items: text },
        problems: { type: "array", items: text },
      },
    },
  },

  commands: { route, plan },
  translate,
  adoptFile,

  check: async (values, writtenAs) => checkPools(values, writtenAs),

  async start(context) {
    const { options: values, heartbeat, onStop } = context;
    const live = { values: values as Values };
    const beat = heartbeat("deadlines", 100);
    const tls = createShardTls(values);
    const machinery = createMachinery({ memoryLimit: values.memoryLimit, metrics: context.metrics, tls, beat });
    onStop("deadlines", machinery.deadlines.stop);
    const pools: Pool[] = [];
    const bound: Record<string, string> = {};
    const open = async (): Promise<void> => {
      openPools({ context, machinery, live, pools });
      Object.assign(bound, await listenOn(pools, context));
    };
    const discovery = await openOrDiscover({ context, live, pools, open });
    const inPool = (name: string | undefined, answer: (pool: Pool) => Answer): Answer => {
      const pool = name === undefined ? pools[0] : pools.find((one) => one.name === name);
      return pool === undefined
        ? withStatus(404, { error: `expected a pool, got ${name ?? "none yet"}` })
        : answer(pool);
    };
    await watchFile(context);
    return {
      drain: async () => void (await Promise.all(pools.map((pool) => pool.drain()))),
      reload: () => reloadAll(context, { pools, tls, live, discovered: () => discovery?.shards() }),
      status: () => ({ ...bound, shards: shardsOf(pools) }),
      routes: {
        "/api/v1/route": ({ key = "", pool }) =>
          inPool(pool, ({ route: routeOf }) => ({ key, ...routeOf(Buffer.from(key)) })),
        "/api/v1/plan": ({ shards = "", pool }) =>
          inPool(pool, ({ name }) => planBetween(poolsOf(live.values), name, shards)),
        "/api/v1/hot-keys": () => ({
          keys: pools.flatMap(({ name, hottest }) => hottest().map((hot) => ({ pool: name, ...hot }))),
        }),
        "/api/v1/shards": () => ({ shards: shardsOf(pools) }),
      },
    };
  },
});

const shardsOf = (pools: readonly Pool[]): Record<string, unknown>[] =>
  pools.flatMap((pool) => pool.shards().map((shard) => ({ pool: pool.name, ...shard })));

type Opening = {
  readonly context: AmbassadorContext;
  readonly live: { values: Values };
  readonly pools: Pool[];
};

/** Opens the pools at once, or as soon as their shards are found; from then on they follow what is found. */
async function openOrDiscover({ context, live, pools, open }: Opening & { open(): Promise<void> }) {
  const { log, readiness, onStop } = context;
  readiness.set("shards", false, "not connected yet");
  const discovery = startDiscovery({
    values: live.values,
    log,
    onShards: async (shards) => {
      const values = { ...live.values, shards: [...shards] };
      if (pools.length > 0) applyValues(context, pools, live, values);
      else {
        live.values = values;
        await open();
      }
    },
  });
  if (discovery === undefined) await open();
  else {
    readiness.set("shards", false, "no shards found yet");
    onStop("discovery", discovery.stop);
  }
  return discovery;
}

/** Opens all pools; it is ready while each can reach at least one of its shards. */
function openPools({ context, machinery, live, pools }: Opening & { machinery: Machinery }): void {
  const { metrics: all, log, readiness, onStop } = context;
  const onShards = (): void => {
    const shards = pools.map((pool) => pool.shards());
    const reasons = shards.flat().map(({ name, up, reason }) => `shard ${name} ${up ? "is up" : reason}`);
    const isReady = shards.every((statuses) => statuses.some(({ up }) => up));
    readiness.set("shards", isReady, reasons.join("; "));
  };
  for (const spec of poolsOf(live.values)) {
    const create = spec.values.protocol === "http" ? createHttpPool : createPool;
    const pool = create({ spec, machinery, version: manifest.version, metrics: all, log, onShards });
    onStop(`pool ${pool.name}`, pool.close);
    pools.push(pool);
  }
}

/** Listens for clients of all pools, and for who wants twemproxy's statistics; gives the addresses. */
async function listenOn(pools: readonly Pool[], context: AmbassadorContext): Promise<Record<string, string>> {
  const { options: values, log, onStop } = context;
  const bound: Record<string, string> = {};
  for (const pool of pools) {
    bound[pool.name] = formatAddress(await pool.listen());
    log.info({ listener: pool.name, address: bound[pool.name] }, "listening");
  }
  const ours = values.pools === undefined ? undefined : { host: "127.0.0.1", port: 22_222 };
  const statsListen = values.statsListen ?? ours;
  if (statsListen === undefined) return bound;
  const { address, close } = await serveStatistics(statsListen, { pools, version: manifest.version });
  onStop("statistics", close);
  log.info({ listener: "statistics", address: formatAddress(address) }, "listening");
  return { ...bound, statistics: formatAddress(address) };
}

/** Reloads when the file of options changes, or one of those for TLS. */
async function watchFile({ options: values, log, onStop, reload: ask }: AmbassadorContext): Promise<void> {
  const files = [values.config, ...filesOf(values)].filter((path) => path !== undefined);
  if (files.length === 0) return;
  const watch = await watchPaths(files, {
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
