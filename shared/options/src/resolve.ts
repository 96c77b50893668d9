// From flags, variables and file to values: one precedence, every problem reported at once.
import type * as z from "zod";

import type { CommandLine } from "./command.ts";
import { itemsOf } from "./compound-kinds.ts";
import type { Entry, SourceEntries } from "./entries.ts";
import type { AdoptFile } from "./file.ts";
import { readFileText } from "./file.ts";
import type { Action } from "./flags.ts";
import { readFlags } from "./flags.ts";
import { path, text } from "./kinds.ts";
import { REDACTED, Secret } from "./secret.ts";
import type { AnyKind, Option, OptionTable, ValuesOf } from "./table.ts";
import { option, prefixOf, spell } from "./table.ts";
import { readAliases, readVariables } from "./variables.ts";

/** Where the parameters come from. `readFile` gives a file's text or throws an error with a `code`. */
export type Surroundings = {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readFile: (path: string) => string;
  /** The command that is asked for; `argv` is then what stands after its name. */
  readonly command?: CommandLine | undefined;
  /** Knows the files of other programs that are taken as they are. */
  readonly adoptFile?: AdoptFile | undefined;
};

/** The outcome; the values of a command's own flags stand beside the options'. Values are complete only when there are no problems. */
export type Resolution<T extends OptionTable> = {
  readonly values: ValuesOf<T>;
  /** For each property, where its value is from: `flag --listen`, `variable X_LISTEN`, `<file>: listen`, `default`. */
  readonly origins: Readonly<Record<keyof T, string>>;
  /** For each property, its name as the user wrote it, for errors that the container finds itself. */
  readonly writtenAs: Readonly<Record<keyof T, string>>;
  readonly problems: readonly string[];
  readonly action: Action | undefined;
  /** The words of the command, in order. */
  readonly words: readonly string[];
};

/** The option that names the file; every container has it, so the reader looks for it before anything else. */
export const configOption = {
  config: option({
    kind: text("a path"),
    section: "General",
    summary:
      "A YAML or JSON file with any of these options, by their key. `<PREFIX>_CONFIG_INLINE` takes its text instead.",
  }),
};

/** The options that a file can hold: all but the one that names the file. */
export const optionsOfFile = (table: OptionTable): OptionTable =>
  Object.fromEntries(Object.entries(table).filter(([property]) => !Object.hasOwn(configOption, property)));

/**
 * Resolves a container's options. Precedence: flag, then variable, then file, then alias, then default: an image may hold an
 * alias as its default (`ENV PROXY_PORT 8000`), which must not win over what somebody wrote in a file.
 */
export function resolveOptions<T extends OptionTable>(container: string, own: T, from: Surroundings): Resolution<T> {
  const prefix = prefixOf(container);
  const table: OptionTable = { ...configOption, ...own };
  const inlineVariable = `${prefix}_CONFIG_INLINE`;
  const all: OptionTable = { ...table, ...from.command?.flags };
  const flags = readFlags(all, from.argv, from.command);
  const variables = readVariables(table, prefix, from.env, [inlineVariable]);
  const named = flags.entries.get("config") ?? variables.entries.get("config");
  const file = readConfig(optionsOfFile(table), named, { from, inlineVariable });
  const aliases = readAliases(table, from.env);
  const problems = [...flags.problems, ...variables.problems, ...file.problems];

  const values: Record<string, unknown> = {};
  const origins: Record<string, string> = {};
  const writtenAs: Record<string, string> = {};
  const entryOf = (property: string): Entry | undefined =>
    [flags.entries, variables.entries, file.entries, aliases].find((entries) => entries.has(property))?.get(property);
  for (const [property, described] of Object.entries(all)) {
    const entry = entryOf(property);
    origins[property] = entry?.origin ?? "default";
    writtenAs[property] = entry?.writtenAs ?? spell(property, described.kind, prefix).flag;
    const parsed = entry === undefined ? defaultOf(described) : parseEntry(described.kind, entry, from);
    if (parsed.value !== undefined) values[property] = parsed.value;
    problems.push(...(parsed.problems ?? []));
  }
  return { values, origins, writtenAs, problems, action: flags.action, words: flags.words } as unknown as Resolution<T>;
}

type Parsed = { readonly value?: unknown; readonly problems?: readonly string[] };

