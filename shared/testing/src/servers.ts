// Real servers as child processes, on ports of their own.
import { spawn } from "node:child_process";
import { connect, createServer } from "node:net";

import type { Cleanup } from "./cleanup.ts";
import { until } from "./until.ts";

export type Program = {
  readonly port: number;
  /** Ends it at once, and resolves when it is gone. */
  kill(): Promise<void>;
  /** Stops and continues it, as a machine that hangs. */
  signal(name: NodeJS.Signals): void;
};

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address() as { port: number };
    server.close(() => resolve(port));
  });
  return promise;
}

/** Starts a program, and waits until something listens on `port`. */
export async function startProgram(
  path: string,
  args: readonly string[],
  { port, cleanup }: { port: number; cleanup: Cleanup },
): Promise<Program> {
  const child = spawn(path, args, { stdio: "ignore" });
  const gone = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await gone;
  };
  cleanup(kill);
  await until(() => accepts(port), { timeoutMs: 10_000, describe: `${path} to listen on ${port}` });
  return { port, kill, signal: (name) => void child.kill(name) };
}

function accepts(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, "127.0.0.1");
  socket.once("connect", () => {
    socket.destroy();
    resolve(true);
  });
  socket.once("error", () => resolve(false));
  return promise;
}
