// INFO, as redis_exporter makes metrics of it: names, types and labels are the same.
import type { Labels, MetricType } from "../../exposition/model.ts";
import type { Section } from "../../source.ts";
import { INFO_COUNTERS } from "./info-counters.ts";
import { INFO_GAUGES } from "./info-gauges.ts";
import type { Info } from "./info.ts";
import { numberIn, parsePairs } from "./info.ts";

export type Add = (
  name: string,
  type: MetricType,
  value: number | undefined,
  options?: { labels?: Labels; help?: string; origin?: string },
) => void;

/** Adds a metric of Redis where there is a number; the help is redis_exporter's form unless one is given. */
export const addTo =
  (section: Section): Add =>
  (name, type, value, { labels = [], help = `${name} metric`, origin } = {}) => {
    if (value === undefined) return;
    section.point({ name: `redis_${name}`, type, help }, value, labels, origin);
  };

/** How many databases a server has that does not say. */
const DATABASES = 16;

export function addInfo(
  section: Section,
  info: Info,
  { databases = DATABASES, now }: { databases?: number; now: number },
): void {
  const add = addTo(section);
  for (const [name, fields] of info.sections) {
    for (const [field, value] of fields) addField(add, { section: name, field, value, info, now });
  }
  addDatabases(add, info.sections.get("Keyspace") ?? new Map(), databases);
  addLatencies(section, info);
  addIdentity(add, info.fields);
}

type Field = { section: string; field: string; value: string; info: Info; now: number };

function addField(add: Add, given: Field): void {
  const { section, field, value, now } = given;
  const origin = `INFO ${section}: ${field}`;
  if (section === "Commandstats") return addCommand(add, field, value, origin);
  if (section === "Errorstats") return addError(add, field, value, origin);
  if (section === "Latencystats" || section === "Keyspace") return undefined;
  if (section === "Replication" && addReplication(add, given, origin)) return undefined;
  if (field === "uptime_in_seconds") addStart(add, numberIn(value), now, origin);
  if (field === "latest_fork_usec") return add("latest_fork_seconds", "gauge", divided(value, 1e6), { origin });
  return addNumber(add, field, value, origin);
}

function addStart(add: Add, uptime: number | undefined, now: number, origin: string): void {
  const help = "Start time of the Redis instance since unix epoch in seconds.";
  const start = uptime === undefined ? undefined : Math.floor(now / 1000) - uptime;
  add("start_time_seconds", "gauge", start, { help, origin });
}

/** A field that is a metric as it stands. */
function addNumber(add: Add, field: string, value: string, origin: string): void {
  const gauge = INFO_GAUGES.get(field) ?? (/^(db|cluster_)/.test(field) ? field : undefined);
  if (gauge !== undefined) return add(gauge, "gauge", numberIn(value), { origin });
  const counter = INFO_COUNTERS.get(field);
  return counter === undefined ? undefined : add(counter, "counter", numberIn(value), { origin });
}

/** Division is exact where multiplication by a fraction is not: 195 / 1e6 is 0.000195. */
function divided(text: string | undefined, divisor: number): number | undefined {
  const value = numberIn(text);
  return value === undefined ? undefined : value / divisor;
}

const COMMAND_METRICS = [
  ["commands_total", "calls", 1, "Total number of calls per command"],
  ["commands_duration_seconds_total", "usec", 1e6, "Total amount of time in seconds spent per command"],
  ["commands_rejected_calls_total", "rejected_calls", 1, "Total number of errors within command execution per command"],
  ["commands_failed_calls_total", "failed_calls", 1, "Total number of errors prior command execution per command"],
] as const;

function addCommand(add: Add, field: string, value: string, origin: string): void {
  if (!field.startsWith("cmdstat_")) return;
  const pairs = parsePairs(value);
  const labels = ["cmd", field.slice("cmdstat_".length)];
  for (const [name, key, divisor, help] of COMMAND_METRICS) {
    add(name, "counter", divided(pairs.get(key), divisor), { labels, help, origin });
  }
}

function addError(add: Add, field: string, value: string, origin: string): void {
  if (!field.startsWith("errorstat_")) return;
  const labels = ["err", field.slice("errorstat_".length)];
  const count = numberIn(parsePairs(value).get("count"));
  add("errors_total", "counter", count, { labels, help: "Total number of errors per error type", origin });
}

