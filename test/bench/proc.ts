// CPU time and memory of a process and all that it started, read from /proc (proc_pid_stat(5), proc_pid_status(5)).
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

export type ProcessStat = {
  readonly pid: number;
  readonly parent: number;
  /** In clock ticks, of all threads. */
  readonly userTicks: number;
  readonly systemTicks: number;
};

/** CPU time used so far, in microseconds. */
export type CpuTime = { readonly user: number; readonly system: number; readonly pids: readonly number[] };

/** Reads one line of /proc/<pid>/stat. The command's name may hold blanks and brackets: its last bracket counts. */
export function parseStat(text: string): ProcessStat {
  const close = text.lastIndexOf(")");
  // What follows the name starts with field 3 of the manual's numbering.
  const fields = text.slice(close + 2).split(" ");
  const stat = {
    pid: Number.parseInt(text, 10),
    parent: Number(fields[4 - 3]),
    userTicks: Number(fields[14 - 3]),
    systemTicks: Number(fields[15 - 3]),
  };
  if (close < 0 || Object.values(stat).some((value) => !Number.isInteger(value))) {
    throw new Error(`/proc/<pid>/stat: expected at least 15 fields, got ${text.trim()}`);
  }
  return stat;
}

/** The bytes of private memory (`RssAnon`) in the text of /proc/<pid>/status. */
export function parseRssAnon(status: string): number {
  const match = /^RssAnon:\s+(\d+) kB$/m.exec(status);
  if (match === null) throw new Error("/proc/<pid>/status: expected a line RssAnon, got none");
  return Number(match[1]) * 1024;
}

/** The process `root` and its descendants, as far as they are in the list. */
export function treeOf(root: number, all: readonly ProcessStat[]): ProcessStat[] {
  const found = all.filter((stat) => stat.pid === root);
  for (const parent of found) found.push(...all.filter((stat) => stat.parent === parent.pid));
  return found;
}

function readStat(pid: string): ProcessStat[] {
  try {
    return [parseStat(readFileSync(`/proc/${pid}/stat`, "latin1"))];
  } catch (error) {
    const gone = ["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "");
    if (gone) return [];
    throw error;
  }
}

function liveTree(root: number): ProcessStat[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const tree = treeOf(
    root,
    pids.flatMap((pid) => readStat(pid)),
  );
  if (tree.length === 0) throw new Error(`process ${root}: expected it to be running, got no such process`);
  return tree;
}

const ticksPerSecond = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

export function cpuTimeOf(root: number): CpuTime {
  const tree = liveTree(root);
  const sum = (of: (stat: ProcessStat) => number): number =>
    (tree.reduce((total, stat) => total + of(stat), 0) / ticksPerSecond) * 1e6;
  return { user: sum((stat) => stat.userTicks), system: sum((stat) => stat.systemTicks), pids: tree.map((s) => s.pid) };
}

/** Microseconds used between two readings. Throws if a process ended in between: its time would be missing. */
export function cpuTimeBetween(before: CpuTime, after: CpuTime): { user: number; system: number } {
  const ended = before.pids.filter((pid) => !after.pids.includes(pid));
  if (ended.length > 0) throw new Error(`CPU time: expected the same processes before and after, got ${ended} ended`);
  return { user: after.user - before.user, system: after.system - before.system };
}

/** The private memory of all processes of the tree, in bytes. */
export function rssAnonOf(root: number): number {
  return liveTree(root).reduce(
    (total, { pid }) => total + parseRssAnon(readFileSync(`/proc/${pid}/status`, "latin1")),
    0,
  );
}
