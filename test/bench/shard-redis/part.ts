// Part `shard-redis`: a sharding proxy in front of four Redis servers, side by side.
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { Part, Settings } from "../part.ts";
import { keeps } from "../part.ts";
import { cpuTimeBetween, cpuTimeOf, rssAnonOf } from "../proc.ts";
import type { Running } from "../programs.ts";
import { findProgram, freePort, startProgram, versionOf } from "../programs.ts";
import type { Outcome, Sample } from "../rounds.ts";
import { measureInTurns } from "../rounds.ts";
import { comparisonTable, markdownTable } from "../table.ts";
import { runLoad } from "./load.ts";
import type { Subject } from "./subjects.ts";
import { SUBJECTS } from "./subjects.ts";

type Started = Running & { readonly port: number };
type Work = { readonly name: string; readonly pipeline: number; readonly commands: number };

const SHARDS = 4;
const WORKS: readonly Work[] = [
  { name: "pipeline-1", pipeline: 1, commands: 100_000 },
  { name: "pipeline-16", pipeline: 16, commands: 600_000 },
];
const GET = ["GET", "key:__rand_int__"];
const SET = ["SET", "key:__rand_int__", "0123456789abcdef"];
const DEADLINE_MS = 15_000;

/** Starts a program, and waits until a PING on its port has a reply. */
async function startServing(command: readonly string[], port: number, log: string): Promise<Started> {
  const program = await startProgram(command, log);
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await answers(port))) {
    program.assertRunning();
    if (performance.now() > deadline) throw new Error(`${command[0]}: expected an answer on ${port}, got none`);
    await sleep(20);
  }
  return { ...program, port };
}

/** Whether a key can be asked for: a proxy that listens may not have its shards yet. */
function answers(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, "127.0.0.1", () => void socket.write("*2\r\n$3\r\nGET\r\n$1\r\na\r\n"));
  socket.setTimeout(1000, () => socket.destroy());
  socket.once("data", (reply: Buffer) => {
    resolve(reply[0] === 36);
    socket.destroy();
  });
  socket.once("error", () => socket.destroy());
  socket.once("close", () => resolve(false));
  return promise;
}

async function startShards(folder: string, undo: Running[]): Promise<number[]> {
  const program = findProgram("redis-server")!;
  const ports: number[] = [];
  for (let i = 0; i < SHARDS; i++) {
    const port = await freePort();
    const flags = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder];
    undo.push(await startServing([program, ...flags], port, join(folder, `shard-${i}.log`)));
    ports.push(port);
  }
  return ports;
}

async function measure(started: Started, { pipeline, commands }: Work, { quick }: Settings): Promise<Sample> {
  const load = { port: started.port, pipeline, commands: quick ? commands / 20 : commands };
  const before = cpuTimeOf(started.pid);
  const rate = await runLoad(findProgram("redis-benchmark")!, load, GET);
  const { user, system } = cpuTimeBetween(before, cpuTimeOf(started.pid));
  const cpu = (user + system) / load.commands;
  return {
    cpu,
    user: user / load.commands,
    system: system / load.commands,
    rate,
    memory: rssAnonOf(started.pid) / 2 ** 20,
  };
}

const COLUMNS = [
  { key: "cpu", title: "CPU us/command", digits: 2 },
  { key: "user", title: "user us", digits: 2 },
  { key: "system", title: "system us", digits: 2 },
  { key: "rate", title: "commands/s", digits: 0 },
  { key: "memory", title: "RssAnon MiB afterwards", digits: 1 },
];

async function measureWork(
  work: Work,
  subjects: readonly Subject[],
  started: Map<string, Started>,
  settings: Settings,
): Promise<string> {
  const title = `GET, 100,000 keys of 16 bytes, pipeline ${work.pipeline}: redis-benchmark, 50 connections`;
  settings.progress(title);
  const measured = await measureInTurns({
    subjects: started,
    rounds: settings.rounds,
    warmUp: !settings.quick,
    progress: settings.progress,
    measure: async (subject) => measure(subject, work, settings),
  });
  const outcomes = new Map<string, Outcome>(
    subjects.map(({ name, missing = "failed" }) => [name, measured.get(name) ?? { missing }]),
  );
  return `### ${title}\n\n${comparisonTable({ outcomes, columns: COLUMNS, compared: "cpu", references: ["nutcracker"] })}`;
}

async function run(settings: Settings): Promise<string> {
  const { folder, only } = settings;
  for (const tool of ["redis-server", "redis-benchmark"]) {
    if (findProgram(tool) === undefined)
      throw new Error(`part shard-redis: expected ${tool} to be installed, got nothing`);
  }
  const kept = <T extends { readonly name: string }>(all: readonly T[]): T[] => {
    const names = all.map(({ name }) => name);
    return all.filter(({ name }) => keeps(only, name, names));
  };
  const subjects = kept(SUBJECTS);
  const undo: Running[] = [];
  try {
    const shards = await startShards(folder, undo);
    const started = new Map<string, Started>();
    for (const subject of subjects.filter(({ missing }) => missing === undefined)) {
      const port = await freePort();
      const command = subject.command({ folder, port, statistics: await freePort(), shards });
      const program = await startServing(command, port, join(folder, `${subject.name}.log`));
      undo.push(program);
      started.set(subject.name, program);
    }
    const rows = subjects.map(({ name, missing, version }) => [name, missing ?? version()]);
    const blocks = [markdownTable(["subject", "version"], rows)];
    for (const { port } of started.values()) {
      await runLoad(findProgram("redis-benchmark")!, { port, pipeline: 16, commands: 200_000 }, SET);
    }
    for (const work of kept(WORKS)) blocks.push(await measureWork(work, subjects, started, settings));
    const load = `Load: ${versionOf(["redis-benchmark", "--version"], /[\d.]+/)} of redis-benchmark. Shards: ${SHARDS} redis-servers.`;
    return [load, ...blocks].join("\n\n");
  } finally {
    await Promise.all(undo.map(async (program) => program.stop()));
  }
}

export const part: Part = {
  title: "shard-redis: four Redis servers behind one address",
  method: [
    "The same four redis-servers, in the same ring (ketama with murmur), one connection to each; one worker each; GET of random keys, most of which are there.",
    "CPU is user + system time of all processes of the subject from /proc/<pid>/stat, over the commands that it served; load and shards do not count.",
    "In turns over the rounds, each round beginning with another subject, after a round of warming up.",
  ],
  names: [...SUBJECTS, ...WORKS].map(({ name }) => name),
  run,
};
