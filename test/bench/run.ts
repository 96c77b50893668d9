// The benchmark: `npm run bench` for everything, `npm run bench -- tls` for one part.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import type { Part, Settings } from "./part.ts";
import { machineFacts, sectionOf, withSection } from "./results.ts";

const here = import.meta.dirname;
const resultsFile = join(here, "RESULTS.md");

const USAGE = `Usage: npm run bench -- [part ...] [--rounds N] [--quick] [--only a,b]

  --rounds N   rounds that count, after one of warming up [default: 5]
  --quick      a smoke run: one short round without warming up
  --only a,b   only these subjects and works

A run with --quick or --only prints its tables; only a full run writes them to RESULTS.md.`;

function partFolders(): string[] {
  return readdirSync(here).filter((name) => existsSync(join(here, name, "part.ts")));
}

function fail(message: string): never {
  console.error(`${message}\n\n${USAGE}`);
  process.exit(2);
}

type Request = { parts: string[]; rounds: number; quick: boolean; only: Set<string> | undefined };

const OPTIONS = {
  rounds: { type: "string" },
  quick: { type: "boolean", default: false },
  only: { type: "string" },
  help: { type: "boolean", default: false },
} as const;

function parsed(): ReturnType<typeof parseArgs<{ allowPositionals: true; options: typeof OPTIONS }>> {
  try {
    return parseArgs({ allowPositionals: true, options: OPTIONS });
  } catch (error) {
    return fail((error as Error).message);
  }
}

function readArguments(): Request {
  const { values, positionals } = parsed();
  if (values.help) {
    console.log(USAGE);
    process.exit(0);
  }
  const known = partFolders();
  const unknown = positionals.find((name) => !known.includes(name));
  if (unknown !== undefined) fail(`part: expected one of ${known.join(", ")}, got ${unknown}`);
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
  if (!Number.isInteger(rounds) || rounds < 1) fail(`--rounds: expected a whole number above 0, got ${values.rounds}`);
  const only = values.only === undefined ? undefined : new Set(values.only.split(","));
  return { parts: positionals.length > 0 ? positionals : known, rounds, quick: values.quick, only };
}

async function runPart(name: string, part: Part, settings: Settings): Promise<void> {
  const started = performance.now();
  const body = await part.run(settings);
  const facts = { date: new Date().toISOString().slice(0, 10), machine: machineFacts(), rounds: settings.rounds };
  const section = sectionOf(part, facts, body);
  console.log(`${section}\n`);
  settings.progress(`${name} took ${Math.round((performance.now() - started) / 1000)} s`);
  if (settings.quick || settings.only !== undefined) return;
  const existing = existsSync(resultsFile) ? readFileSync(resultsFile, "utf8") : "";
  writeFileSync(resultsFile, withSection(existing, name, section));
}

async function main(): Promise<void> {
  const { parts: names, rounds, quick, only } = readArguments();
  const parts = new Map<string, Part>();
  for (const name of names) {
    const { part } = (await import(`./${name}/part.ts`)) as { part: Part };
    parts.set(name, part);
  }
  const understood = [...parts.values()].flatMap((part) => part.names);
  const stranger = [...(only ?? [])].find((name) => !understood.includes(name));
  if (stranger !== undefined) fail(`--only: expected names among ${understood.join(", ")}, got ${stranger}`);
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const progress = (line: string): void => console.error(line);
  for (const [name, part] of parts) await runPart(name, part, { rounds, quick, only, folder, progress });
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));
await main();
