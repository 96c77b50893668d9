// Reads the command line: `--name value`, `--name=value`, `--switch`, `--no-switch`. A list may be repeated.
import type { CommandLine } from "./command.ts";
import { commandForm } from "./command.ts";
import type { Entry, SourceEntries } from "./entries.ts";
import { didYouMean } from "./entries.ts";
import type { AnyKind, OptionTable } from "./table.ts";
import { flagOf, spell } from "./table.ts";

/** Options that ask for text instead of starting anything, with what usage says of them. */
export const ACTIONS = {
  help: "Show this text.",
  version: "Show the version.",
  printConfig: "Show the effective values with their origin, secrets redacted.",
  checkConfig: "Check the values and the files that they name, then exit 0 or 2.",
} as const;
export type Action = keyof typeof ACTIONS;

const ACTION_BY_FLAG = new Map(Object.keys(ACTIONS).map((action) => [flagOf(action), action as Action]));
const SHORT_FLAGS: Readonly<Record<string, string>> = { "-h": "--help" };

/** Entries by property, and the action that was asked for first. */
export type FlagEntries = SourceEntries & {
  readonly action: Action | undefined;
  /** The words of the command, in order. */
  readonly words: readonly string[];
};

/** Reads what stands after the command's name, or the whole command line where there is no command. */
export function readFlags(table: OptionTable, argv: readonly string[], command?: CommandLine): FlagEntries {
  const known = new Map(
    Object.entries(table).map(([property, { kind }]) => [spell(property, kind, "").flag, property]),
  );
  const meaningOf = (flag: string): Meaning => meaningIn(table, known, flag);
  const entries = new Map<string, Entry>();
  const problems: string[] = [];
  const { flags, rest } = divide(argv, command);
  const words: string[] = [];
  const wanted = command === undefined ? 0 : command.words.length - rest.length;
  let action: Action | undefined;
  const take = (written: Written, { property, kind, negated }: Named): void => {
    const before = kind.list === true ? entries.get(property) : undefined;
    entries.set(property, entryOf(written.flag, written.value ?? String(!negated), before));
  };
  for (const written of pairsOf(flags, (flag) => takesValue(meaningOf(flag)))) {
    if (words.length < wanted && !written.flag.startsWith("-")) {
      words.push(written.flag);
      continue;
    }
    const meaning = meaningOf(written.flag);
    if ("action" in meaning) action ??= meaning.action;
    const problem = problemOf(written, meaning);
    if (problem !== undefined) problems.push(problem);
    else if ("property" in meaning) take(written, meaning);
  }
  words.push(...rest);
  problems.push(...problemsOfWords(command, words));
  return { entries, problems, action, words };
}

/** What stands after `--` is words, whatever it begins with. Only commands have words. */
function divide(argv: readonly string[], command: CommandLine | undefined): { flags: string[]; rest: string[] } {
  const end = command === undefined ? -1 : argv.indexOf("--");
  return end < 0 ? { flags: [...argv], rest: [] } : { flags: argv.slice(0, end), rest: argv.slice(end + 1) };
}

function problemsOfWords(command: CommandLine | undefined, words: readonly string[]): string[] {
  if (command === undefined || words.length === command.words.length) return [];
  const got = words.length === 0 ? "nothing" : words.join(" ");
  return [`${command.name}: expected ${commandForm(command)}, got ${got} after ${command.name}`];
}

type Written = { readonly flag: string; readonly value: string | undefined };

/** Joins each flag that takes a value with the word after it. What belongs to no flag stands alone. */
function pairsOf(argv: readonly string[], takesValue: (flag: string) => boolean): Written[] {
  const pairs: Written[] = [];
  let open: string | undefined;
  for (const word of argv) {
    // A value may begin with one hyphen, as a negative number does; one that begins with two is given after `=`.
    const [, name, value] = /^(--[^=]*|-h$)(?:=(.*))?$/s.exec(word) ?? [];
    if (name === undefined && open !== undefined) pairs[pairs.length - 1] = { flag: open, value: word };
    else pairs.push({ flag: SHORT_FLAGS[word] ?? name ?? word, value });
    open = name !== undefined && value === undefined && takesValue(name) ? name : undefined;
  }
  return pairs;
}

type Named = { readonly property: string; readonly kind: AnyKind; readonly negated: boolean };
type Meaning = { readonly action: Action } | { readonly problem: string } | Named;

function meaningIn(table: OptionTable, known: ReadonlyMap<string, string>, flag: string): Meaning {
  const action = ACTION_BY_FLAG.get(flag);
  if (action !== undefined) return { action };
  if (!flag.startsWith("-")) return { problem: "expected a flag, got a bare word" };
  const plain = known.get(flag);
  const property = plain ?? known.get(flag.replace(/^--no-/, "--"));
  const kind = property === undefined ? undefined : table[property]!.kind;
  if (property === undefined || kind === undefined || (plain === undefined && kind.boolean !== true)) {
    return { problem: `expected a known flag${didYouMean(flag, [...known.keys(), ...ACTION_BY_FLAG.keys()])}` };
  }
  if (kind.fileOnly === true) return { problem: `expected ${property} as a key of the file, got a flag` };
  return { property, kind, negated: plain === undefined };
}

/** The word after an unknown flag is most likely its value: one mistake, one problem. */
const takesValue = (meaning: Meaning): boolean =>
  "property" in meaning ? meaning.kind.boolean !== true : "problem" in meaning;

function problemOf({ flag, value }: Written, meaning: Meaning): string | undefined {
  if ("problem" in meaning) return `${flag}: ${meaning.problem}`;
  if ("property" in meaning && !meaning.negated) {
    return value === undefined && takesValue(meaning)
      ? `${flag}: expected ${meaning.kind.form}, got nothing`
      : undefined;
  }
  return value === undefined ? undefined : `${flag}: expected no value, got ${value}`;
}

const entryOf = (flag: string, value: string, before: Entry | undefined): Entry => ({
  value: before === undefined ? value : `${String(before.value)},${value}`,
  writtenAs: flag,
  origin: `flag ${flag}`,
});
