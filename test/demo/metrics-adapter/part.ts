// The metrics adapter in the demo: the dictionary, with its odd statistics in JSON, and its cache, a Redis, are two unlike
// applications that look the same to Prometheus.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import type { LogRecord } from "@outrigger/testing";
import { findProgram, freePort } from "@outrigger/testing";

import type { ContainerProcess } from "../container.ts";
import type { Part, Pod, RunningPart } from "../part.ts";
import type { Process } from "../process.ts";
import { checksOf } from "./checks.ts";

/** What there is to look at. There is no cache on a machine without redis-server. */
export type Scene = {
  readonly pod: Pod;
  readonly adapter: ContainerProcess;
  readonly port: number;
  readonly cache: { readonly process: Process; readonly port: number } | undefined;
};

/** The dictionary's statistics: names and units that nobody else has. */
const STATISTICS = [
  {
    name: "dictionary_lookups_total",
    help: "Words that were looked up, by result.",
    path: "{.Lookups}",
    key_label: "result",
    valuetype: "counter",
  },
  {
    name: "dictionary_request_duration_average_seconds",
    help: "How long a request takes on average.",
    path: "{.avgReqTime}",
    valuetype: "gauge",
    regex: "^([0-9.]+)ms$",
    scale: 0.001,
  },
  {
    name: "dictionary_memory_bytes",
    help: "Memory that it uses.",
    path: "{.mem}",
    valuetype: "gauge",
    regex: "^([0-9.]+) MB$",
    scale: 1_048_576,
  },
];

async function startCache(pod: Pod): Promise<Scene["cache"]> {
  const program = findProgram("redis-server");
  if (program === undefined) {
    pod.say("there is no redis-server here, so the dictionary has no cache to look at");
    return undefined;
  }
  // Redis takes no port 0.
  const port = (await pod.portFor(6379)) || (await freePort());
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", pod.folder];
  const process = pod.startProgram({ label: "cache", program, args });
  await process.waitForLine((line) => (line.includes("Ready to accept connections") ? true : undefined));
  return { process, port };
}

/** `cache answers` */
function compact({ msg, source, error }: LogRecord): string | undefined {
  if (source === undefined) return undefined;
  return `${String(source)}: ${msg}${error === undefined ? "" : ` (${String(error)})`}`;
}

async function start(pod: Pod): Promise<RunningPart> {
  const cache = await startCache(pod);
  const config = join(pod.folder, "metrics-adapter.yaml");
  const json = {
    type: "json",
    name: "dictionary",
    url: `http://${pod.application.address}/stats`,
    metrics: STATISTICS,
  };
  const redis = cache && { type: "redis", name: "cache", address: `redis://127.0.0.1:${cache.port}` };
  writeFileSync(config, JSON.stringify({ sources: [json, ...(redis === undefined ? [] : [redis])] }, null, 2));
  const flags: Readonly<Record<string, string>> = {
    config,
    listen: `127.0.0.1:${await pod.portFor(9464)}`,
    "admin-listen": `127.0.0.1:${await pod.portFor(9912)}`,
    "drain-delay": "0",
    "shutdown-timeout": "5s",
  };
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
  const adapter = pod.startContainer("metrics-adapter", { label: "metrics", args, compact });
  await adapter.ready();
  const [port, adminPort] = [await adapter.portOf("metrics"), await adapter.portOf("admin")];
  const scene: Scene = { pod, adapter, port, cache };
  const url = `http://127.0.0.1:${port}`;
  return {
    processes: cache === undefined ? [adapter] : [adapter, cache.process],
    listeners: [
      { who: "metrics", url, what: "the dictionary and its cache, for Prometheus" },
      { who: "", url: `http://127.0.0.1:${adminPort}`, what: "its admin" },
    ],
    files: [{ names: "metrics-adapter.yaml", what: "what metrics-adapter reads, and how" }],
    tries: [
      { what: "What Prometheus sees of the dictionary and its cache", command: `curl ${url}/metrics` },
      { what: "Where each of these values comes from", command: `curl '${url}/metrics?debug=true'` },
    ],
    keys: [],
    checks: checksOf(scene),
  };
}

export const part: Part = {
  summary:
    "metrics-adapter makes the dictionary and its cache look the same to Prometheus, each of which tells of itself in its own way",
  start,
};
