// The table as people and tools read it: usage text, Markdown, JSON Schema, and the effective values.
import { Document } from "yaml";

import type { CommandLine } from "./command.ts";
import { commandForm } from "./command.ts";
import { ACTIONS } from "./flags.ts";
import { optionsOfFile } from "./resolve.ts";
import type { Option, OptionTable } from "./table.ts";
import { flagOf, prefixOf, spell } from "./table.ts";

type Row = { property: string; option: Option<unknown>; flag: string; variable: string; key: string };

function rowsOf(container: string, table: OptionTable): Map<string, Row[]> {
  const sections = new Map<string, Row[]>();
  for (const [property, option] of Object.entries(table)) {
    const { flag, variable, property: key } = spell(property, option.kind, prefixOf(container));
    const rows = sections.get(option.section) ?? [];
    sections.set(option.section, rows);
    rows.push({ property, option, flag, variable, key });
  }
  return sections;
}

const WIDTH = 100;

function wrapped(text: string, indent: string): string {
  const lines = [""];
  for (const word of text.replaceAll("`", "").split(" ")) {
    if (indent.length + lines.at(-1)!.length + word.length >= WIDTH) lines.push("");
    lines[lines.length - 1] += (lines.at(-1) === "" ? "" : " ") + word;
  }
  return lines.map((line) => indent + line).join("\n");
}

/** What `--help` prints. */
export function usageOf(
  container: string,
  { summary, table, commands }: { summary: string; table: OptionTable; commands: readonly CommandLine[] },
): string {
  const forms = ["[flags]", "healthcheck", ...commands.map((command) => `${commandForm(command)} [flags]`)];
  const out = [`${container} - ${summary}`, ""];
  out.push(...forms.map((form, index) => `${index === 0 ? "Usage:" : "      "} ${container} ${form}`), "");
  out.push(
    wrapped(
      `Every option is a flag, a variable (${prefixOf(container)}_...) or a key of the --config file, in this order of precedence.`,
      "",
    ),
    "",
  );
  for (const [section, rows] of rowsOf(container, table)) {
    out.push(`${section}:`);
    for (const { option, flag, variable } of rows) {
      if (option.kind.fileOnly === true) continue;
      out.push(...flagLines(flag, option));
      const facts = [variable, ...Object.keys(option.aliases ?? {})].join(", ");
      out.push(`      [${facts}]${option.default === undefined ? "" : ` [default: ${option.default}]`}`);
    }
    out.push("");
  }
  if (commands.length > 0) out.push("Commands, which answer and start nothing (--help after one shows its flags):");
  for (const command of commands) out.push(`  ${commandForm(command)}`, wrapped(command.summary, "      "));
  if (commands.length > 0) out.push("");
  out.push("Other:");
  for (const [action, does] of Object.entries(ACTIONS)) out.push(`  ${flagOf(action).padEnd(20)}${does}`);
  out.push(`  ${"healthcheck".padEnd(20)}Ask the running container whether it is ready, then exit 0 or 1.`);
  return out.join("\n");
}

/** A flag as it is written, and what it does. */
function flagLines(flag: string, { kind, summary }: Option<unknown>): string[] {
  const argument = kind.boolean === true ? "" : ` <${kind.secret === true ? "path" : kind.name}>`;
  return [`  ${flag}${argument}`, wrapped(summary, "      ")];
}

/** What `--help` after a command prints. */
export function usageOfCommand(container: string, command: CommandLine): string {
  const out = [`${container} ${command.name} - ${command.summary}`, ""];
  out.push(`Usage: ${container} ${commandForm(command)} [flags]`, "");
  for (const [property, described] of Object.entries(command.flags)) {
    out.push(...flagLines(spell(property, described.kind, "").flag, described));
    if (described.default !== undefined) out.push(`      [default: ${described.default}]`);
  }
  if (Object.keys(command.flags).length > 0) out.push("");
  out.push(`All options of ${container} may stand beside these: see ${container} --help.`);
  return out.join("\n");
}

/** The commands of a README, each with its flags. */
export function commandsMarkdown(container: string, commands: readonly CommandLine[]): string {
  const rows = commands.map((command) => {
    const flags = Object.entries(command.flags).map(([property, { kind, summary }]) => {
      const flag = spell(property, kind, "").flag;
      return `\`${flag}${kind.boolean === true ? "" : ` <${kind.name}>`}\`: ${summary}`;
    });
    return `| ${[`\`${container} ${commandForm(command)}\``, command.summary, flags.join("<br>")].map(cell).join(" | ")} |`;
  });
  return ["| command | what it answers | flags of its own |", "|---|---|---|", ...rows].join("\n");
}

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

/** The options table of a README: one table a section. */
export function markdownOf(container: string, table: OptionTable): string {
  const out: string[] = [];
  for (const [section, rows] of rowsOf(container, table)) {
    out.push(
      `**${section}**`,
      "",
      "| flag | variable | key | form | default | what it does |",
      "|---|---|---|---|---|---|",
    );
    for (const { option, flag, variable, key } of rows) {
      const fileOnly = option.kind.fileOnly === true;
      const variables = [variable, ...Object.keys(option.aliases ?? {})].map((name) => `\`${name}\``).join(", ");
      const fallback = option.default === undefined ? "" : `\`${option.default}\``;
      const cells = [
        fileOnly ? "" : `\`${flag}\``,
        fileOnly ? "" : variables,
        `\`${key}\``,
        option.kind.name,
        fallback,
      ];
      out.push(`| ${[...cells, option.summary].map(cell).join(" | ")} |`);
    }
    out.push("");
  }
  return out.join("\n").trimEnd();
}

/** JSON Schema (draft-07) of the `--config` file, and of a chart's `options` values. */
export function jsonSchemaOf(container: string, table: OptionTable): Record<string, unknown> {
  const properties: Record<string, unknown> = {};
  for (const [property, { kind, summary, default: fallback }] of Object.entries(optionsOfFile(table))) {
    const { property: key } = spell(property, kind, "");
    // A key without a value is as if it were not there.
    const anyOf = [kind.json, { type: "null" }];
    properties[key] = { description: summary, anyOf, ...(fallback === undefined ? {} : { default: fallback }) };
  }
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: `Options of ${container}`,
    type: "object",
    additionalProperties: false,
    properties,
  };
}

/** One line for each scalar, so that a comment can follow it. */
const LAYOUT = { lineWidth: 0, blockQuote: false, doubleQuotedMinMultiLineLength: Infinity } as const;

/** What `--print-config` prints: YAML that a `--config` file can hold, each value with its origin as a comment. */
export function printConfig(
  table: OptionTable,
  values: Readonly<Record<string, unknown>>,
  origins: Readonly<Record<string, string>>,
): string {
  const lines: string[] = [];
  for (const [property, { kind }] of Object.entries(optionsOfFile(table))) {
    const value = values[property];
    if (value === undefined) continue;
    const { property: key } = spell(property, kind, "");
    const { written = kind.format } = kind;
    const [first, ...rest] = new Document({ [key]: written(value) }).toString(LAYOUT).replace(/\n$/, "").split("\n");
    lines.push(`${first} # ${origins[property]}`, ...rest);
  }
  return lines.join("\n");
}
