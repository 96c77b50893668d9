// RESULTS.md: one section a part, each with its own date and machine, since parts may be run on their own.
import { cpus, release, totalmem } from "node:os";

import type { Part } from "./part.ts";

const HEAD = `# Benchmark results

Written by \`npm run bench\`. Absolute numbers depend on the machine and on what else it did; compare the ratios.
Cells are the median over the rounds with (minimum-maximum); ratios are the median of the ratios round by round.`;

const MARK = /^<!-- part (\S+) -->\n/m;

/** One line of facts about this machine. */
export function machineFacts(): string {
  const processors = cpus();
  const gib = (totalmem() / 2 ** 30).toFixed(1);
  return `${processors.length} cores (${processors[0]?.model ?? "unknown"}), ${gib} GiB, Linux ${release()}`;
}

export function sectionOf(part: Part, facts: { date: string; machine: string; rounds: number }, body: string): string {
  const measured = `Measured ${facts.date}, ${facts.rounds} rounds, on: ${facts.machine}.`;
  return [`## ${part.title}`, measured, part.method.map((line) => `- ${line}`).join("\n"), body].join("\n\n");
}

/** The text of RESULTS.md with the section of part `name` put in or replaced; the other sections stay as they are. */
export function withSection(existing: string, name: string, section: string): string {
  const pieces = existing.split(MARK);
  const sections = new Map<string, string>();
  for (let i = 1; i + 1 < pieces.length; i += 2) sections.set(pieces[i]!, pieces[i + 1]!.trim());
  sections.set(name, section);
  const marked = [...sections]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, text]) => `<!-- part ${key} -->\n${text}`);
  return `${[HEAD, ...marked].join("\n\n")}\n`;
}
