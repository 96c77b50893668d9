// What is measured: pages of many series, scrapes of a Redis, and StatsD without loss.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { until } from "@outrigger/testing";

import { cpuTimeBetween, cpuTimeOf, rssAnonOf } from "../proc.ts";
import type { Sample } from "../rounds.ts";
import type { Column } from "../table.ts";
import { sendStatsd } from "./statsd-load.ts";
import type { Exporter } from "./subjects.ts";
import { RUNTIMES, startAdapter, startRedisExporter } from "./subjects.ts";

export type Surroundings = {
  readonly bundle: string;
  readonly folder: string;
  readonly redis: string;
  readonly quick: boolean;
};

export type Work = {
  readonly name: string;
  readonly title: string;
  readonly subjects: readonly string[];
  readonly columns: readonly Column[];
  readonly compared: string;
  readonly references: readonly string[];
  measure(subject: string, around: Surroundings): Promise<Sample>;
};

/** Runs the page program to its end. */
function makePages(
  subject: string,
  count: number,
  { syntax = "text", quick }: { syntax?: string; quick: boolean },
): Sample {
  const runtime = RUNTIMES[subject] ?? process.execPath;
  const engine = subject.startsWith("prom-client") ? "prom-client" : "ours";
  const flags = runtime === process.execPath ? ["--expose-gc"] : [];
  const args = [...flags, join(import.meta.dirname, "page.ts"), engine, String(count), syntax, quick ? "2" : "10"];
  const made = JSON.parse(execFileSync(runtime, args, { encoding: "utf8" })) as Record<string, number>;
  return { ...made, each: (made["milliseconds"]! * 1000) / count, size: made["bytes"]! / 2 ** 20 } as Sample;
}

const PAGE_SERIES = 100_000;

const page: Work = {
  name: "page",
  title: `A page of ${PAGE_SERIES.toLocaleString("en")} series, text 0.0.4`,
  subjects: ["ours-node", "ours-bun", "prom-client"],
  columns: [
    { key: "milliseconds", title: "CPU ms/page", digits: 0 },
    { key: "encoding", title: "of which encoding", digits: 0 },
    { key: "each", title: "us/series", digits: 2 },
    { key: "block", title: "longest block ms", digits: 0 },
    { key: "kept", title: "heap kept MiB", digits: 1 },
    { key: "size", title: "page MiB", digits: 1 },
  ],
  compared: "milliseconds",
  references: ["prom-client"],
  measure: async (subject, { quick }) => makePages(subject, quick ? 1000 : PAGE_SERIES, { quick }),
};

const perSeries = (syntax: string): Work => ({
  name: `series-${syntax}`,
  title: `The cost of a series, ${syntax}: pages of 100 000`,
  subjects: ["ours-node", "ours-bun"],
  columns: [
    { key: "milliseconds", title: "CPU ms/page", digits: 0 },
    { key: "each", title: "us/series", digits: 2 },
    { key: "block", title: "longest block ms", digits: 0 },
    { key: "size", title: "page MiB", digits: 1 },
  ],
  compared: "each",
  references: ["ours-node"],
  measure: async (subject, { quick }) => makePages(subject, quick ? 1000 : PAGE_SERIES, { syntax, quick }),
});

const SCRAPES = 500;

async function measureScrapes(exporter: Exporter, scrapes: number): Promise<Sample> {
  try {
    for (let warming = 0; warming < Math.min(scrapes, 200); warming++) await exporter.scrape();
    const before = cpuTimeOf(exporter.pid);
    const began = performance.now();
    let series = 0;
    for (let scrape = 0; scrape < scrapes; scrape++) {
      const { samples, value } = await exporter.scrape();
      if (value("redis_up") !== 1) throw new Error("expected redis_up 1, got 0");
      series = samples.length;
    }
    const wall = performance.now() - began;
    const { user, system } = cpuTimeBetween(before, cpuTimeOf(exporter.pid));
    const cpu = (user + system) / 1000 / scrapes;
    return {
      cpu,
      each: (cpu * 1000) / series,
      series,
      wall: wall / scrapes,
      memory: rssAnonOf(exporter.pid) / 2 ** 20,
    };
  } finally {
    await exporter.stop();
  }
}

