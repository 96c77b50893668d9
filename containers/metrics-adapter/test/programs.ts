// Real servers and exporters as child processes on ports of their own.
import { spawn } from "node:child_process";
import { connect, createServer } from "node:net";

import type { Cleanup } from "@outrigger/testing";
import { requirePrograms, tempDir, until } from "@outrigger/testing";

export type Program = {
  readonly port: number;
  /** Ends it at once, and resolves when it is gone. */
  kill(): Promise<void>;
  /** Stops and continues it, as a machine that hangs. */
  signal(name: NodeJS.Signals): void;
};

/** A port that was free a moment ago: most programs do not tell which they have taken. */
export function freePort(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address() as { port: number };
    server.close(() => resolve(port));
  });
  return promise;
}

export type ProgramSettings = {
  readonly port: number;
  readonly cleanup: Cleanup;
  readonly env?: Readonly<Record<string, string>>;
  /** Runs it as another user: some servers refuse to be root. */
  readonly uid?: number;
};

/** Starts a program, and waits until something listens on `port`. What it says is shown when it does not. */
export async function startProgram(path: string, args: readonly string[], settings: ProgramSettings): Promise<Program> {
  const { port, cleanup, env = {}, uid } = settings;
  const child = spawn(path, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env,
    ...(uid === undefined ? {} : { uid }),
  });
  let said = "";
  const hear = (text: Buffer): void => void (said = (said + text.toString()).slice(-2000));
  child.stdout.on("data", hear);
  child.stderr.on("data", hear);
  const gone = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await gone;
  };
  cleanup(kill);
  try {
    await until(() => accepts(port), { timeoutMs: 15_000, describe: `${path} to listen on ${port}` });
  } catch (error) {
    throw new Error(`${(error as Error).message}; it said: ${said}`, { cause: error });
  }
  return { port, kill, signal: (name) => void child.kill(name) };
}

export function accepts(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, "127.0.0.1");
  socket.once("connect", () => {
    socket.destroy();
    resolve(true);
  });
  socket.once("error", () => resolve(false));
  return promise;
}

export const redisServer = requirePrograms("redis-server");

/** An empty redis-server that keeps nothing on disk; `flags` are its own. */
export async function startRedis(cleanup: Cleanup, flags: readonly string[] = [], given?: number): Promise<Program> {
  const port = given ?? (await freePort());
  const base = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", tempDir(cleanup)];
  return startProgram(redisServer.path("redis-server"), [...base, ...flags], { port, cleanup });
}