function defaultOf({ kind, default: fallback }: Option<unknown>): Parsed {
  const given = fallback ?? (kind.list === true ? [] : undefined);
  return given === undefined ? {} : { value: kind.schema.parse(given) };
}

function parseEntry(kind: AnyKind, entry: Entry, from: Surroundings): Parsed {
  if (kind.secret === true) return readSecret(entry, from);
  const parsed = kind.schema.safeParse(entry.value);
  if (parsed.success) return { value: parsed.data };
  return { problems: describeIssues(parsed.error, entry, kind.form) };
}

function readSecret({ value, writtenAs }: Entry, from: Surroundings): Parsed {
  const named = path().schema.safeParse(value);
  // What does not look like a path may be the secret itself, put in the wrong place.
  const shown = named.success && !/^\.{0,2}\//.test(named.data) ? REDACTED : show(value);
  if (!named.success)
    return { problems: [`${writtenAs}: expected the path of a file that holds the secret, got ${shown}`] };
  const text = readFile(named.data, { writtenAs, shown }, from);
  if (text.problem !== undefined) return { problems: [text.problem] };
  const secret = text.content.replace(/\r?\n$/, "");
  if (secret !== "") return { value: new Secret(secret, named.data) };
  return { problems: [`${writtenAs}: expected a file that holds the secret, got ${shown}, which is empty`] };
}

/** The entries of the `--config` file, or of the variable that holds its text. */
function readConfig(
  table: OptionTable,
  named: Entry | undefined,
  { from, inlineVariable }: { from: Surroundings; inlineVariable: string },
): SourceEntries {
  const inline = from.env[inlineVariable] || undefined;
  if (named === undefined) return readFileText(table, inline ?? "", inlineVariable, from.adoptFile);
  const none = new Map<string, Entry>();
  if (inline !== undefined) {
    return { entries: none, problems: [`${inlineVariable}: expected to be alone, got ${named.writtenAs} as well`] };
  }
  const path = String(named.value);
  const text = readFile(path, { writtenAs: named.writtenAs, shown: show(path) }, from);
  return text.problem === undefined
    ? readFileText(table, text.content, path, from.adoptFile)
    : { entries: none, problems: [text.problem] };
}

type FileText = { readonly content: string; readonly problem?: undefined } | { readonly problem: string };

function readFile(
  path: string,
  { writtenAs, shown }: { writtenAs: string; shown: string },
  from: Surroundings,
): FileText {
  try {
    return { content: from.readFile(path) };
  } catch (error) {
    const reason = (error as { code?: string }).code ?? (error as Error).message;
    return { problem: `${writtenAs}: expected a readable file, got ${shown} (${reason})` };
  }
}

const MAX_SHOWN = 80;

/** A value as an error shows it: short, on one line, nothing of a multi-line text such as a key. */
export function show(value: unknown): string {
  if (value === undefined || value === null || value === "") return "nothing";
  const shown = typeof value === "string" ? value : (JSON.stringify(value) ?? typeof value);
  if (/[\r\n]/.test(shown)) return REDACTED;
  return shown.length > MAX_SHOWN ? `${shown.slice(0, MAX_SHOWN)}...` : shown;
}

function describeIssues(error: z.ZodError, { writtenAs, value: given, isFile }: Entry, form: string): string[] {
  return error.issues.map((issue) => {
    const steps = issue.path.map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)).join("");
    const where = isFile === true ? steps.replace(/^\./, ": ") : steps;
    return `${writtenAs}${where}: expected ${expectationOf(issue, form)}, got ${show(valueAt(given, issue.path))}`;
  });
}

/** What an issue of a kind, or of a structured value's own schema, asks for. */
function expectationOf(issue: z.core.$ZodIssue, form: string): string {
  if (issue.code === "custom") return issue.message;
  if (issue.code === "unrecognized_keys") return `no key ${issue.keys.join(", ")}`;
  if (issue.path.length === 0) return form;
  // "Invalid input: expected string, received number"
  return /expected (.*?)(?:, received .*)?$/.exec(issue.message)?.[1] ?? issue.message.toLowerCase();
}

/** The part of what was given that an issue is about. */
function valueAt(given: unknown, path: readonly PropertyKey[]): unknown {
  let value = given;
  for (const key of path) {
    if (typeof key === "number") value = itemsOf(value)[key];
    else value = (value as Record<PropertyKey, unknown> | undefined)?.[key];
  }
  return value;
}
