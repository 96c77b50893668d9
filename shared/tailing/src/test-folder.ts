// A folder under the eyes of a follower, on a real disk, for tests.
import { join } from "node:path";

import { tempDir, until } from "@outrigger/testing";
import type { Cleanup } from "@outrigger/testing";

import { createLineSink, followFiles } from "./index.ts";
import type { Sink } from "./index.ts";

/** A folder whose files a follower reads by a pattern, with a checkpoint; it may be ended and started again. */
export function createFolder(cleanup: Cleanup, pattern = "*.log") {
  const folder = tempDir(cleanup);
  const at = (name: string): string => join(folder, name);
  const lines: string[] = [];
  const told: string[] = [];
  let ending = new AbortController();
  let looks = 0;
  let open = 0;
  let following = Promise.resolve();
  const sinkAt = (_: string, startAt: number): Sink => {
    const sink = createLineSink((line) => void lines.push(line), { startAt });
    open++;
    return { ...sink, end: (whole) => (open--, sink.end(whole)) };
  };
  const start = (pollInterval = 10): void => {
    ending = new AbortController();
    following = followFiles({
      inputs: [{ name: "in", pattern: at(pattern), sinkAt }],
      stateDir: at("state"),
      pollInterval,
      ending: ending.signal,
      on: {
        restarted: (reason) => void told.push(reason),
        failed: (path, error) => void told.push(`${path}: ${error.message}`),
        unusable: (problem) => void told.push(problem),
        unsaved: (error) => void told.push(error.message),
        looked: () => void looks++,
      },
    });
  };
  const stop = async (): Promise<void> => {
    ending.abort();
    await following;
  };
  cleanup(stop);
  start();
  return {
    at,
    lines,
    told,
    start,
    stop,
    /** Looks at everything once, as a run that ends before it has let anything go. */
    lookOnce: async () => {
      const from = looks;
      start(60_000);
      await until(() => looks > from);
      await stop();
    },
    /** Sinks that have not been ended. */
    open: () => open,
    /** Resolves after so many more looks at everything. */
    looks: (count: number) => {
      const from = looks;
      return until(() => looks >= from + count);
    },
  };
}

/** Lines that fill more than the beginning by which files are told apart. */
export const numbered = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, i) => `line ${from + i} ${"x".repeat(60)}\n`).join("");
export const numbersOf = (lines: readonly string[]): number[] => lines.map((line) => Number(line.split(" ")[1]));
export const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
