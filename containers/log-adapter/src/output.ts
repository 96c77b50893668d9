// Where records go. A write is repeated until it has succeeded, so that what is read waits for what is written.
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import type { Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";

import type { Logger, Readiness } from "@outrigger/runtime";

export type Output = {
  /** Resolves when the text has been taken; rejects only when the output has been closed before. */
  write(text: string): Promise<void>;
  close(): Promise<void>;
};

export type OutputSurroundings = {
  readonly log: Logger;
  readonly readiness: Readiness;
  readonly stdout: () => Writable;
  countError(): void;
};

const RETRY_MS = 500;

/** The output that `stdout` or `file:/path` names. */
export function createOutput(spec: string, surroundings: OutputSurroundings): Output {
  return spec === "stdout" ? createStreamOutput(surroundings.stdout()) : createFileOutput(spec, surroundings);
}

function createStreamOutput(stream: Writable): Output {
  let failed: Error | undefined;
  stream.on("error", (error: Error) => (failed = error));
  return {
    write: (text) =>
      new Promise((resolve, reject) => {
        if (failed !== undefined) return reject(failed);
        stream.write(text, (error) => (error ? reject(error) : resolve()));
      }),
    close: async () => undefined,
  };
}

function createFileOutput(spec: string, { log, readiness, countError }: OutputSurroundings): Output {
  const path = spec.slice("file:".length);
  const condition = `output ${spec}`;
  const closing = new AbortController();
  let handle: FileHandle | undefined;
  let isFailing = false;
  readiness.set(condition, true);
  return {
    write: async (text) => {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length;) at += await attempt(bytes, at);
    },
    close: async () => {
      closing.abort();
      await handle?.close();
    },
  };

  /** How many bytes have been written: none after a failure, which is waited out. */
  async function attempt(bytes: Buffer, at: number): Promise<number> {
    try {
      handle ??= await open(path, "a");
      const { bytesWritten } = await handle.write(bytes, at);
      if (isFailing) tell(undefined);
      return bytesWritten;
    } catch (error) {
      countError();
      if (!isFailing) tell((error as Error).message);
      await delay(RETRY_MS, undefined, { signal: closing.signal });
      return 0;
    }
  }

  function tell(problem: string | undefined): void {
    isFailing = problem !== undefined;
    readiness.set(condition, !isFailing, `${path}: ${problem ?? ""}`);
    if (problem === undefined) log.info({ output: spec }, "output takes records again");
    else log.warn({ output: spec, error: problem }, "output does not take records");
  }
}