const redis: Work = {
  name: "redis",
  title: `Scrapes of a Redis, ${SCRAPES} one after the other`,
  subjects: ["ours-node", "ours-bun", "redis_exporter"],
  columns: [
    { key: "cpu", title: "CPU ms/scrape", digits: 2 },
    { key: "each", title: "CPU us/sample", digits: 1 },
    { key: "series", title: "samples", digits: 0 },
    { key: "wall", title: "ms/scrape", digits: 2 },
    { key: "memory", title: "RssAnon MiB afterwards", digits: 1 },
  ],
  compared: "cpu",
  references: ["redis_exporter"],
  measure: async (subject, { bundle, folder, redis: url, quick }) => {
    const log = join(folder, `${subject}-redis.log`);
    const runtime = RUNTIMES[subject];
    const exporter =
      runtime === undefined
        ? await startRedisExporter(url, log)
        : await startAdapter(bundle, { runtime, args: ["--redis", `--redis-address=${url}`], log });
    return measureScrapes(exporter, quick ? 20 : SCRAPES);
  },
};

const LINES_PER_SECOND = 100_000;

const statsd: Work = {
  name: "statsd",
  title: `StatsD, ${LINES_PER_SECOND.toLocaleString("en")} lines/s in packets of 1,400 bytes, while it is scraped each second`,
  subjects: ["ours-node", "ours-bun"],
  columns: [
    { key: "rate", title: "lines/s sent", digits: 0 },
    { key: "lost", title: "lines lost", digits: 0 },
    { key: "each", title: "CPU us/line", digits: 2 },
    { key: "core", title: "share of a core", digits: 2 },
    { key: "memory", title: "RssAnon MiB afterwards", digits: 1 },
  ],
  compared: "each",
  references: ["ours-node"],
  measure: async (subject, { bundle, folder, quick }) => {
    const config = join(folder, `${subject}-statsd.json`);
    writeFileSync(config, JSON.stringify({ sources: [{ type: "statsd", listenUdp: "127.0.0.1:0", listenTcp: "" }] }));
    const log = join(folder, `${subject}-statsd.log`);
    const adapter = await startAdapter(bundle, { runtime: RUNTIMES[subject]!, args: [`--config=${config}`], log });
    const scraping = setInterval(() => void adapter.scrape().catch(() => {}), 1000);
    try {
      const port = adapter.portOf("statsd-udp");
      await sendStatsd({ port, linesPerSecond: LINES_PER_SECOND, seconds: 1 });
      return await measureStatsd(adapter, { port, seconds: quick ? 1 : 5 });
    } finally {
      clearInterval(scraping);
      await adapter.stop();
    }
  },
};

async function settledLines({ scrape }: Exporter): Promise<number> {
  const count = async (): Promise<number> => (await scrape()).value("statsd_exporter_lines_total") ?? 0;
  let before = -1;
  return until(
    async () => {
      const now = await count();
      const settled = now === before && now;
      before = now;
      return settled;
    },
    { timeoutMs: 20_000 },
  );
}

async function measureStatsd(adapter: Exporter, { port, seconds }: { port: number; seconds: number }): Promise<Sample> {
  const linesBefore = await settledLines(adapter);
  const before = cpuTimeOf(adapter.pid);
  const sent = await sendStatsd({ port, linesPerSecond: LINES_PER_SECOND, seconds });
  const counted = (await settledLines(adapter)) - linesBefore;
  const { user, system } = cpuTimeBetween(before, cpuTimeOf(adapter.pid));
  const cpu = user + system;
  return {
    rate: sent.lines / sent.seconds,
    lost: sent.lines - counted,
    each: cpu / counted,
    core: cpu / 1e6 / sent.seconds,
    memory: rssAnonOf(adapter.pid) / 2 ** 20,
  };
}

export const WORKS: readonly Work[] = [page, perSeries("openmetrics"), perSeries("protobuf"), redis, statsd];
