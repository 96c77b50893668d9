// PHP-FPM by its status page, over FastCGI itself or through a web server, with php-fpm_exporter's names.
import { parseAddress } from "@outrigger/options";
import * as z from "@outrigger/options/zod";

import type { MetricType } from "../../exposition/model.ts";
import { ask, httpSettings } from "../../http-client.ts";
import type { Section } from "../../source.ts";
import { defineSource } from "../../source.ts";
import { decimalIn } from "../numbers.ts";
import { askFastCgi } from "./fast-cgi.ts";

const DEFAULT_PATH = "/status";

/** `tcp://host:port/path` and `unix:///socket;/path`, as php-fpm_exporter has them. */
function fastCgiOf(uri: string): { address: NonNullable<ReturnType<typeof parseAddress>>; path: string } | undefined {
  const tcp = /^tcp:\/\/([^/]+)(\/.*)?$/.exec(uri);
  const unix = /^unix:\/\/([^;]+)(?:;(\/.*))?$/.exec(uri);
  const address = parseAddress(tcp === null ? `unix:${unix?.[1] ?? ""}` : tcp[1]!, "127.0.0.1");
  return address === undefined ? undefined : { address, path: (tcp ?? unix)?.[2] ?? DEFAULT_PATH };
}

const isHttp = (uri: string): boolean => /^https?:\/\/./.test(uri) && URL.canParse(uri);

const schema = z.strictObject({
  uri: z
    .string()
    .default("tcp://127.0.0.1:9000/status")
    .refine(
      (text) => isHttp(text) || fastCgiOf(text) !== undefined,
      "tcp://host:port/path, unix:///socket;/path or http://host/path",
    ),
  ...httpSettings,
});

const METRICS: readonly (readonly [field: string, name: string, type: MetricType, help: string])[] = [
  ["start since", "start_since", "gauge", "The number of seconds since FPM has started."],
  ["accepted conn", "accepted_connections", "counter", "The number of requests accepted by the pool."],
  ["listen queue", "listen_queue", "gauge", "The number of requests in the queue of pending connections."],
  ["max listen queue", "max_listen_queue", "counter", "The most requests in the queue since FPM has started."],
  ["listen queue len", "listen_queue_length", "gauge", "The size of the socket queue of pending connections."],
  ["idle processes", "idle_processes", "gauge", "The number of idle processes."],
  ["active processes", "active_processes", "gauge", "The number of active processes."],
  ["total processes", "total_processes", "gauge", "The number of idle and active processes."],
  ["max active processes", "max_active_processes", "counter", "The most active processes since FPM has started."],
  ["max children reached", "max_children_reached", "counter", "How often the limit of processes has been reached."],
  ["slow requests", "slow_requests", "counter", "The number of requests that exceeded request_slowlog_timeout."],
];

/** Puts a status, as JSON, on a page. Throws for what is none. */
export function addStatus(section: Section, text: string, uri: string): void {
  let status: Readonly<Record<string, unknown>>;
  try {
    status = JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    throw new Error(`expected the status of PHP-FPM as JSON, got ${JSON.stringify(text.slice(0, 80))}`);
  }
  const pool = status?.["pool"];
  if (typeof pool !== "string") throw new Error("expected the status of a pool, got other JSON");
  for (const [field, name, type, help] of METRICS) {
    const value = decimalIn(String(status[field]));
    if (value === undefined) continue;
    section.point({ name: `phpfpm_${name}`, type, help }, value, ["pool", pool, "scrape_uri", uri], `status ${field}`);
  }
}

export const phpFpm = defineSource<z.infer<typeof schema>>({
  type: "php-fpm",
  prefix: "phpfpm",
  schema,
  targetKey: "uri",
  explain: async ({ uri }, sample, section) => {
    addStatus(section, sample, uri);
    return [];
  },
  create: (settings, { maxBodySize }) => ({
    collect: async (section, { signal }) => {
      const { uri } = settings;
      const separator = uri.includes("?") ? "&" : "?";
      const text = isHttp(uri)
        ? (await ask({ url: `${uri}${separator}json`, settings, maxBodySize, signal })).body
        : await askFastCgi({ ...fastCgiOf(uri)!, query: "json", signal, maxBodySize });
      addStatus(section, text, uri);
    },
  }),
});
