// Reads the command line: `--name value`, `--name=value`, `--switch`, `--no-switch`. A list may be repeated.
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
export type FlagEntries = SourceEntries & { readonly action: Action | undefined };

export function readFlags(table: OptionTable, argv: readonly string[]): FlagEntries {
  const known = new Map(
    Object.entries(table).map(([property, { kind }]) => [spell(property, kind, "").flag, property]),
  );
  const meaningOf = (flag: string): Meaning => meaningIn(table, known, flag);
  const entries = new Map<string, Entry>();
  const problems: string[] = [];
  let action: Action | undefined;
  for (const written of pairsOf(argv, (flag) => takesValue(meaningOf(flag)))) {
    const meaning = meaningOf(written.flag);
    if ("action" in meaning) action ??= meaning.action;
    const problem = problemOf(written, meaning);
    if (problem !== undefined) problems.push(problem);
    else if ("property" in meaning) {
      const { property, kind, negated } = meaning;
      const before = kind.list === true ? entries.get(property) : undefined;
      entries.set(property, entryOf(written.flag, written.value ?? String(!negated), before));
    }
  }
  return { entries, problems, action };
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

type Meaning =
  | { readonly action: Action }
  | { readonly problem: string }
  | { readonly property: string; readonly kind: AnyKind; readonly negated: boolean };

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
