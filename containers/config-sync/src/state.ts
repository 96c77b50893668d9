import { readFile } from "node:fs/promises";
// What a job has to know after a restart, in a file beside what it has published: what has been announced and confirmed,
// what the application has refused, and what the operator has asked for.
import { join } from "node:path";

import { replaceFile } from "@outrigger/files";

export type State = {
  /** The revision that everybody has been told of. */
  readonly announced?: string;
  /** The folder of the last revision that the application has confirmed, or that needed no confirmation. */
  readonly confirmed?: string;
  /** Revisions that the application has refused. */
  readonly refused: readonly string[];
  /** The folder of the revision that is to stay. */
  readonly pinned?: string;
  readonly paused: boolean;
};

const INITIAL: State = { refused: [], paused: false };
/** Refused revisions that are remembered. */
const MAX_REFUSED = 20;

export type StateFile = {
  readonly current: State;
  /** Changes some of it; it is on the disk when the promise resolves. */
  update(changes: { [K in keyof State]?: State[K] | undefined }): Promise<void>;
};

/** Opens the state beside the output; what cannot be read is as if it were not there. Without an output none outlasts the process. */
export async function openState(output: string | undefined, isKept: boolean): Promise<StateFile> {
  const path = output === undefined ? undefined : join(output, "..config-sync.json");
  let current = path === undefined ? INITIAL : await readFile(path, "utf8").then(parseState, () => INITIAL);
  let written: Promise<void> = Promise.resolve();
  return {
    get current() {
      return current;
    },
    update: async (changes) => {
      const next = { ...current, ...changes } as State;
      current = { ...next, refused: next.refused.slice(-MAX_REFUSED) };
      if (path === undefined || !isKept) return;
      // One after the other, whoever asks: the operator does not wait for a round to end.
      const write = (): Promise<void> => replaceFile(path, `${JSON.stringify({ version: 1, ...current })}\n`);
      await (written = written.then(write, write));
    },
  };
}

/** What is not as we write it counts as not there. */
function parseState(text: string): State {
  let given: Record<string, unknown>;
  try {
    given = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return INITIAL;
  }
  const known = ["announced", "confirmed", "pinned"].filter((key) => typeof given[key] === "string");
  const refused = Array.isArray(given["refused"]) ? given["refused"].filter((item) => typeof item === "string") : [];
  return { ...Object.fromEntries(known.map((key) => [key, given[key]])), refused, paused: given["paused"] === true };
}
