// Part `logs`: lines of several formats from file to file, side by side.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { bundle } from "../../../scripts/bundle.ts";
import { containerFolder } from "../../../scripts/containers.ts";
import type { Part } from "../part.ts";
import { keeps } from "../part.ts";
import type { Outcome } from "../rounds.ts";
import { measureInTurns } from "../rounds.ts";
import { comparisonTable } from "../table.ts";
import { KINDS, textOf } from "./lines.ts";
import type { Kind } from "./lines.ts";
import { measure, SUBJECTS } from "./subjects.ts";

const NAMES = [...SUBJECTS.map(({ name }) => name), ...KINDS.map(({ name }) => name)];

export const part: Part = {
  title: "Logs",
  method: [
    "Each subject reads a file of made-up lines from its beginning, and writes one JSON object a line to another file.",
    "The log adapter reads time, severity and the parts of each line; rsyslog, as configured here, only wraps the line.",
    "CPU time is that of the process, user and system; memory is the most private memory (RssAnon) that was seen.",
  ],
  names: NAMES,
  async run(settings) {
    await bundle(containerFolder("log-adapter"));
    const lines = settings.quick ? 20_000 : 500_000;
    const subjects = SUBJECTS.filter(({ name }) =>
      keeps(
        settings.only,
        name,
        SUBJECTS.map((subject) => subject.name),
      ),
    );
    const tables: string[] = [];
    const kinds = KINDS.filter(({ name }) =>
      keeps(
        settings.only,
        name,
        KINDS.map((kind) => kind.name),
      ),
    );
    for (const kind of kinds) tables.push(await tableOf(kind, { lines, subjects, settings }));
    return tables.join("\n\n");
  },
};

type Run = {
  readonly lines: number;
  readonly subjects: typeof SUBJECTS;
  readonly settings: Parameters<Part["run"]>[0];
};

async function tableOf(kind: Kind, { lines, subjects, settings }: Run): Promise<string> {
  const folder = join(settings.folder, kind.name.replaceAll(" ", "-"));
  mkdirSync(folder);
  const input = join(folder, "in.log");
  writeFileSync(input, textOf(kind, lines));
  settings.progress(`${kind.name}: ${lines} lines`);
  const present = subjects.filter(({ missing }) => missing === undefined);
  const measured = await measureInTurns({
    subjects: new Map(present.map((subject) => [subject.name, subject])),
    rounds: settings.rounds,
    warmUp: false,
    progress: settings.progress,
    measure: (subject) => measure(subject, { kind, input, lines, folder }),
  });
  const outcomes = new Map<string, Outcome>(
    subjects.map(({ name, missing }) => [name, missing === undefined ? measured.get(name)! : { missing }]),
  );
  const table = comparisonTable({
    outcomes,
    columns: [
      { key: "linesPerCpuSecond", title: "k lines/CPU s", digits: 0 },
      { key: "mebibytesPerSecond", title: "MiB/s", digits: 1 },
      { key: "memory", title: "private memory, MiB", digits: 0 },
    ],
    compared: "linesPerCpuSecond",
    references: [],
  });
  return `### ${kind.name}\n\n${table}`;
}
