// A program that makes a page of so many series again and again, by our engine or by prom-client, and prints what it took.
// Ours is built anew for each page, as it is for each scrape; prom-client's registry keeps its series.
import { setTimeout as delay } from "node:timers/promises";

import { encodePage } from "../../../containers/metrics-adapter/src/exposition/encode.ts";
import type { Syntax } from "../../../containers/metrics-adapter/src/exposition/negotiate.ts";
import { createPage } from "../../../containers/metrics-adapter/src/exposition/page.ts";
import { median } from "../statistics.ts";

/** One page a metric of at most so many series, with labels as they are in life. */
const SERIES_PER_METRIC = 1000;
const WARM_UP = 3;

const labelsOf = (at: number): [string, string][] => [
  ["path", `/api/v1/resource/${at % SERIES_PER_METRIC}`],
  ["method", at % 2 === 0 ? "GET" : "POST"],
];
const nameOf = (at: number): string => `bench_metric_${Math.floor(at / SERIES_PER_METRIC)}_total`;

/** Gives the bytes of the page, and how many milliseconds of its making were encoding. */
type MakePage = () => Promise<{ bytes: number; encoding: number }>;

function ours(count: number, syntax: Syntax): MakePage {
  const labels = Array.from({ length: count }, (_, at) => labelsOf(at).flat());
  const names = Array.from({ length: count }, (_, at) => nameOf(at));
  const limits = { maxSeries: Infinity, maxSeriesPerMetric: Infinity, maxLabelValue: 4096 };
  const version = syntax === "openmetrics" ? "1.0.0" : "0.0.4";
  return async () => {
    const page = createPage(limits, (reason, name) => {
      throw new Error(`${name}: ${reason}`);
    });
    let family = page.family({ name: names[0]!, type: "counter", help: "A metric." });
    for (let at = 0; at < count; at++) {
      if (at % SERIES_PER_METRIC === 0) family = page.family({ name: names[at]!, type: "counter", help: "A metric." });
      family.add({ labels: labels[at]!, value: at });
      // As sources do it: others get their turn.
      if (at % SERIES_PER_METRIC === 0) await new Promise((resolve) => void setImmediate(resolve));
    }
    let bytes = 0;
    const began = performance.now();
    for await (const chunk of encodePage(page.families(), { syntax, version, escaping: "underscores" }))
      bytes += chunk.length;
    return { bytes, encoding: performance.now() - began };
  };
}

async function promClient(count: number): Promise<MakePage> {
  // It is what is compared with.
  // oxlint-disable-next-line no-restricted-imports
  const { Counter, Registry } = await import("prom-client");
  const registry = new Registry();
  for (let at = 0; at < count; at += SERIES_PER_METRIC) {
    const counter = new Counter({
      name: nameOf(at),
      help: "A metric.",
      labelNames: ["path", "method"],
      registers: [registry],
    });
    for (let series = at; series < Math.min(at + SERIES_PER_METRIC, count); series++) {
      counter.inc(Object.fromEntries(labelsOf(series)), series);
    }
  }
  return async () => {
    const began = performance.now();
    const bytes = Buffer.byteLength(await registry.metrics());
    return { bytes, encoding: performance.now() - began };
  };
}

/** How long nobody else had a turn, at the longest, while `work` went on. */
async function longestBlock(work: () => Promise<unknown>): Promise<number> {
  let [longest, last] = [0, performance.now()];
  const look = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const timer = setInterval(look, 1);
  await work();
  look();
  clearInterval(timer);
  return longest;
}

const collectGarbage = (globalThis as { gc?: () => void }).gc ?? ((): void => {});
const heapMib = (): number => {
  collectGarbage();
  return process.memoryUsage().heapUsed / 2 ** 20;
};

const [engine = "", count = "", syntax = "text", rounds = "10"] = process.argv.slice(2);
const makePage = engine === "prom-client" ? await promClient(Number(count)) : ours(Number(count), syntax as Syntax);
for (let round = 0; round < WARM_UP; round++) await makePage();
const before = heapMib();
const times: number[] = [];
const blocks: number[] = [];
const encodings: number[] = [];
let bytes = 0;
for (let round = 0; round < Number(rounds); round++) {
  await delay(1);
  const cpu = process.cpuUsage();
  blocks.push(
    await longestBlock(async () => {
      const made = await makePage();
      bytes = made.bytes;
      encodings.push(made.encoding);
    }),
  );
  const { user, system } = process.cpuUsage(cpu);
  times.push((user + system) / 1000);
}
const kept = heapMib() - before;
console.log(
  JSON.stringify({ milliseconds: median(times), encoding: median(encodings), block: median(blocks), kept, bytes }),
);
