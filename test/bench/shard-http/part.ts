// Part `shard-http`: an HTTP proxy in front of four servers, which sends each path to the one that owns it.
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
import { nginxCommand, SUBJECTS } from "./subjects.ts";

type Started = Running & { readonly port: number };

const SHARDS = 4;
const CONNECTIONS = 64;
const SECONDS = 5;
const DEADLINE_MS = 15_000;

/** Starts a program, and waits until a request to its port is answered well. */
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

const answers = (port: number): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/item/1`, {
    headers: { connection: "close" },
    signal: AbortSignal.timeout(1000),
  }).then(
    async (response) => (await response.text()) !== "" && response.ok,
    () => false,
  );

async function startShards(folder: string): Promise<{ running: Running; ports: number[] }> {
  const ports: number[] = [];
  for (let i = 0; i < SHARDS; i++) ports.push(await freePort());
  const body = "x".repeat(1024);
  const servers = ports.map((port) => `  server { listen 127.0.0.1:${port} backlog=4096; return 200 "${body}"; }`);
  const command = nginxCommand("backend.conf", folder, { servers: servers.join("\n") });
  return { running: await startServing(command, ports[0]!, join(folder, "backend.log")), ports };
}

async function measure({ pid, port }: Started, { quick }: Settings): Promise<Sample> {
  const before = cpuTimeOf(pid);
  const { requests, microseconds } = await runLoad(port, CONNECTIONS, quick ? 1 : SECONDS);
  const { user, system } = cpuTimeBetween(before, cpuTimeOf(pid));
  return {
    cpu: (user + system) / requests,
    user: user / requests,
    system: system / requests,
    rate: requests / (microseconds / 1e6),
    memory: rssAnonOf(pid) / 2 ** 20,
  };
}

const COLUMNS = [
  { key: "cpu", title: "CPU us/request", digits: 1 },
  { key: "user", title: "user us", digits: 1 },
  { key: "system", title: "system us", digits: 1 },
  { key: "rate", title: "requests/s", digits: 0 },
  { key: "memory", title: "RssAnon MiB afterwards", digits: 1 },
];

async function run(settings: Settings): Promise<string> {
  const { folder, only, rounds, quick, progress } = settings;
  for (const tool of ["wrk", "nginx"]) {
    if (findProgram(tool) === undefined)
      throw new Error(`part shard-http: expected ${tool} to be installed, got nothing`);
  }
  const names = SUBJECTS.map(({ name }) => name);
  const subjects = SUBJECTS.filter(({ name }) => keeps(only, name, names));
  const undo: Running[] = [];
  try {
    const { running, ports: shards } = await startShards(folder);
    undo.push(running);
    const started = new Map<string, Started>();
    for (const subject of subjects.filter(({ missing }) => missing === undefined)) {
      const port = await freePort();
      const program = await startServing(
        subject.command({ folder, port, shards }),
        port,
        join(folder, `${subject.name}.log`),
      );
      undo.push(program);
      started.set(subject.name, program);
    }
    const title = `GET of 100,000 paths with a query, 1 KiB answers: wrk, ${CONNECTIONS} connections, ${SECONDS} s a round`;
    progress(title);
    const work = { subjects: started, rounds, warmUp: !quick, progress };
    const measured = await measureInTurns({ ...work, measure: async (subject) => measure(subject, settings) });
    const outcomes = new Map<string, Outcome>(
      subjects.map(({ name, missing = "failed" }) => [name, measured.get(name) ?? { missing }]),
    );
    const compared = { outcomes, columns: COLUMNS, compared: "cpu", references: ["nginx"] };
    return [
      `Load: ${versionOf(["wrk", "-v"], /wrk \S+/)}. Shards: four servers of one nginx.`,
      markdownTable(
        ["subject", "version"],
        subjects.map(({ name, missing, version }) => [name, missing ?? version()]),
      ),
      `### ${title}\n\n${comparisonTable(compared)}`,
    ].join("\n\n");
  } finally {
    await Promise.all(undo.map(async (program) => program.stop()));
  }
}

export const part: Part = {
  title: "shard-http: four HTTP servers behind one address",
  method: [
    "The same four servers in the same ring (nginx's `hash $request_uri consistent`), kept-alive connections, X-Forwarded fields added; one worker each.",
    "CPU is user + system time of all processes of the subject from /proc/<pid>/stat, over the requests that it answered; load and shards do not count.",
    "In turns over the rounds, each round beginning with another subject, after a round of warming up.",
  ],
  names: SUBJECTS.map(({ name }) => name),
  run,
};
