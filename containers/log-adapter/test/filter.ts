// The adapter as a filter, between standard input and output.
import { spawn } from "node:child_process";
import { join } from "node:path";

import type { Cleanup } from "@outrigger/testing";
import { repository, runtimePath } from "@outrigger/testing";

import { parseRecords } from "./adapter.ts";
import type { OtelRecord } from "./adapter.ts";

export type Filter = {
  write(text: string | Buffer): void;
  /** Ends its input; resolves when it has ended, with everything it wrote. */
  end(text?: string | Buffer): Promise<Ended>;
  /** The records so far. */
  records(): OtelRecord[];
  /** What it has said so far on standard error. */
  errors(): string;
  /** Ends it at once. */
  kill(): void;
  /** Asks it to end. */
  terminate(): void;
  readonly ended: Promise<number | null>;
};
export type Ended = {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
  readonly records: OtelRecord[];
};

/** Starts the adapter on the runtime under test. */
export function startFilter(
  cleanup: Cleanup,
  args: readonly string[] = [],
  common: readonly string[] = ["--admin-listen", "127.0.0.1:0"],
): Filter {
  const bundle = join(repository, "containers", "log-adapter", "dist", "main.mjs");
  // As spawnContainer() does, which gives no standard input.
  // oxlint-disable-next-line no-restricted-globals
  const runtime = runtimePath(process.env["OUTRIGGER_RUNTIME"] ?? "node");
  const child = spawn(runtime, [bundle, ...args, ...common], { stdio: ["pipe", "pipe", "pipe"] });
  cleanup(() => void child.kill("SIGKILL"));
  child.stdin.on("error", () => undefined);
  let [output, errors] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const exited = new Promise<number | null>((resolve) => void child.once("close", resolve));
  const records = (): OtelRecord[] => parseRecords(output.slice(0, output.lastIndexOf("\n") + 1));
  return {
    write: (text) => void child.stdin.write(text),
    end: async (text = "") => {
      child.stdin.end(text);
      const code = await exited;
      return {
        code,
        output,
        errors,
        get records() {
          return records();
        },
      };
    },
    records,
    errors: () => errors,
    kill: () => void child.kill("SIGKILL"),
    terminate: () => void child.kill("SIGTERM"),
    ended: exited,
  };
}
