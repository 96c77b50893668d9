// The demo's processes: shown line by line, and none outlives the demo. Each is a process group of its own, so that
// Ctrl-C in a terminal reaches the demo alone, which then ends them in order.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";

import type { Cleanup, Exit } from "@outrigger/testing";

export type Process = {
  readonly label: string;
  readonly pid: number;
  readonly isRunning: () => boolean;
  readonly exited: Promise<Exit>;
  /** What `read` makes of the first line of which it makes anything. Fails when the process ends before. */
  readonly waitForLine: <T>(read: (line: string) => T | undefined) => Promise<T>;
  /** Sends the signal, and gives how the process ended; it is killed if it takes longer than ten seconds. */
  readonly end: (signal: NodeJS.Signals) => Promise<Exit>;
};

export type ProcessSettings = {
  /** What the lines of its output are shown under. */
  readonly label: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly onLine: (line: string) => void;
  readonly cleanup: Cleanup;
};

const START_MS = 10_000;
const END_MS = 10_000;
/** Lines that are kept for whoever waits for one, and for telling why a process has ended. */
const KEPT_LINES = 50;

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** `exit status 1` or `SIGKILL`. */
export const describeExit = ({ code, signal }: Exit): string => signal ?? `exit status ${code}`;

/** Starts a program with PATH and HOME as its only variables. */
export function startProcess({ label, program, args, onLine, cleanup }: ProcessSettings): Process {
  const { PATH = "", HOME = "/" } = process.env;
  const child = spawn(program, args, { detached: true, env: { PATH, HOME }, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  const lines: string[] = [];
  const waiting = new Set<(line: string) => void>();
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on("line", (line) => {
      lines.push(line);
      if (lines.length > KEPT_LINES) lines.shift();
      onLine(line);
      for (const look of waiting) look(line);
    });
  }
  const exited = new Promise<Exit>((resolve, reject) => {
    child.once("error", (error) => reject(new Error(`${label}: ${error.message}`)));
    child.once("close", (code, signal) => resolve({ code, signal }));
  }).finally(() => running.delete(child));
  const end = async (signal: NodeJS.Signals): Promise<Exit> => {
    child.kill(signal);
    const timer = setTimeout(() => child.kill("SIGKILL"), END_MS);
    return exited.finally(() => clearTimeout(timer));
  };
  cleanup(async () => {
    // That it could not be started at all is told to whoever waits for it.
    await end("SIGKILL").catch(() => {});
  });

  const waitForLine = <T>(read: (line: string) => T | undefined): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      const give = (act: () => void): void => {
        waiting.delete(look);
        clearTimeout(timer);
        act();
      };
      const fail = (why: string) => (): void =>
        give(() => reject(new Error(`${label} ${why}; it said: ${lines.slice(-5).join("\n")}`)));
      const look = (line: string): void => {
        const value = read(line);
        if (value !== undefined) give(() => resolve(value));
      };
      const timer = setTimeout(fail(`was not there within ${START_MS} ms`), START_MS);
      waiting.add(look);
      lines.forEach(look);
      exited.then(fail("ended"), (error: Error) => give(() => reject(error)));
    });
  return { label, pid: child.pid ?? 0, isRunning: () => running.has(child), exited, waitForLine, end };
}
