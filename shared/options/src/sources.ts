// Reads what the user wrote - flags, variables, the file - into plain entries, without judging the values. Whatever is
// not known by name is a problem that names the nearest valid name.
import { parseArgs } from "node:util";

import { parseDocument } from "yaml";

import { nearest } from "./nearest.ts";
import type { OptionTable } from "./table.ts";
import { flagOf, spell } from "./table.ts";

/** A value as the user wrote it, and where. */
export type Entry = { readonly value: unknown; readonly writtenAs: string; readonly origin: string };

/** Entries by property, one source each, and the problems met while reading. */
export type SourceEntries = { readonly entries: Map<string, Entry>; readonly problems: string[] };

const didYouMean = (name: string, valid: Iterable<string>): string => {
  const near = nearest(name, valid);
  return near === undefined ? "" : ` (did you mean ${near}?)`;
};

/** Options that ask for text instead of starting anything, with what usage says of them. */
export const ACTIONS = {
  help: "Show this text.",
  version: "Show the version.",
  printConfig: "Show the effective values with their origin, secrets redacted.",
  checkConfig: "Check the values and the files that they name, then exit 0 or 2.",
} as const;
export type Action = keyof typeof ACTIONS;

const ACTION_BY_FLAG = new Map(Object.keys(ACTIONS).map((action) => [flagOf(action), action as Action]));

/** Flags: `--name value`, `--name=value`, `--switch`, `--no-switch`; a list may be repeated. */
export function readFlags(table: OptionTable, argv: readonly string[]): SourceEntries & { action: Action | undefined } {
  const byFlag = new Map(
    Object.entries(table).map(([property, { kind }]) => [spell(property, kind, "").flag, property]),
  );
  const entries = new Map<string, Entry>();
  const problems: string[] = [];
  let action: Action | undefined;
  let unknownBefore = false;
  for (const token of tokensOf(table, byFlag, argv)) {
    // The word after an unknown flag is most likely its value: one mistake, one problem.
    if (token.kind === "positional" && !unknownBefore)
      problems.push(`${token.value}: expected a flag, got a bare word`);
    unknownBefore = false;
    if (token.kind !== "option") continue;
    const negated = token.name.startsWith("no-") && !byFlag.has(`--${token.name}`);
    const flag = negated ? `--${token.name.slice("no-".length)}` : `--${token.name}`;
    const property = byFlag.get(flag);
    if (ACTION_BY_FLAG.has(flag)) action ??= ACTION_BY_FLAG.get(flag);
    else if (property !== undefined && (!negated || table[property]!.kind.boolean === true)) {
      addFlag(entries, property, table[property]!.kind, { flag, value: token.value ?? !negated });
    } else {
      unknownBefore = true;
      const near = didYouMean(flag, [...byFlag.keys(), ...ACTION_BY_FLAG.keys()]);
      problems.push(`${token.rawName}: expected a known flag${near}`);
    }
  }
  return { entries, problems, action };
}

type Token =
  | { kind: "option"; name: string; rawName: string; value: string | undefined }
  | { kind: "positional"; value: string }
  | { kind: "option-terminator" };

function tokensOf(table: OptionTable, byFlag: ReadonlyMap<string, string>, argv: readonly string[]): Token[] {
  const options: Record<string, { type: "string" | "boolean"; short?: string }> = {};
  for (const [flag, property] of byFlag) options[flag.slice(2)] = { type: flagType(table[property]!.kind) };
  for (const flag of ACTION_BY_FLAG.keys()) options[flag.slice(2)] = { type: "boolean" };
  options["help"] = { type: "boolean", short: "h" };
  return parseArgs({ args: [...argv], options, strict: false, tokens: true }).tokens as Token[];
}

const flagType = (kind: { boolean?: boolean }): "string" | "boolean" => (kind.boolean === true ? "boolean" : "string");

function addFlag(
  entries: Map<string, Entry>,
  property: string,
  kind: { list?: boolean; boolean?: boolean },
  { flag, value }: { flag: string; value: string | boolean },
): void {
  const before = entries.get(property);
  // A flag without its value holds `true`, which no kind but a switch accepts.
  const given = value === true && kind.boolean !== true ? undefined : value;
  const merged = kind.list === true && before !== undefined ? `${String(before.value)},${String(given)}` : given;
  entries.set(property, { value: merged, writtenAs: flag, origin: `flag ${flag}` });
}