/** Whether the field is about a replica or about the server's own master. */
function addReplication(add: Add, { field, value, info: { fields } }: Field, origin: string): boolean {
  if (/^slave\d+$/.test(field)) return addReplica(add, parsePairs(value), origin);
  const labels = ["master_host", fields.get("master_host") ?? "", "master_port", fields.get("master_port") ?? ""];
  const help = `${field} metric`;
  if (field === "master_link_status") {
    add("master_link_up", "gauge", value === "up" ? 1 : 0, { labels, origin });
  } else if (/^(master_last_io_seconds_ago|slave_repl_offset|master_sync_in_progress)$/.test(field)) {
    add(field, "gauge", numberIn(value), { labels, help, origin });
  } else return false;
  return true;
}

function addReplica(add: Add, pairs: ReadonlyMap<string, string>, origin: string): boolean {
  const labels = ["ip", "port", "state"].flatMap((key) => [`slave_${key}`, pairs.get(key) ?? ""]);
  add("connected_slave_offset_bytes", "gauge", numberIn(pairs.get("offset")), {
    labels,
    help: "Offset of connected slave",
    origin,
  });
  const lag = numberIn(pairs.get("lag"));
  if (lag !== undefined && lag >= 0) {
    add("connected_slave_lag_seconds", "gauge", lag, { labels, help: "Lag of connected slave", origin });
  }
  return true;
}

/** Each database has its number of keys, those of none included. */
function addDatabases(add: Add, keyspace: ReadonlyMap<string, string>, databases: number): void {
  const names = new Set([...keyspace.keys(), ...Array.from({ length: databases }, (_, at) => `db${at}`)]);
  for (const db of names) {
    const pairs = parsePairs(keyspace.get(db) ?? "keys=0,expires=0");
    const [labels, origin] = [["db", db], `INFO Keyspace: ${db}`];
    add("db_keys", "gauge", numberIn(pairs.get("keys")), { labels, help: "Total number of keys by DB", origin });
    const expiring = numberIn(pairs.get("expires"));
    add("db_keys_expiring", "gauge", expiring, { labels, help: "Total number of expiring keys by DB", origin });
    add("db_keys_cached", "gauge", numberIn(pairs.get("cached_keys")), {
      labels,
      help: "Total number of cached keys by DB",
      origin,
    });
    add("db_avg_ttl_seconds", "gauge", divided(pairs.get("avg_ttl"), 1000), {
      labels,
      help: "Avg TTL in seconds",
      origin,
    });
  }
}

/** Percentiles of each command, with its count and its time as the summary's. The quantile is a percentage there. */
function addLatencies(section: Section, { sections }: Info): void {
  const name = "redis_latency_percentiles_usec";
  const help = "A summary of latency percentile distribution per command";
  const family = section.family({ name, type: "summary", help });
  for (const [field, value] of sections.get("Latencystats") ?? []) {
    const cmd = field.replace(/^latency_percentiles_usec_/, "");
    const stats = parsePairs(sections.get("Commandstats")?.get(`cmdstat_${cmd}`) ?? "");
    const quantiles = [...parsePairs(value)]
      .map(([key, text]) => ({ quantile: Number(key.replace(/^p/, "")), value: numberIn(text) ?? NaN }))
      .sort((a, b) => a.quantile - b.quantile);
    const [count, sum] = [numberIn(stats.get("calls")), numberIn(stats.get("usec"))];
    if (cmd === field || count === undefined || sum === undefined) continue;
    family.add({ labels: ["cmd", cmd], quantiles, count, sum }, `INFO Latencystats: ${field}`);
  }
}

const INSTANCE = [
  "role",
  "redis_version",
  "redis_build_id",
  "redis_mode",
  "os",
  "maxmemory_policy",
  "tcp_port",
  "run_id",
  "process_id",
  "master_replid",
];
/** Labels that are there where the server has them. */
const INSTANCE_IF_THERE = ["valkey_version", "valkey_release_stage"];

function addIdentity(add: Add, fields: ReadonlyMap<string, string>): void {
  const there = INSTANCE_IF_THERE.filter((field) => fields.has(field));
  const labels = [...INSTANCE, ...there].flatMap((field) => [field, fields.get(field) ?? ""]);
  if (fields.has("redis_version")) {
    add("instance_info", "gauge", 1, { labels, help: "Information about the Redis instance", origin: "INFO" });
  }
  if (fields.get("role") !== "slave") return;
  const slave = ["master_host", "master_port"].flatMap((field) => [field, fields.get(field) ?? ""]);
  const readOnly = ["read_only", fields.get("slave_read_only") ?? ""];
  add("slave_info", "gauge", 1, {
    labels: [...slave, ...readOnly],
    help: "Information about the Redis slave",
    origin: "INFO",
  });
}
