// The programs under test and their helpers: finding them, starting them, and never leaving one behind.
import type { ChildProcess } from "node:child_process";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { accessSync, closeSync, constants, openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { delimiter, join } from "node:path";

export type Running = {
  readonly pid: number;
  /** Throws, with the end of what it printed, if the program has ended by itself. */
  assertRunning(): void;
  stop(): Promise<void>;
};

const children = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of children) child.kill("SIGTERM");
});

/** The path of a program on PATH or among the system's daemons; undefined if it is not installed. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/local/sbin", "/usr/sbin", "/sbin"];
  return folders
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** The first match of `pattern` in what the command prints; its text as a whole where the pattern has no group. */
export function versionOf(command: readonly string[], pattern: RegExp): string {
  const [program, ...args] = command;
  const { stdout, stderr } = spawnSync(program!, args, { encoding: "utf8" });
  const match = pattern.exec(`${stdout}\n${stderr}`);
  return match?.[1] ?? match?.[0] ?? "unknown";
}

/** A TCP port on loopback that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

const GRACE_MS = 3_000;

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  const force = setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
  child.kill("SIGTERM");
  await ended;
  clearTimeout(force);
}

/** Starts a program in the foreground; what it prints goes to the file `log`. */
export async function startProgram(command: readonly string[], log: string): Promise<Running> {
  const [program, ...args] = command;
  const output = openSync(log, "w");
  const child = spawn(program!, args, { stdio: ["ignore", output, output] });
  closeSync(output);
  await once(child, "spawn");
  children.add(child);
  child.once("exit", () => children.delete(child));
  const assertRunning = (): void => {
    if (child.exitCode === null && child.signalCode === null) return;
    const printed = readFileSync(log, "utf8").trim().slice(-300);
    throw new Error(`${program} ended with ${child.exitCode ?? child.signalCode}: ${printed}`);
  };
  return { pid: child.pid!, assertRunning, stop: async () => stop(child) };
}