/** Variables that Kubernetes injects into every container for each Service of the namespace; never ours. */
const SERVICE_VARIABLE =
  /_SERVICE_HOST$|_SERVICE_PORT(_[A-Z0-9_]+)?$|_PORT$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/;
/** What such a variable holds where its name is also an alias of ours: a Service named `proxy` sets PROXY_PORT. */
const SERVICE_URL = /^(tcp|udp|sctp):\/\//;

type Environment = Readonly<Record<string, string | undefined>>;

/** Variables with our prefix, then aliases without it. An empty variable counts as not set. */
export function readVariables(
  table: OptionTable,
  prefix: string,
  env: Environment,
  reserved: readonly string[],
): SourceEntries {
  const entries = new Map<string, Entry>();
  const problems: string[] = [];
  const byVariable = new Map<string, string>();
  for (const [property, { kind }] of Object.entries(table)) {
    if (kind.fileOnly !== true) byVariable.set(spell(property, kind, prefix).variable, property);
  }
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(`${prefix}_`) || !isSet(value) || reserved.includes(name)) continue;
    const property = byVariable.get(name);
    if (property !== undefined) entries.set(property, { value, writtenAs: name, origin: `variable ${name}` });
    else if (!SERVICE_VARIABLE.test(name)) {
      problems.push(`${name}: expected a known variable${didYouMean(name, [...byVariable.keys(), ...reserved])}`);
    }
  }
  readAliases(table, env, entries);
  return { entries, problems };
}

const isSet = (value: string | undefined): value is string => value !== undefined && value !== "";

function readAliases(table: OptionTable, env: Environment, entries: Map<string, Entry>): void {
  for (const [property, { aliases = {} }] of Object.entries(table)) {
    for (const [name, convert] of Object.entries(aliases)) {
      const value = env[name];
      if (!isSet(value) || SERVICE_URL.test(value) || entries.has(property)) continue;
      entries.set(property, { value: convert(value), writtenAs: name, origin: `variable ${name}` });
    }
  }
}

/** A file is a small document: anything larger is a mistake, or an attack. */
const MAX_FILE_CHARACTERS = 1024 ** 2;

/** The text of a YAML or JSON file, whose keys are the options' property names. `name` says where the text is from. */
export function readFileText(table: OptionTable, text: string, name: string): SourceEntries {
  const entries = new Map<string, Entry>();
  if (text.length > MAX_FILE_CHARACTERS) {
    return { entries, problems: [`${name}: expected at most ${MAX_FILE_CHARACTERS} characters, got ${text.length}`] };
  }
  const document = parseDocument(text, { prettyErrors: true });
  const broken = document.errors[0];
  if (broken !== undefined)
    return { entries, problems: [`${name}: expected YAML or JSON, got: ${firstLine(broken.message)}`] };
  let root: unknown;
  try {
    root = document.toJS({ maxAliasCount: 100 }) as unknown;
  } catch (error) {
    return { entries, problems: [`${name}: expected YAML or JSON, got: ${firstLine((error as Error).message)}`] };
  }
  if (root === null || root === undefined) return { entries, problems: [] };
  if (typeof root !== "object" || Array.isArray(root)) {
    return {
      entries,
      problems: [`${name}: expected keys and values, got ${Array.isArray(root) ? "a list" : typeof root}`],
    };
  }

  const problems: string[] = [];
  const byKey = new Map(
    Object.entries(table).map(([property, { kind }]) => [spell(property, kind, "").property, property]),
  );
  for (const [key, value] of Object.entries(root)) {
    const writtenAs = `${name}: ${key}`;
    const property = byKey.get(key);
    if (property === undefined) problems.push(`${writtenAs}: expected a known key${didYouMean(key, byKey.keys())}`);
    else if (value !== null) entries.set(property, { value, writtenAs, origin: `${name}: ${key}` });
  }
  return { entries, problems };
}

const firstLine = (text: string): string => text.split("\n", 1)[0]!.replace(/:$/, "");
