// The options of the metrics adapter: the only place where they are described.
import { address, boolean, bytes, duration, integer, list, option, path, structured, text } from "@outrigger/options";
import type { Kind, ValuesOf } from "@outrigger/options";
import { REDACTED, Secret } from "@outrigger/options";
import * as z from "@outrigger/options/zod";

import { sourceEntry } from "./sources.ts";

/** A secret that other programs take from a variable, so that this one has to as well. */
const plainSecret = (): Kind<Secret> => ({
  name: "text",
  form: "a secret that is not empty",
  json: { type: "string", minLength: 1 },
  schema: z.codec(z.string().min(1), z.custom<Secret>(), {
    decode: (value) => new Secret(value),
    encode: () => REDACTED,
  }) as z.ZodType<Secret, unknown>,
  format: () => REDACTED,
});

const serving = {
  listen: option({
    kind: address("0.0.0.0"),
    section: "Serving",
    summary:
      "Where Prometheus scrapes. By default `0.0.0.0:9121` when Redis is the only source, as redis_exporter has it, else `0.0.0.0:9464`.",
  }),
  sources: option({
    kind: structured(z.array(sourceEntry).max(100), "a list of sources, each with its type"),
    section: "Serving",
    summary: "What `/metrics` shows: a list of sources, as [Sources](#sources) describes them.",
  }),
  probeTargets: option({
    kind: list(text("host:port, in which * stands for part of the host's name or for any port")),
    section: "Serving",
    summary:
      "Targets that `/probe?target=` may be asked for: `host:port` or `unix:/path`; `*` stands for a part of a name between dots, or for any port. By default none: a scraper cannot make the adapter connect anywhere.",
  }),
  allowCommands: option({
    kind: list(text("an absolute path")),
    section: "Serving",
    summary:
      "Programs that the source `text` may run, by their absolute paths. By default none, whatever the configuration of a source says.",
  }),
  modules: option({
    kind: structured(z.record(z.string().min(1), sourceEntry), "settings of a source by name"),
    section: "Serving",
    summary:
      "What `/probe?module=` may be asked for: settings of a source, as in `sources`, by name. The types of sources that need no settings are modules by themselves.",
  }),
};

const zeroConfiguration = {
  redis: option({
    kind: boolean(),
    default: "false",
    section: "Without a file",
    summary: "Read the Redis of this pod.",
  }),
  redisAddress: option({
    kind: text("redis://host:port, rediss://host:port or unix:///path"),
    default: "redis://localhost:6379",
    section: "Without a file",
    summary: "Where that Redis is.",
    aliases: { REDIS_ADDR: String },
  }),
  redisUser: option({
    kind: text(),
    section: "Without a file",
    summary: "The ACL user for it.",
    aliases: { REDIS_USER: String },
  }),
  redisPassword: option({
    kind: plainSecret(),
    section: "Without a file",
    summary: "The password for it. Whoever sees the process's flags sees it: prefer the next.",
    aliases: { REDIS_PASSWORD: String },
  }),
  redisPasswordFile: option({
    kind: path(),
    section: "Without a file",
    summary: "A file with the password, read anew at each scrape.",
    aliases: { REDIS_PASSWORD_FILE: String },
  }),
  nginx: option({
    kind: boolean(),
    default: "false",
    section: "Without a file",
    summary: "Read the nginx of this pod.",
  }),
  nginxUrl: option({
    kind: text("http://host/path, https://host/path or unix:/socket:/path"),
    default: "http://127.0.0.1:8080/stub_status",
    section: "Without a file",
    summary: "Where its `stub_status` is.",
    aliases: { SCRAPE_URI: String },
  }),
  memcached: option({
    kind: boolean(),
    default: "false",
    section: "Without a file",
    summary: "Read the memcached of this pod.",
  }),
  memcachedAddress: option({
    kind: text("host:port, [ipv6]:port or unix:/path"),
    default: "127.0.0.1:11211",
    section: "Without a file",
    summary: "Where that memcached is.",
  }),
  postgres: option({
    kind: boolean(),
    default: "false",
    section: "Without a file",
    summary: "Read the PostgreSQL of this pod.",
  }),
  postgresAddress: option({
    kind: plainSecret(),
    section: "Without a file",
    summary:
      "Where that PostgreSQL is, as `postgresql://user@host:port/database`; by default `postgresql://postgres@localhost:5432/postgres`. It may have a password, so it is not shown.",
    aliases: { DATA_SOURCE_NAME: String },
  }),
  postgresPasswordFile: option({
    kind: path(),
    section: "Without a file",
    summary: "A file with the password for it, read anew at each scrape.",
    aliases: { DATA_SOURCE_PASS_FILE: String },
  }),
  json: option({
    kind: text("http://host/path, https://host/path or unix:/socket:/path"),
    section: "Without a file",
    summary: "Read statistics as JSON from this URL.",
  }),
  jsonModulesFile: option({
    kind: path(),
    section: "Without a file",
    summary:
      "A configuration file of json_exporter that says what to look at, in its module `default`. Without it, all numbers are shown.",
  }),
  statsd: option({
    kind: boolean(),
    default: "false",
    section: "Without a file",
    summary: "Take what the application pushes as StatsD, on UDP and TCP port 9125 of loopback.",
  }),
  statsdMappingFile: option({
    kind: path(),
    section: "Without a file",
    summary: "A mapping configuration of statsd_exporter. Without it, every metric is shown under its own name.",
  }),
};

const bounds = {
  scrapeTimeout: option({
    kind: duration({ positive: true }),
    default: "10s",
    section: "Bounds",
    summary: "How long a scrape may take for a scraper that does not say it in `X-Prometheus-Scrape-Timeout-Seconds`.",
  }),
  scrapeTimeoutOffset: option({
    kind: duration(),
    default: "500ms",
    section: "Bounds",
    summary: "What is left of that time for the way back: sources get that much less.",
  }),
  maxScrapes: option({
    kind: integer(1, 10_000),
    default: "50",
    section: "Bounds",
    summary: "Scrapes at a time; further ones are answered 503.",
  }),
  maxSeries: option({
    kind: integer(1, 10_000_000),
    default: "200000",
    section: "Bounds",
    summary: "Series on a page. Those beyond are left out and counted.",
  }),
  maxSeriesPerMetric: option({
    kind: integer(1, 10_000_000),
    default: "50000",
    section: "Bounds",
    summary:
      'Series of one metric. Numbers beyond are summed up in a series with the label `overflow="true"`, distributions are left out.',
  }),
  maxLabelValue: option({
    kind: integer(1, 100_000),
    default: "4096",
    section: "Bounds",
    summary: "Characters of a label's value; a series with a longer one is left out.",
  }),
  maxBodySize: option({
    kind: bytes(),
    default: "16MiB",
    section: "Bounds",
    summary: "The size of what an application may answer; a larger answer counts as a failure.",
  }),
};

export const options = { ...serving, ...zeroConfiguration, ...bounds } as const;
export type Values = ValuesOf<typeof options>;
