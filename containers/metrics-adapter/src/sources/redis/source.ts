// Redis and its kin (Valkey, KeyDB): INFO, CONFIG, SLOWLOG, LATENCY and CLUSTER, on one connection for each scrape.
import { readFileSync } from "node:fs";

import * as z from "@outrigger/options/zod";
import { connectRedis, parseRedisUrl, RedisError } from "@outrigger/redis";
import type { RedisConnection, RedisTls, Reply } from "@outrigger/redis";

import { defined } from "../../defined.ts";
import type { Section, Source } from "../../source.ts";
import { defineSource } from "../../source.ts";
import { addConfig, addLatencyEvents, addLatencyHistograms, addSlowlog, configOf } from "./answers.ts";
import { addInfo, addTo } from "./info-metrics.ts";
import { numberIn, parseInfo } from "./info.ts";

const schema = z.strictObject({
  address: z
    .string()
    .default("redis://localhost:6379")
    .refine((text) => parseRedisUrl(text) !== undefined, "redis://host:port, rediss://host:port or unix:///path"),
  username: z.string().optional(),
  /** Read anew for each scrape, so that it may be changed. */
  passwordFile: z.string().optional(),
  tls: z
    .strictObject({
      caFile: z.string().optional(),
      certFile: z.string().optional(),
      keyFile: z.string().optional(),
      serverName: z.string().optional(),
      unsafeSkipVerify: z.boolean().default(false),
    })
    .optional(),
  /** Another name of CONFIG, where it was renamed; "-" where it may not be asked for. */
  configCommand: z.string().default("CONFIG"),
  /** All numbers of CONFIG as redis_config_value, and all texts as redis_config_key_value. */
  includeConfig: z.boolean().default(false),
  /** redis_total_system_memory_bytes. */
  includeSystem: z.boolean().default(false),
});

/** `password` is not for the file: it comes by a variable that other programs have, too. */
export type RedisSettings = z.infer<typeof schema> & { readonly password?: string };

export const redis = defineSource<RedisSettings>({
  type: "redis",
  prefix: "redis",
  schema,
  targetKey: "address",
  explain: async (_, sample, section) => {
    addInfo(section, parseInfo(sample), { now: Date.now() });
    return [];
  },
  create: (settings, { maxBodySize }): Source => {
    let scrapes = 0;
    return {
      collect: async (section, { signal, timeoutMs }) => {
        const began = performance.now();
        scrapes++;
        let failure = "";
        try {
          const connection = await connect(settings, { timeoutMs, maxReplyBytes: maxBodySize, signal });
          addTo(section)("exporter_last_scrape_connect_time_seconds", "gauge", (performance.now() - began) / 1000);
          await collectFrom(connection, section, settings).finally(connection.close);
        } catch (error) {
          failure = (error as Error).message;
          throw error;
        } finally {
          addOwn(section, { scrapes, failure, seconds: (performance.now() - began) / 1000 });
        }
      },
    };
  },
});

function addOwn(
  section: Section,
  { scrapes, failure, seconds }: { scrapes: number; failure: string; seconds: number },
): void {
  const add = addTo(section);
  add("exporter_scrapes_total", "counter", scrapes, { help: "Current total redis scrapes." });
  add("exporter_last_scrape_duration_seconds", "gauge", seconds);
  const labels = ["err", failure];
  add("exporter_last_scrape_error", "gauge", failure === "" ? 0 : 1, { labels, help: "The last scrape error status." });
}

type Bounds = { timeoutMs: number; maxReplyBytes: number; signal: AbortSignal };

const textOf = (file: string | undefined): string | undefined =>
  file === undefined ? undefined : readFileSync(file, "utf8").replace(/\r?\n$/, "");

function connect(settings: RedisSettings, bounds: Bounds): Promise<RedisConnection> {
  const url = parseRedisUrl(settings.address)!;
  const tls = settings.tls !== undefined || url.tls ? tlsOf(settings.tls) : undefined;
  const username = settings.username ?? url.username;
  const password = textOf(settings.passwordFile) ?? settings.password ?? url.password;
  return connectRedis({ address: url.address, ...bounds, ...defined({ tls, username, password }) });
}

function tlsOf(tls: RedisSettings["tls"]): RedisTls {
  const { caFile, certFile, keyFile, serverName, unsafeSkipVerify } = tls ?? {};
  return defined({
    ca: textOf(caFile),
    cert: textOf(certFile),
    key: textOf(keyFile),
    serverName,
    unsafeSkipVerify,
  }) as RedisTls;
}

/** What a user may not ask, or a version does not know, is not there; the connection's end is an error. */
async function optional(reply: Promise<Reply>): Promise<Reply | undefined> {
  try {
    return await reply;
  } catch (error) {
    if (error instanceof RedisError) return undefined;
    throw error;
  }
}

async function collectFrom(redis: RedisConnection, section: Section, settings: RedisSettings): Promise<void> {
  const { configCommand, includeConfig, includeSystem } = settings;
  const [info, config, slowlogLength, slowest, latest, histograms] = await Promise.all([
    redis.command("INFO", "ALL"),
    configCommand === "-" ? undefined : optional(redis.command(configCommand, "GET", "*")),
    optional(redis.command("SLOWLOG", "LEN")),
    optional(redis.command("SLOWLOG", "GET", 1)),
    optional(redis.command("LATENCY", "LATEST")),
    optional(redis.command("LATENCY", "HISTOGRAM")),
  ]);
  const parsed = parseInfo(String(info));
  const parameters = configOf(config);
  const databases = numberIn(parameters.get("databases"));
  addInfo(section, parsed, { now: Date.now(), ...defined({ databases }) });
  addConfig(section, parameters, includeConfig);
  addSlowlog(section, slowlogLength, slowest);
  addLatencyEvents(section, latest);
  addLatencyHistograms(section, histograms, parsed);
  if (includeSystem)
    addTo(section)("total_system_memory_bytes", "gauge", numberIn(parsed.fields.get("total_system_memory")));
  if (parsed.fields.get("cluster_enabled") !== "1") return;
  const cluster = parseInfo(String((await optional(redis.command("CLUSTER", "INFO"))) ?? ""));
  // What INFO has said of the cluster already is the same: it is there once.
  for (const [field, value] of cluster.fields) {
    const name = field.replace(/^cluster_stats_(messages_(?:sent|received))$/, "cluster_$1_total");
    if (!parsed.fields.has(field)) addTo(section)(name, "gauge", numberIn(value), { origin: `CLUSTER INFO: ${field}` });
  }
}
