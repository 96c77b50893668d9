// Part `config`: how soon a change is there, and what it costs to wait for one.
import { mkdirSync, mkdtempSync } from "node:fs";
import { join } from "node:path";

import { startKubeServer } from "../../../containers/config-sync/test/kube-server.ts";
import { createVolume } from "../../../shared/files/test/kubernetes-volume.ts";
import type { Part, Settings } from "../part.ts";
import { keeps } from "../part.ts";
import { rssAnonOf } from "../proc.ts";
import type { Sample } from "../rounds.ts";
import { measureInTurns } from "../rounds.ts";
import { percentile } from "../statistics.ts";
import { comparisonTable } from "../table.ts";
import { settled } from "../tls/idle.ts";
import { createUndoing, seen, startSync } from "./started.ts";
import type { Undoing } from "./started.ts";

const RUNTIMES = new Map([
  ["ours-node", "node"],
  ["ours-bun", "bun"],
]);
const WORKS = ["file", "api", "thousand"];

type Measure = (runtime: string, scale: Scale, undoing: Undoing) => Promise<Sample>;
type Scale = { readonly folder: string; readonly changes: number; readonly objects: number };

const times = (milliseconds: readonly number[]): Sample => ({
  p50: percentile(milliseconds, 0.5),
  p99: percentile(milliseconds, 0.99),
});

/** The kubelet swaps a mounted ConfigMap: until the application sees it, published. */
const file: Measure = async (runtime, { folder, changes }, undoing) => {
  const source = mkdtempSync(join(folder, "source-"));
  const output = mkdtempSync(join(folder, "output-"));
  const volume = createVolume(source, { "app.conf": "0" });
  const args = ["--source", `dir:${source}`, "--output", output, "--quiet-period", "0", "--interval", "1h"];
  await startSync(runtime, args, undoing);
  await seen(output, "app.conf", "0");
  const taken: number[] = [];
  for (let i = 1; i <= changes; i++) {
    const began = performance.now();
    volume.publish({ "app.conf": String(i) });
    await seen(output, "app.conf", String(i));
    taken.push(performance.now() - began);
  }
  return times(taken);
};

/** The API tells of a changed ConfigMap: until the application sees it. */
const api: Measure = async (runtime, { folder, changes }, undoing) => {
  const server = await startKubeServer(undoing.cleanup);
  const output = mkdtempSync(join(folder, "output-"));
  server.put("configmaps", "app", { "app.conf": "0" });
  const source = `kube:configmap/app?server=${server.url}&namespace=default`;
  await startSync(
    runtime,
    ["--source", source, "--output", output, "--quiet-period", "0", "--interval", "1h"],
    undoing,
  );
  await seen(output, "app.conf", "0");
  const taken: number[] = [];
  for (let i = 1; i <= changes; i++) {
    const began = performance.now();
    server.put("configmaps", "app", { "app.conf": String(i) });
    await seen(output, "app.conf", String(i));
    taken.push(performance.now() - began);
  }
  return times(taken);
};

/** A thousand ConfigMaps of 1 KiB are published and watched. */
const thousand: Measure = async (runtime, { folder, objects }, undoing) => {
  const server = await startKubeServer(undoing.cleanup);
  const output = join(mkdtempSync(join(folder, "output-")), "published");
  mkdirSync(output);
  for (let i = 0; i < objects; i++)
    server.put("configmaps", `map-${i}`, { [`${i}.conf`]: `${i} `.repeat(256) }, { labels: { app: "x" } });
  const source = `kube:configmap?label=app=x&server=${server.url}&namespace=default`;
  const { pid, startedMs } = await startSync(runtime, ["--source", source, "--output", output], undoing);
  const last = `${objects - 1}`;
  await seen(output, `${last}.conf`, `${last} `.repeat(256));
  const memory = await settled(() => rssAnonOf(pid));
  return { start: startedMs, memory: memory / 1024 ** 2 };
};

const LATENCY = [
  { key: "p50", title: "p50 ms", digits: 1 },
  { key: "p99", title: "p99 ms", digits: 1 },
];

async function measure(settings: Settings, work: string, run: Measure, compared: string): Promise<string> {
  const columns =
    work === "thousand"
      ? [
          { key: "start", title: "start ms", digits: 0 },
          { key: "memory", title: "RssAnon MiB", digits: 1 },
        ]
      : LATENCY;
  const subjects = new Map([...RUNTIMES].filter(([name]) => keeps(settings.only, name, [...RUNTIMES.keys()])));
  const scale = { folder: settings.folder, changes: settings.quick ? 20 : 300, objects: settings.quick ? 100 : 1000 };
  const outcomes = await measureInTurns({
    subjects,
    rounds: settings.rounds,
    warmUp: !settings.quick,
    progress: settings.progress,
    measure: async (runtime) => {
      const undoing = createUndoing();
      return run(runtime, scale, undoing).finally(undoing.run);
    },
  });
  return `### ${TITLES[work]!(scale)}\n\n${comparisonTable({ outcomes, columns, compared, references: [] })}`;
}

const TITLES: Readonly<Record<string, (scale: Scale) => string>> = {
  file: ({ changes }) => `A mounted ConfigMap changes: until it is published, ${changes} times`,
  api: ({ changes }) => `The Kubernetes API tells of a changed ConfigMap: until it is published, ${changes} times`,
  thousand: ({ objects }) => `Start-up, and memory with ${objects} ConfigMaps of 1 KiB published and watched`,
};

export const part: Part = {
  title: "config: from a change at its source to the application's disk",
  method: [
    "One container between a source (a folder, or the API server of the tests, which is in the measuring process) and a folder, without a quiet period for the first two.",
    "The time is from the write, or from the event, until a reader of the output finds the new content; each publication is synced to the disk.",
    "RssAnon is the private memory when it has settled after the first publication.",
  ],
  names: [...RUNTIMES.keys(), ...WORKS],
  async run(settings) {
    const works: [string, Measure, string][] = [
      ["file", file, "p99"],
      ["api", api, "p99"],
      ["thousand", thousand, "memory"],
    ];
    const sections: string[] = [];
    for (const [work, run, compared] of works) {
      if (keeps(settings.only, work, WORKS)) sections.push(await measure(settings, work, run, compared));
    }
    return sections.join("\n\n");
  },
};
