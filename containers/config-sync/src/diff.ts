// `config-sync diff`: what would change if everything were synced now. Nothing in the output is touched.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { changesBetween, readTree } from "@outrigger/files";
import type { FileChanges, FileSet } from "@outrigger/files";
import { choice, option } from "@outrigger/options";
import { defineCommand } from "@outrigger/runtime";

import { compose, layersOf } from "./fetching.ts";
import type { Layer } from "./merge.ts";
import { options } from "./options.ts";
import { outsideWorld, planJobs } from "./plan.ts";
import type { Plan } from "./plan.ts";

const NEVER = new AbortController().signal;

export const diff = defineCommand(options, {
  summary: "Fetches and renders, and prints what would change; 0 means nothing.",
  words: [],
  flags: {
    format: option({
      kind: choice(["text", "json"]),
      default: "text",
      section: "Diff",
      summary: "A line for each file, with `+`, `~` or `-`, or one JSON object for each job.",
    }),
  },
  async run({ options: values, flags: { format }, stdio }) {
    const written = Object.fromEntries(Object.keys(options).map((key) => [key, key])) as Record<
      keyof typeof options,
      string
    >;
    const { plans } = planJobs(values, written, outsideWorld(NEVER));
    let isSame = true;
    // Of a job without an output nothing changes by being synced.
    for (const plan of plans.filter(({ output }) => output !== undefined)) {
      const changes = await changesOf(plan);
      isSame &&= [changes.added, changes.changed, changes.removed].every((paths) => paths.length === 0);
      stdio
        .output()
        .write(format === "json" ? `${JSON.stringify({ job: plan.name, ...changes })}\n` : linesOf(plan, changes));
    }
    return isSame;
  },
});

const linesOf = ({ name }: Plan, { added, changed, removed }: FileChanges): string =>
  [
    ...added.map((path) => `${name}: + ${path}\n`),
    ...changed.map((path) => `${name}: ~ ${path}\n`),
    ...removed.map((path) => `${name}: - ${path}\n`),
  ].join("");

async function changesOf(plan: Plan): Promise<FileChanges> {
  return changesBetween(await published(plan), await fetchOnce(plan));
}

/** What is live in the output; nothing if there is none yet. */
async function published({ output = "", values }: Plan): Promise<FileSet> {
  const limits = { maxFiles: values.maxFiles, maxBytes: values.maxSize };
  return readTree(join(output, "..data"), limits).then(
    ({ files }) => files,
    (error: NodeJS.ErrnoException): FileSet => {
      if (error.code === "ENOENT") return new Map();
      throw error;
    },
  );
}

async function fetchOnce(plan: Plan): Promise<FileSet> {
  const { values } = plan;
  const stateFolder = await mkdtemp(join(tmpdir(), "config-sync-"));
  const sources = plan.sources.map((create) =>
    create({
      limits: { maxFiles: values.maxFiles, maxBytes: values.maxSize },
      onHint: () => undefined,
      isWatched: false,
      rescanMs: values.interval,
      stateFolder,
      onPolling: () => undefined,
      heartbeat: () => () => undefined,
    }),
  );
  try {
    const layers: Layer[] = [];
    for (const source of sources) layers.push(...(await layersOf(plan, source, NEVER)));
    return await compose(plan, layers, () => undefined);
  } finally {
    await Promise.all(sources.map((source) => source.close()));
    await rm(stateFolder, { recursive: true, force: true });
  }
}
