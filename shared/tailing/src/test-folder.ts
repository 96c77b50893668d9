// A folder under the eyes of a follower, on a real disk, for tests.
import { appendFileSync, copyFileSync, existsSync, renameSync, rmSync, truncateSync, utimesSync } from "node:fs";
import { join } from "node:path";

import { tempDir, until } from "@outrigger/testing";
import type { Cleanup } from "@outrigger/testing";

import { createLineSink, followFiles } from "./index.ts";
import type { Sink } from "./index.ts";

/** Runs that were killed keep their files open: a runtime that collected those would fail. */
const DEAD: unknown[] = [];

/** Sinks that take lines for good, when they are let. */
function createOutputs(lines: string[]) {
  let run = { isRefusing: false, isDead: false, stuck: 0 };
  let gate: PromiseWithResolvers<void> | undefined;
  let open = 0;
  return { sinkAt, hold, release, refuse, die, open: () => open };

  function sinkAt(_: string, startAt: number): Sink {
    const ofRun = run;
    const read: string[] = [];
    const sink = createLineSink((line) => void read.push(line), { startAt });
    let taken = startAt;
    const take = async (): Promise<void> => {
      ofRun.stuck++;
      await gate?.promise;
      if (ofRun.isDead) await new Promise((resolve) => DEAD.push(resolve));
      ofRun.stuck--;
      if (ofRun.isRefusing) return;
      lines.push(...read.splice(0));
      taken = sink.position();
    };
    open++;
    return {
      ...sink,
      push: (bytes) => sink.push(bytes).then(take),
      position: () => taken,
      end: async (whole) => {
        open--;
        await sink.end(whole);
        await take();
      },
    };
  }

  /** From now on what is read waits; `held` resolves when something does. */
  function hold(): { held(): Promise<unknown> } {
    gate ??= Promise.withResolvers<void>();
    return { held: () => until(() => run.stuck > 0) };
  }

  function release(): void {
    gate?.resolve();
    gate = undefined;
  }

  /** From now on what is read goes on its way, but is not taken by this run any more. */
  function refuse(): void {
    run.isRefusing = true;
  }

  /** What waits or will wait in this run does so for ever; gives whether something does. */
  function die(): () => boolean {
    const old = run;
    old.isDead = true;
    DEAD.push(gate);
    gate = undefined;
    run = { isRefusing: false, isDead: false, stuck: 0 };
    return () => old.stuck > 0;
  }
}

/** A folder whose files a follower reads by a pattern, with a checkpoint; it may be ended and started again. */
export function createFolder(cleanup: Cleanup, pattern = "*.log") {
  const folder = tempDir(cleanup);
  const at = (name: string): string => join(folder, name);
  const lines: string[] = [];
  const told: string[] = [];
  let ending = new AbortController();
  let looks = 0;
  let following = Promise.resolve();
  const outputs = createOutputs(lines);
  const start = (pollInterval = 10): void => {
    ending = new AbortController();
    following = followFiles({
      inputs: [{ name: "in", pattern: at(pattern), sinkAt: outputs.sinkAt }],
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
    /** Ends a run that has files open as SIGKILL does: what waits is never taken, and nothing more is saved. */
    kill: async () => {
      const isStuck = outputs.die();
      ending.abort();
      await until(isStuck);
      following = Promise.resolve();
    },
    hold: outputs.hold,
    release: outputs.release,
    refuse: outputs.refuse,
    /** Sinks that have not been ended. */
    open: outputs.open,
    /** Resolves after so many more looks at everything. */
    looks: (count: number) => {
      const from = looks;
      return until(() => looks >= from + count);
    },
  };
}

/**
 * A file that is written and rotated, to names with numbers, the latest is 1. Each is of another second: of files that are
 * written at once it is not known which is the older one.
 */
export function createRotated(at: (name: string) => string, { isCopied = false, keep = 9 } = {}) {
  // In the past, so that what was not given a time is later.
  const start = Date.now() / 1000 - 10_000;
  let seconds = 0;
  const age = (path: string): void => {
    seconds++;
    utimesSync(path, start + seconds, start + seconds);
  };
  const path = at("a.log");
  return {
    write: (from: number, to: number): void => {
      appendFileSync(path, numbered(from, to));
      age(path);
    },
    rotate: (): void => {
      rmSync(`${path}.${keep}`, { force: true });
      for (let i = keep; i > 1; i--) if (existsSync(`${path}.${i - 1}`)) renameSync(`${path}.${i - 1}`, `${path}.${i}`);
      if (!isCopied) return renameSync(path, `${path}.1`);
      copyFileSync(path, `${path}.1`);
      age(`${path}.1`);
      truncateSync(path);
      age(path);
    },
  };
}

/** Lines that fill more than the beginning by which files are told apart. */
export const numbered = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, i) => `line ${from + i} ${"x".repeat(60)}\n`).join("");
export const numbersOf = (lines: readonly string[]): number[] => lines.map((line) => Number(line.split(" ")[1]));
export const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
