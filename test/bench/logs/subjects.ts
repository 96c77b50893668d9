// Who reads them: the log adapter on both runtimes, finding the format out or being told, and rsyslog.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import { findProgram, repository, runtimePath } from "@outrigger/testing";

import { parseRssAnon, parseStat } from "../proc.ts";
import type { Sample } from "../rounds.ts";
import type { Kind } from "./lines.ts";

export type Work = { readonly kind: Kind; readonly input: string; readonly lines: number; readonly folder: string };

export type Subject = {
  readonly name: string;
  readonly missing?: string;
  readonly start: (work: Work) => ChildProcess;
};

const bundle = join(repository, "containers", "log-adapter", "dist", "main.mjs");

const outputOf = ({ folder }: Work): string => join(folder, "out.json");

const adapter = (runtime: "node" | "bun", fixed: boolean): Subject => ({
  name: `ours-${runtime}-${fixed ? "told" : "auto"}`,
  start: (work) => {
    const format = fixed ? work.kind.format : "auto";
    // From file to file: the input is followed, and the process is ended when everything is there.
    const args = [
      "--admin-listen=127.0.0.1:0",
      "--poll-interval=20ms",
      "--multiline-timeout=20ms",
      `--format=${format}`,
    ];
    return spawn(
      runtimePath(runtime),
      [bundle, ...args, `--input=file:${work.input}`, `--output=file:${outputOf(work)}`],
      {
        stdio: "ignore",
      },
    );
  },
});

const rsyslogd = findProgram("rsyslogd");

const rsyslog: Subject = {
  name: "rsyslog",
  ...(rsyslogd === undefined ? { missing: "skipped: no rsyslogd" } : {}),
  start: (work) => {
    const config = join(work.folder, "rsyslog.conf");
    writeFileSync(
      config,
      `global(workDirectory="${work.folder}")\nmodule(load="imfile" mode="inotify")\n` +
        `template(name="json" type="list" option.jsonf="on") { property(outname="time" name="timegenerated" dateFormat="rfc3339" format="jsonf") property(outname="message" name="msg" format="jsonf") }\n` +
        `input(type="imfile" File="${work.input}" Tag="bench" ruleset="out" addMetadata="off")\n` +
        `ruleset(name="out") { action(type="omfile" file="${outputOf(work)}" template="json" ioBufferSize="64k" flushInterval="1") }\n`,
    );
    return spawn(rsyslogd!, ["-n", "-f", config, "-i", join(work.folder, "rsyslog.pid")], { stdio: "ignore" });
  },
};

const fluentBit: Subject = {
  name: "fluent-bit",
  missing: "skipped: not packaged in Debian 12",
  start: () => {
    throw new Error("fluent-bit: expected to be skipped, got started");
  },
};

export const SUBJECTS: readonly Subject[] = [
  adapter("node", false),
  adapter("node", true),
  adapter("bun", false),
  adapter("bun", true),
  rsyslog,
  fluentBit,
];

const TICKS_PER_SECOND = 100;
const LOOK_MS = 20;
const LONGEST_MS = 300_000;

/** Runs it until every line has been written; CPU time and memory are those of the process. */
export async function measure(subject: Subject, work: Work): Promise<Sample> {
  const output = outputOf(work);
  // rsyslog would go on where it was in the last round.
  const state = readdirSync(work.folder).filter((name) => name.startsWith("imfile-state"));
  for (const path of [output, ...state.map((name) => join(work.folder, name))]) rmSync(path, { force: true });
  const began = performance.now();
  const child = subject.start(work);
  const ended = new Promise<void>((resolve) => void child.once("close", () => resolve()));
  try {
    let memory = 0;
    const written = createLineCount(output);
    while (performance.now() - began < LONGEST_MS) {
      await new Promise((resolve) => void setTimeout(resolve, LOOK_MS));
      const usage = usageOf(child.pid!);
      memory = Math.max(memory, usage.memory);
      if (written() < work.lines) continue;
      const seconds = (performance.now() - began) / 1000;
      return {
        linesPerCpuSecond: work.lines / usage.cpu / 1000,
        mebibytesPerSecond: statSync(work.input).size / seconds / 1024 ** 2,
        memory: memory / 1024 ** 2,
      };
    }
    throw new Error(`expected ${work.lines} lines within ${LONGEST_MS} ms, got ${createLineCount(output)()}`);
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
}

function usageOf(pid: number): { cpu: number; memory: number } {
  const { userTicks, systemTicks } = parseStat(readFileSync(`/proc/${pid}/stat`, "latin1"));
  const memory = parseRssAnon(readFileSync(`/proc/${pid}/status`, "latin1"));
  return { cpu: (userTicks + systemTicks) / TICKS_PER_SECOND, memory };
}

const CHUNK = 4 * 1024 * 1024;

/** Counts the lines of a file that grows: only what is new is read. */
function createLineCount(path: string): () => number {
  const buffer = Buffer.alloc(CHUNK);
  let [count, at] = [0, 0];
  return () => {
    if (!existsSync(path)) return 0;
    const file = openSync(path, "r");
    for (let size = readSync(file, buffer, 0, CHUNK, at); size > 0; size = readSync(file, buffer, 0, CHUNK, at)) {
      at += size;
      const bytes = buffer.subarray(0, size);
      for (let found = bytes.indexOf(10); found >= 0; found = bytes.indexOf(10, found + 1)) count++;
    }
    closeSync(file);
    return count;
  };
}
