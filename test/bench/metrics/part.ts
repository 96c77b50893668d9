// Part `metrics`: what a series, a scrape and a pushed line cost.
import { join } from "node:path";

import { bundle } from "../../../scripts/bundle.ts";
import type { Part, Settings } from "../part.ts";
import { keeps } from "../part.ts";
import { findProgram, versionOf } from "../programs.ts";
import { measureInTurns } from "../rounds.ts";
import { comparisonTable } from "../table.ts";
import { startRedis } from "./subjects.ts";
import type { Surroundings, Work } from "./works.ts";
import { WORKS } from "./works.ts";

const names = [...new Set(WORKS.flatMap(({ name, subjects }) => [name, ...subjects]))];

async function measureWork(work: Work, around: Surroundings, settings: Settings): Promise<string> {
  settings.progress(work.title);
  const subjects = work.subjects.filter((name) => keeps(settings.only, name, work.subjects));
  const outcomes = await measureInTurns({
    subjects: new Map(subjects.map((name) => [name, name])),
    rounds: settings.rounds,
    // Each subject is a new process, which warms up by itself.
    warmUp: false,
    progress: settings.progress,
    measure: async (name) => work.measure(name, around),
  });
  const { columns, compared, references } = work;
  return `### ${work.title}\n\n${comparisonTable({ outcomes, columns, compared, references })}`;
}

async function run(settings: Settings): Promise<string> {
  const { folder, only, quick } = settings;
  const adapter = await bundle(join(import.meta.dirname, "../../../containers/metrics-adapter"));
  const redis = await startRedis(folder);
  try {
    const around = { bundle: adapter, folder, redis: redis.url, quick };
    const workNames = WORKS.map(({ name }) => name);
    const exporter = findProgram("prometheus-redis-exporter");
    const version = exporter === undefined ? "not installed" : versionOf([exporter, "-version"], /Exporter (\S+)/);
    const blocks = [`Node ${process.versions.node}, prom-client 15.1.3, redis_exporter ${version}.`];
    for (const work of WORKS.filter(({ name }) => keeps(only, name, workNames))) {
      blocks.push(await measureWork(work, around, settings));
    }
    return blocks.join("\n\n");
  } finally {
    await redis.stop();
  }
}

export const part: Part = {
  title: "metrics: pages of many series, scrapes of a Redis, and StatsD",
  method: [
    "A page is 100 metrics of 1,000 series with two labels. Ours is built and encoded anew each time, as for a scrape; prom-client's registry keeps its series and is only written. After three pages of warming up, the median of ten; the longest time that nothing else had a turn; the heap that stays.",
    "CPU is user + system time of the process, from /proc/<pid>/stat or process.cpuUsage(). Redis, load and scraper do not count.",
    "In turns over the rounds, each subject as a new process each time.",
  ],
  names,
  run,
};
