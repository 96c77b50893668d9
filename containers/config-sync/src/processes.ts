// Finds processes that a signal is for, and says what is missing when it cannot be sent.
import { readFile, readdir } from "node:fs/promises";
import { basename } from "node:path";

import type { Host } from "@outrigger/runtime";

/** Which process is meant. */
export type Target =
  | { readonly by: "name"; readonly name: string }
  | { readonly by: "command"; readonly text: string }
  | { readonly by: "file"; readonly path: string };

type Process = {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  readonly words: readonly string[];
  readonly user: number;
};

/**
 * Signals the process that is meant: of those that match the ones whose parent does not, so that a master gets it and
 * its workers do not. Throws an error that names what is missing.
 */
export async function signalTarget(target: Target, signal: NodeJS.Signals, host: Host): Promise<readonly number[]> {
  const pids = target.by === "file" ? [await pidOf(target.path)] : await findPids(target, host);
  for (const pid of pids) await signalPid(pid, signal, host);
  return pids;
}

async function pidOf(path: string): Promise<number> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${path}: expected a file with a process id, got ${error.code ?? error.message}`);
  });
  // Neither 0 nor a negative number: those mean process groups.
  if (!/^\s*[1-9]\d{0,9}\s*$/.test(text))
    throw new Error(`${path}: expected a process id, got ${text.trim().slice(0, 40)}`);
  return Number(text);
}

async function findPids(target: Exclude<Target, { by: "file" }>, host: Host): Promise<number[]> {
  const all = (await listProcesses()).filter(({ pid }) => pid !== host.processId);
  const matching = all.filter((process) => matches(process, target));
  const found = new Set(matching.map(({ pid }) => pid));
  const first = matching.filter(({ parent }) => !found.has(parent)).map(({ pid }) => pid);
  if (first.length > 0) return first;
  const what =
    target.by === "name" ? `a process named ${target.name}` : `a process with ${target.text} in its command line`;
  const hint = all.length === 0 ? ": the pod needs shareProcessNamespace: true" : "";
  throw new Error(`signal: expected ${what}, got none among ${all.length} other processes${hint}`);
}

function matches({ name, words }: Process, target: Exclude<Target, { by: "file" }>): boolean {
  if (target.by === "command") return words.join(" ").includes(target.text);
  // The kernel keeps 15 characters of a name; programs change their command line: "nginx: master process nginx".
  const [word = ""] = words;
  return name === target.name.slice(0, 15) || basename(word.split(/[ :]/, 1)[0]!) === target.name;
}

async function signalPid(pid: number, signal: NodeJS.Signals, host: Host): Promise<void> {
  try {
    host.signal(pid, signal);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EPERM") {
      const user = (await readProcess(String(pid)))?.user ?? "another user";
      throw new Error(
        `signal: expected the right to signal process ${pid} of UID ${user}, got EPERM as UID ${host.userId}: run both as the same UID, or add CAP_KILL`,
        { cause: error },
      );
    }
    if (code !== "ESRCH") throw error;
    throw new Error(
      `signal: expected process ${pid} to be there, got none: it has ended, or the pod needs shareProcessNamespace: true`,
      { cause: error },
    );
  }
}

async function listProcesses(): Promise<Process[]> {
  const names = (await readdir("/proc").catch(() => [] as string[])).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(names.map(readProcess));
  return found.filter((process) => process !== undefined);
}

/** Undefined for one that has ended meanwhile, and for those of the kernel, which have no command line. */
async function readProcess(id: string): Promise<Process | undefined> {
  try {
    const [status, commandLine] = await Promise.all([
      readFile(`/proc/${id}/status`, "utf8"),
      readFile(`/proc/${id}/cmdline`, "utf8"),
    ]);
    const field = (name: string): string => new RegExp(`^${name}:\\s*(\\S*)`, "m").exec(status)?.[1] ?? "";
    const words = commandLine.split("\0").filter((word) => word !== "");
    if (words.length === 0) return undefined;
    return { pid: Number(id), parent: Number(field("PPid")), name: field("Name"), words, user: Number(field("Uid")) };
  } catch {
    return undefined;
  }
}
