// Where the reading of a header is, and what all its items are read with.
import { addAttribute } from "../reading.ts";
import type { Reading } from "../reading.ts";

export type Cursor = {
  at: number;
  hasTime: boolean;
  hasLevel: boolean;
  components: number;
  brackets: number;
  numbers: number;
  /** Whether what follows the component is one more group of the header. */
  wantsGroup: boolean;
};

export const sticky = (source: string): RegExp => new RegExp(source, "y");

export const NAME = "[A-Za-z_@$][\\w.$@/\\\\#+*-]{0,120}(?:::[A-Za-z_][\\w<>]{0,60}){0,8}(?:\\[[^\\]\\s]{1,40}\\])?";

/** Where the expression ends that fits here, or `at` where it does not. */
export function skip(pattern: RegExp, line: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(line) ? pattern.lastIndex : at;
}

let matchEnd = 0;

/** Where the last match ended. */
export const endOfMatch = (): number => matchEnd;

/** The first group that took part, or the whole match. */
export function matchOf(pattern: RegExp, line: string, at: number): string | undefined {
  pattern.lastIndex = at;
  const match = pattern.exec(line);
  if (match === null) return undefined;
  matchEnd = pattern.lastIndex;
  for (let i = 1; i < match.length; i++) if (match[i] !== undefined) return match[i];
  return match[0];
}

/** The match at the one place or else at the other, which is often the same. */
export const eitherOf = (pattern: RegExp, line: string, one: number, other: number): string | undefined =>
  matchOf(pattern, line, one) ?? (one === other ? undefined : matchOf(pattern, line, other));

/** The name of who speaks, or behind it the place in the code; it ended where the last match did. */
export function addComponent(name: string, cursor: Cursor, reading: Reading, end = matchEnd): boolean {
  addAttribute(reading, cursor.components === 0 ? "log.logger" : "code.file.path", name);
  cursor.components++;
  cursor.at = end;
  return true;
}
