// Exposes a container's metrics through prom-client, together with the ones that every container and process has.
import { readdirSync } from "node:fs";

import { Registry } from "prom-client";

import type { MetricStore } from "./metric-store.ts";
import type { Metric, MetricTable } from "./metric-table.ts";
import { counter, gauge } from "./metric-table.ts";

/** The metrics of every container: the same names everywhere, so that one dashboard and one alert serve all. */
export const commonMetrics = {
  buildInfo: gauge("outrigger_build_info", "Always 1; its labels say what is running.", {
    container: "its name",
    version: "its version",
    runtime: "`node` or `bun`, with its version",
  }),
  ready: gauge("outrigger_ready", "1 while the container is ready, as /readyz says, else 0."),
  reloads: counter("outrigger_reloads_total", "Reloads by outcome; a refused one leaves the old configuration live.", {
    outcome: ["applied", "unchanged", "refused"],
  }),
  lastReload: gauge("outrigger_last_reload_success_timestamp_seconds", "When a configuration was last applied."),
  refusedAdmin: counter("outrigger_admin_requests_refused_total", "Changing admin requests refused, by reason.", {
    reason: ["not_loopback", "bad_token"],
  }),
  cpu: counter("process_cpu_seconds_total", "User and system CPU time spent, in seconds."),
  memory: gauge("process_resident_memory_bytes", "Resident memory size, in bytes."),
  startTime: gauge("process_start_time_seconds", "Start time of the process since the Unix epoch, in seconds."),
  openFiles: gauge("process_open_fds", "Number of open file descriptors."),
} as const;

/** Reads the process's own numbers into the store, just before a scrape. */
export function sampleProcess({ metrics }: MetricStore<typeof commonMetrics>): void {
  const { user, system } = process.cpuUsage();
  metrics.cpu.cell({}).set((user + system) / 1e6);
  metrics.memory.cell({}).set(process.memoryUsage.rss());
  metrics.startTime.cell({}).set(Math.round(Date.now() / 1000 - process.uptime()));
  try {
    metrics.openFiles.cell({}).set(readdirSync("/proc/self/fd").length);
  } catch {
    // Only Linux has /proc; elsewhere the number stays 0.
  }
}

/** A registry that reads the given stores whenever it is scraped. */
export function createRegistry(...sources: { table: MetricTable; store: MetricStore<MetricTable> }[]): Registry {
  const registry = new Registry();
  for (const { table, store } of sources) {
    for (const metric of Object.values(table)) registry.registerMetric(exposed(metric, store) as never);
  }
  return registry;
}

/** The part of prom-client's metric interface that its registry uses to write the text. */
function exposed(metric: Metric, store: MetricStore<MetricTable>): object {
  const { name, help, type } = metric;
  return { name, get: async () => ({ name, help, type, aggregator: "sum", values: store.samplesOf(metric) }) };
}
