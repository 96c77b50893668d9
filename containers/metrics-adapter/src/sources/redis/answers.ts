// What CONFIG, SLOWLOG and LATENCY answer, as redis_exporter makes metrics of it.
import type { Reply } from "@outrigger/redis";

import type { Section } from "../../source.ts";
import { addTo } from "./info-metrics.ts";
import type { Info } from "./info.ts";
import { numberIn, parsePairs } from "./info.ts";

const listOf = (reply: Reply | undefined): readonly Reply[] => (Array.isArray(reply) ? reply : []);

/** The parameters of CONFIG GET, by name. */
export function configOf(reply: Reply | undefined): ReadonlyMap<string, string> {
  const items = listOf(reply).map(String);
  return new Map(items.flatMap((name, at) => (at % 2 === 0 ? [[name, items[at + 1] ?? ""] as const] : [])));
}

/** Parameters that are metrics of their own. */
const CONFIG_METRICS = ["maxmemory", "maxclients", "io-threads", "repl-backlog-size"];
/** Their values are nobody's business. */
const SECRET_PARAMETERS = /pass|auth|tls-key/;

export function addConfig(section: Section, config: ReadonlyMap<string, string>, all: boolean): void {
  const add = addTo(section);
  for (const name of CONFIG_METRICS) {
    const origin = `CONFIG GET ${name}`;
    add(`config_${name.replaceAll("-", "_")}`, "gauge", numberIn(config.get(name)), { origin });
  }
  addBufferLimits(section, config.get("client-output-buffer-limit") ?? "");
  if (!all) return;
  for (const [name, value] of config) {
    const [origin, number] = [`CONFIG GET ${name}`, numberIn(value)];
    const shown = SECRET_PARAMETERS.test(name) ? "" : value;
    add("config_key_value", "gauge", 1, {
      labels: ["key", name, "value", shown],
      help: "Config key and value",
      origin,
    });
    if (number === undefined) continue;
    add("config_value", "gauge", number, { labels: ["key", name], help: "Config key and value as metric", origin });
  }
}

/** `normal 0 0 0 slave 268435456 67108864 60`: class, hard limit, soft limit, seconds above the soft limit. */
function addBufferLimits(section: Section, text: string): void {
  const add = addTo(section);
  const words = text.split(/\s+/);
  for (let at = 0; at + 3 < words.length; at += 4) {
    const [name = "", hard, soft, seconds] = words.slice(at, at + 4);
    const limit = (kind: string): { labels: string[]; help: string; origin: string } => ({
      labels: ["class", name, "limit", kind],
      help: "Client output buffer limit",
      origin: "CONFIG GET client-output-buffer-limit",
    });
    add("config_client_output_buffer_limit_bytes", "gauge", numberIn(hard), limit("hard"));
    add("config_client_output_buffer_limit_bytes", "gauge", numberIn(soft), limit("soft"));
    add("config_client_output_buffer_limit_overcome_seconds", "gauge", numberIn(seconds), limit("soft"));
  }
}

/** `slowest` is the answer to SLOWLOG GET 1: the entry that came last. */
export function addSlowlog(section: Section, length: Reply | undefined, slowest: Reply | undefined): void {
  const add = addTo(section);
  if (typeof length !== "number") return;
  add("slowlog_length", "gauge", length, { help: "Total slowlog", origin: "SLOWLOG LEN" });
  const [id = 0, , microseconds = 0] = listOf(listOf(slowest)[0]);
  const origin = "SLOWLOG GET 1";
  add("slowlog_last_id", "gauge", Number(id), { help: "Last id of slowlog", origin });
  const help = "The amount of time needed for last slow execution, in seconds";
  add("last_slow_execution_duration_seconds", "gauge", Number(microseconds) / 1e6, { help, origin });
}

/** The answer to LATENCY LATEST: name, time, milliseconds, and the worst, of each event. */
export function addLatencyEvents(section: Section, latest: Reply | undefined): void {
  const add = addTo(section);
  for (const event of listOf(latest)) {
    const [name = "", time, milliseconds] = listOf(event);
    const options = { labels: ["event_name", String(name)], origin: "LATENCY LATEST" };
    const when = "When the latency spike last occurred";
    add("latency_spike_last", "gauge", Number(time), { ...options, help: when });
    const help = "Length of the last latency spike in seconds";
    add("latency_spike_duration_seconds", "gauge", Number(milliseconds) / 1000, { ...options, help });
  }
}

/** The answer to LATENCY HISTOGRAM: of each command, its calls and a row of bounds in microseconds with their counts. */
export function addLatencyHistograms(section: Section, reply: Reply | undefined, { sections }: Info): void {
  const name = "redis_commands_latencies_usec";
  const help = "A histogram of latencies per command";
  const family = section.family({ name, type: "histogram", help });
  const commands = listOf(reply);
  for (let at = 0; at + 1 < commands.length; at += 2) {
    const cmd = String(commands[at]);
    const details = listOf(commands[at + 1]);
    const rows = listOf(details[3]).map(Number);
    const buckets = rows.flatMap((le, row) => (row % 2 === 0 ? [{ le, count: rows[row + 1] ?? 0 }] : []));
    const count = buckets.at(-1)?.count ?? 0;
    const sum = numberIn(parsePairs(sections.get("Commandstats")?.get(`cmdstat_${cmd}`) ?? "").get("usec")) ?? 0;
    family.add({ labels: ["cmd", cmd], buckets, sum, count }, `LATENCY HISTOGRAM: ${cmd}`);
  }
}
