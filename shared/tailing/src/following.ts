// Follows the files of several inputs, one look after the other, and remembers how far it has come.
import { setTimeout as delay } from "node:timers/promises";

import { createCheckpoint } from "./checkpoint.ts";
import type { Mark } from "./checkpoint.ts";
import { createFollower } from "./follow.ts";
import type { Sink } from "./sink.ts";

/** Files by a pattern: an absolute path, in which `*` and `?` stand for characters of a name. */
export type FollowedInput = {
  /** As it is called in the checkpoint. */
  readonly name: string;
  readonly pattern: string;
  /**
   * Makes the sink for a file from a position on; a file that is cut back gets a new one. `beginning` is what is known of the
   * first bytes of the file.
   */
  readonly sinkAt: (path: string, position: number, beginning: Buffer) => Sink;
};

export type FollowingSettings = {
  readonly inputs: readonly FollowedInput[];
  /** A folder for the checkpoint; without it each start begins at the beginning of each file. */
  readonly stateDir: string | undefined;
  /** Milliseconds between two looks. */
  readonly pollInterval: number;
  /** Ends the following, after what it is at. */
  readonly ending: AbortSignal;
  /** Is told of what happens. */
  readonly on: {
    /** A file is read from its beginning again. */
    restarted(reason: "truncated" | "replaced"): void;
    /** A file cannot be read; told once until it can. */
    failed(path: string, error: Error): void;
    /** The checkpoint of the last run cannot be used: reading begins anew. */
    unusable(problem: string): void;
    /** The checkpoint cannot be saved; told once until it can. Reading goes on. */
    unsaved(error: Error): void;
    /** A look at everything is done. */
    looked?(): void;
  };
};

/** Resolves when it was asked to end and all sinks have ended; rejects when a sink does. */
export async function followFiles({ inputs, stateDir, pollInterval, ending, on }: FollowingSettings): Promise<void> {
  const checkpoint = stateDir === undefined ? undefined : createCheckpoint(stateDir);
  const { marks = [], problem } = (await checkpoint?.load()) ?? {};
  if (problem !== undefined) on.unusable(problem);
  const followers = inputs.map(({ name, pattern, sinkAt }) =>
    createFollower(
      { input: name, pattern, sinkAt, isEnding: () => ending.aborted, restarted: on.restarted, failed: on.failed },
      marks.filter((mark: Mark) => mark.input === name),
    ),
  );
  const save = createSaver(on.unsaved, async () => checkpoint?.save(followers.flatMap((one) => one.marks())));
  while (!ending.aborted) {
    let isBehind = false;
    for (const follower of followers) isBehind = (await follower.poll(Date.now())) || isBehind;
    await save();
    on.looked?.();
    // What is behind is not waited for.
    await delay(isBehind ? 0 : pollInterval, undefined, { signal: ending }).catch(() => undefined);
  }
  for (const follower of followers) await follower.end();
  await save();
}

/** Saves, and tells once when that does not work: a restart then reads more again than it had to. */
function createSaver(unsaved: (error: Error) => void, save: () => Promise<void>): () => Promise<void> {
  let isFailing = false;
  return async () => {
    try {
      await save();
      isFailing = false;
    } catch (error) {
      if (!isFailing) unsaved(error as Error);
      isFailing = true;
    }
  };
}
