// Regular expressions in the syntax of RE2, matched by automata: the time is bounded by the length of the text times that
// of the expression, whatever both are. What automata cannot do, references back and looking around, is refused.
import { RE2JS, RE2JSException } from "re2js";

/** Characters that an expression may have, grok's names written out. */
export const MAX_PATTERN_LENGTH = 16_384;

export type FieldType = "text" | "int" | "float";
export type Field = { readonly name: string; readonly type: FieldType };
export type FieldValue = string | number | undefined;

export type Pattern = {
  /** As the user wrote it. */
  readonly source: string;
  /** The named groups, in their order. */
  readonly fields: readonly Field[];
  /** Whether it fits somewhere in the text. */
  test(text: string): boolean;
  /**
   * The values of the fields, in their order, of the first place where it fits; undefined where it fits nowhere. A group
   * that took no part, and what is no number of a numeric field, is undefined.
   */
  exec(text: string): FieldValue[] | undefined;
  /** The text with each place where it fits replaced by what `replace` makes of it. */
  replaceAll(text: string, replace: (found: string) => string): string;
};

export type PatternSettings = {
  readonly ignoreCase?: boolean;
  /** The fields that groups stand for, by group; by default each named group is a field of its name, of text. */
  readonly fields?: Readonly<Record<string, Field>>;
  /** What to show as the source, where the expression was made of something else. */
  readonly shownAs?: string;
};

/** Says what is wrong with a pattern, and at which character of it, counted from 1. */
export class PatternError extends Error {
  override readonly name = "PatternError";
  readonly position: number;
  constructor(problem: string, position: number) {
    super(`${problem} at character ${position}`);
    this.position = position;
  }
}

/** Compiles an expression; throws a PatternError for one that cannot be used. Groups are named `(?<name>...)`. */
export function compilePattern(source: string, settings: PatternSettings = {}): Pattern {
  const { ignoreCase = false, shownAs = source } = settings;
  if (source.length > MAX_PATTERN_LENGTH) {
    throw new PatternError(`expected at most ${MAX_PATTERN_LENGTH} characters, got more`, MAX_PATTERN_LENGTH);
  }
  const compiled = compile(source, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
  const groups = Object.entries(compiled.namedGroups()).sort(([, a], [, b]) => a - b);
  const fields = groups.map(([name]): Field => settings.fields?.[name] ?? { name, type: "text" });
  const numbers = groups.map(([, number]) => number);
  return {
    source: shownAs,
    fields,
    test: (text) => compiled.test(text),
    exec: (text) => {
      const matcher = compiled.matcher(text);
      if (!matcher.find()) return undefined;
      return numbers.map((number, i) => valueOf(matcher.group(number), fields[i]!.type));
    },
    replaceAll: (text, replace) => {
      if (!compiled.test(text)) return text;
      const matcher = compiled.matcher(text);
      let [result, at] = ["", 0];
      while (matcher.find()) {
        result += text.slice(at, matcher.start()) + replace(matcher.group() ?? "");
        at = matcher.end();
      }
      return result + text.slice(at);
    },
  };
}

function compile(source: string, flags: number): RE2JS {
  try {
    return RE2JS.compile(source, flags);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    throw explain(source, error as unknown as { error?: string; input?: string | null; message: string });
  }
}

const AROUND = /\(\?<?[=!]/;

function explain(source: string, error: { error?: string; input?: string | null; message: string }): PatternError {
  const around = AROUND.exec(source);
  if (around !== null) return new PatternError("looking ahead or behind is not possible", around.index + 1);
  const problem = error.error ?? error.message;
  // Of a parenthesis without its other the whole expression is named.
  if (problem.includes(")")) return new PatternError(problem, unmatchedIn(source) + 1);
  const at = error.input ? source.lastIndexOf(error.input) : 0;
  return new PatternError(error.input ? `${problem} ${error.input}` : problem, Math.max(at, 0) + 1);
}

/** Where the parenthesis is that has no other: the first `)` too many, or else the last `(` that stays open. */
function unmatchedIn(source: string): number {
  const open: number[] = [];
  let inClass = false;
  for (let i = 0; i < source.length; i++) {
    const char = source[i];
    if (char === "\\") i++;
    else if (inClass) inClass = char !== "]";
    else if (char === "[") inClass = true;
    else if (char === "(") open.push(i);
    else if (char === ")" && open.pop() === undefined) return i;
  }
  return open.at(-1) ?? 0;
}

function valueOf(text: string | null, type: FieldType): FieldValue {
  if (text === null) return undefined;
  if (type === "text") return text;
  const number = text.trim() === "" ? Number.NaN : Number(text);
  if (!Number.isFinite(number)) return undefined;
  return type === "int" ? Math.trunc(number) : number;
}
