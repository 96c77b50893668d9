// Metrics from the lines of log files, which are followed through rotation.
import { statSync } from "node:fs";

import type { Sink } from "@outrigger/tailing";
import { createLineSink, followFiles } from "@outrigger/tailing";

import type { Section, Source, SourceServices } from "../../source.ts";
import { defineSource } from "../../source.ts";
import type { LogEngine } from "./engine.ts";
import { createLogEngine, logProblems, REFUSED } from "./engine.ts";
import type { LogSettings } from "./settings.ts";
import { logSchema } from "./settings.ts";

const RESULTS = ["matched", "ignored", "too_long"] as const;
type Counts = Record<(typeof RESULTS)[number], number> & { restarted: number; failures: number };

/** Follows the files; resolves after the first look, so that what is written from then on counts. */
async function createLog(settings: LogSettings, { log, name }: SourceServices): Promise<Source> {
  const engine = createLogEngine(settings);
  const counts: Counts = { matched: 0, ignored: 0, too_long: 0, restarted: 0, failures: 0 };
  const ending = new AbortController();
  let failure: Error | undefined;
  const firstLook = Promise.withResolvers<void>();
  let isFirstLook = true;
  const onLine = (line: string, flags: readonly string[]): void => {
    if (flags.includes("truncated")) counts.too_long++;
    else counts[engine.take(line) ? "matched" : "ignored"]++;
  };
  const { maxLine, stateDir, readAll } = settings;
  const sinkAt = (path: string, position: number): Sink =>
    isFirstLook && stateDir === undefined && !readAll
      ? createSinkAfter(sizeOf(path), onLine, maxLine)
      : createLineSink(onLine, { startAt: position, maxLine });
  const following = followFiles({
    inputs: settings.files.map((pattern) => ({ name: pattern, pattern, sinkAt })),
    stateDir,
    pollInterval: settings.pollIntervalSeconds * 1000,
    ending: ending.signal,
    on: {
      restarted: () => counts.restarted++,
      failed: (path, error) => {
        counts.failures++;
        log.warn({ source: name, path, error: error.message }, "file not readable");
      },
      unusable: (problem) => log.warn({ source: name, problem }, "checkpoint not usable, reading from the beginning"),
      unsaved: (error) => log.error({ source: name, error: error.message }, "checkpoint not saved"),
      looked: () => {
        isFirstLook = false;
        firstLook.resolve();
      },
    },
  }).catch((error: Error) => {
    failure = error;
    firstLook.resolve();
  });
  await firstLook.promise;
  return {
    collect: async (section) => {
      addCounts(section, counts, engine);
      await engine.store.collect(section);
      if (failure !== undefined) throw failure;
    },
    close: () => {
      ending.abort();
      return following;
    },
  };
}

/** The size in bytes of what a file has; one that has gone meanwhile has none, what is compressed will not grow. */
const sizeOf = (path: string): number =>
  path.endsWith(".gz") ? Infinity : (statSync(path, { throwIfNoEntry: false })?.size ?? 0);

/** A sink that leaves out what a file had when it was `size` bytes long, the line that had not ended then included. */
function createSinkAfter(size: number, onLine: Parameters<typeof createLineSink>[0], maxLine: number): Sink {
  if (size === 0) return createLineSink(onLine, { maxLine });
  let isOld = true;
  const startAt = size - 1;
  const sink = createLineSink(
    (line, flags) => {
      if (!isOld) onLine(line, flags);
      isOld = false;
    },
    { startAt, maxLine },
  );
  let at = 0;
  return {
    ...sink,
    push: async (bytes) => {
      const skipped = Math.min(bytes.length, Math.max(0, startAt - at));
      at += bytes.length;
      if (skipped < bytes.length) await sink.push(bytes.subarray(skipped));
    },
    position: () => (at < size ? at : sink.position()),
  };
}

function addCounts(section: Section, counts: Counts, { refused }: LogEngine): void {
  const lines = section.family({ name: "log_lines_total", type: "counter", help: "Lines read, by what came of them." });
  for (const result of RESULTS) lines.add({ labels: ["result", result], value: counts[result] });
  const help = "Values of lines that are on no page, by reason.";
  const values = section.family({ name: "log_values_refused_total", type: "counter", help });
  for (const reason of REFUSED) values.add({ labels: ["reason", reason], value: refused[reason] });
  const counter = (name: string, what: string, value: number): void =>
    section.point({ name, type: "counter", help: what }, value);
  counter("log_file_restarts_total", "Files read from their beginning again: cut back, or replaced.", counts.restarted);
  counter("log_file_failures_total", "Times that a file could not be read any more.", counts.failures);
}

export const log = defineSource<LogSettings>({
  type: "log",
  prefix: "log",
  schema: logSchema,
  check: logProblems,
  explain: async (settings, sample, section) => {
    const { take, store } = createLogEngine(settings);
    const lines = sample.split(/\r?\n/).filter((line) => line !== "");
    const unwanted = lines.filter((line) => !take(line));
    await store.collect(section);
    return unwanted;
  },
  create: createLog,
});
