// Part `tls`: TLS termination, side by side.
import { readFileSync } from "node:fs";

import type { Part, Settings } from "../part.ts";
import { keeps } from "../part.ts";
import { findProgram, versionOf } from "../programs.ts";
import type { Outcome } from "../rounds.ts";
import { measureInTurns } from "../rounds.ts";
import { comparisonTable, markdownTable } from "../table.ts";
import { makeCertificate } from "./certificate.ts";
import { CIPHER, GROUP, negotiated } from "./client.ts";
import type { Started, Surroundings } from "./started.ts";
import { startBackend, startSubject } from "./started.ts";
import type { Subject } from "./subjects.ts";
import { SUBJECTS } from "./subjects.ts";
import { writeTemplate } from "./template.ts";
import type { Scale, Work } from "./works.ts";
import { WORKS } from "./works.ts";

const REFERENCES = ["nginx", "hitch"];

type Bench = {
  readonly settings: Settings;
  readonly around: Surroundings;
  readonly scale: Scale;
  readonly subjects: readonly Subject[];
};

/** The subjects that could be started, and why the others could not. */
type Field = { readonly started: Map<string, Started>; readonly missing: Map<string, string> };

async function startAll({ settings, around, subjects }: Bench): Promise<Field> {
  const field: Field = { started: new Map(), missing: new Map() };
  for (const subject of subjects) {
    try {
      if (subject.missing === undefined) field.started.set(subject.name, await startSubject(subject, around));
      else field.missing.set(subject.name, subject.missing);
    } catch (error) {
      field.missing.set(subject.name, `failed: ${(error as Error).message}`);
    }
    settings.progress(`${subject.name}: ${field.missing.get(subject.name) ?? "started"}`);
  }
  return field;
}

/** "skipped" or "failed": the reason stands in the table of the subjects. */
const absent = (field: Field, name: string): string => field.missing.get(name)!.split(":", 1)[0]!;

async function measureWork(work: Work, field: Field, bench: Bench): Promise<string> {
  const { settings, scale, around } = bench;
  const subjects = bench.subjects.filter((subject) => work.only?.(subject) ?? true);
  settings.progress(work.title(scale));
  const present = subjects.filter((subject) => field.started.has(subject.name));
  const measured = await measureInTurns({
    subjects: new Map(present.map((subject) => [subject.name, subject])),
    rounds: settings.rounds,
    warmUp: !settings.quick && !work.fresh,
    progress: settings.progress,
    measure: async (subject) => {
      if (!work.fresh) return work.measure(field.started.get(subject.name)!, scale);
      const started = await startSubject(subject, around);
      return work.measure(started, scale).finally(async () => started.stop());
    },
  });
  const outcomes = new Map<string, Outcome>(
    subjects.map(({ name }) => [name, measured.get(name) ?? { missing: absent(field, name) }]),
  );
  const { columns, compared } = work;
  return `### ${work.title(scale)}\n\n${comparisonTable({ outcomes, columns, compared, references: REFERENCES })}`;
}

async function describeSubjects(field: Field, subjects: readonly Subject[]): Promise<string> {
  const rows: string[][] = [];
  for (const { name, mode, version } of subjects) {
    const started = field.started.get(name);
    const agreed = started === undefined ? undefined : await negotiated(started.endpoint);
    rows.push(
      agreed === undefined ? [name, mode, field.missing.get(name)!] : [name, mode, version(), agreed.load, agreed.open],
    );
  }
  return markdownTable(["subject", "mode", "version", "negotiated under load", "negotiated with an open offer"], rows);
}

async function measureAll(works: readonly Work[], bench: Bench): Promise<string[]> {
  const field = await startAll(bench);
  try {
    const blocks = [await describeSubjects(field, bench.subjects)];
    for (const work of works.filter(({ fresh }) => !fresh)) blocks.push(await measureWork(work, field, bench));
    // The others stop first where a work starts processes of its own.
    await Promise.all([...field.started.values()].map(async (started) => started.stop()));
    for (const work of works.filter(({ fresh }) => fresh)) blocks.push(await measureWork(work, field, bench));
    return blocks;
  } finally {
    await Promise.all([...field.started.values()].map(async (started) => started.stop()));
  }
}

const scaleOf = (quick: boolean, opensslConfig: string): Scale =>
  quick
    ? { seconds: 1, handshakes: 50, idle: 50, opensslConfig }
    : { seconds: 2, handshakes: 2_000, idle: 1_000, opensslConfig };

async function run(settings: Settings): Promise<string> {
  const { folder, only, quick } = settings;
  const kept = <T extends { readonly name: string }>(all: readonly T[]): T[] =>
    all.filter(({ name }) =>
      keeps(
        only,
        name,
        all.map((one) => one.name),
      ),
    );
  for (const tool of ["wrk", "h2load", "openssl"]) {
    if (findProgram(tool) === undefined) throw new Error(`part tls: expected ${tool} to be installed, got nothing`);
  }
  const certificate = makeCertificate(folder);
  const opensslConfig = writeTemplate("client.cnf", "client.cnf", folder, { cipher: CIPHER, group: GROUP });
  const backend = await startBackend(folder);
  try {
    const ca = readFileSync(certificate.certificate, "utf8");
    const around = { ...certificate, folder, backend: backend.port, ca };
    const bench = { settings, around, scale: scaleOf(quick, opensslConfig), subjects: kept(SUBJECTS) };
    const load = `Load: ${versionOf(["wrk", "-v"], /wrk \S+/)}, OpenSSL ${versionOf(["openssl", "version"], /[\d.]+/)}, Node ${process.versions.node}. Backend: ${backend.description}.`;
    return [load, ...(await measureAll(kept(WORKS), bench))].join("\n\n");
  } finally {
    await backend.stop();
  }
}

export const part: Part = {
  title: "tls: TLS termination in front of one backend",
  method: [
    `Every client offers TLS 1.3, ${CIPHER} and ${GROUP} only; ECDSA P-256 key; keep-alive on both sides; one worker each; no access logs; configurations in test/bench/tls.`,
    "CPU is user + system time of all processes of the subject from /proc/<pid>/stat, over the units that it served; load and backend do not count.",
    "In turns over the rounds, each round beginning with another subject, after a round of warming up; the idle work starts a new process every time.",
  ],
  names: [...SUBJECTS, ...WORKS].map(({ name }) => name),
  run,
};
