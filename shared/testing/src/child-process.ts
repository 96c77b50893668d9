// Child processes that cannot outlive the program that started them.
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";

import type { Cleanup } from "./cleanup.ts";

export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type Child = {
  readonly pid: number;
  readonly signal: (name: NodeJS.Signals) => void;
  /** Settles when the process has ended and all of its output was read. */
  readonly exited: Promise<Exit>;
};

const running = new Set<ChildProcess>();

process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export type ChildOptions = {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly cleanup?: Cleanup;
  readonly onStdout: (text: string) => void;
  readonly onStderr: (text: string) => void;
};

/** PATH and HOME of ours, and nothing else that the child has not been given. */
function environmentOf(given: Readonly<Record<string, string>>): Record<string, string> {
  const { PATH = "", HOME = "/" } = process.env;
  return { PATH, HOME, ...given };
}

/** Starts a program; on clean-up it is killed if it is still running. */
export function startChild(program: string, args: readonly string[], options: ChildOptions): Child {
  const { env = {}, cwd, cleanup, onStdout, onStderr } = options;
  const child = spawn(program, args, {
    env: environmentOf(env),
    ...(cwd === undefined ? {} : { cwd }),
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  child.stdout.setEncoding("utf8").on("data", onStdout);
  child.stderr.setEncoding("utf8").on("data", onStderr);
  const exited = new Promise<Exit>((resolve, reject) => {
    child.once("error", (error) => reject(new Error(`${program}: ${error.message}`)));
    child.once("close", (code, signal) => resolve({ code, signal }));
  }).finally(() => running.delete(child));
  // Whoever waits for it sees the failure; nobody has to.
  exited.catch(() => {});
  cleanup?.(async () => {
    child.kill("SIGKILL");
    // That it could not be started at all is not the clean-up's to tell.
    await exited.catch(() => {});
  });
  return {
    pid: child.pid ?? 0,
    signal: (name) => {
      child.kill(name);
    },
    exited,
  };
}
