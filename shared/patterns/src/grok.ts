// grok: expressions with names for parts of them. `%{NAME}` stands for a pattern, `%{NAME:field}` keeps what it fits as a
// field, `%{NAME:field:int}` as a number; patterns may be made of others.
import { GROK_PATTERNS } from "./grok-patterns.ts";
import type { Field, FieldType, Pattern, PatternSettings } from "./pattern.ts";
import { compilePattern, MAX_PATTERN_LENGTH, PatternError } from "./pattern.ts";

export type GrokSettings = Pick<PatternSettings, "ignoreCase"> & {
  /** Patterns of the user's own by name; they come before those of the standard set. */
  readonly patterns?: Readonly<Record<string, string>>;
};

const REFERENCE = /%\{([A-Za-z0-9_]{1,64})(?::([^:{}]{1,128}))?(?::([a-z]{1,16}))?\}/g;
const TYPES: Readonly<Record<string, FieldType>> = {
  string: "text",
  text: "text",
  int: "int",
  long: "int",
  integer: "int",
  float: "float",
  double: "float",
  number: "float",
};
/** Patterns within patterns: more than any set has, and few enough for one that contains itself to end. */
const MAX_DEPTH = 16;

type Expansion = { readonly settings: GrokSettings; readonly fields: Record<string, Field>; readonly position: number };

/** Compiles a grok pattern; throws a PatternError that names the place in what was written. */
export function compileGrok(source: string, settings: GrokSettings = {}): Pattern {
  const fields: Record<string, Field> = {};
  const stray = source.replace(REFERENCE, (found) => " ".repeat(found.length)).indexOf("%{");
  if (stray >= 0) throw new PatternError("expected %{NAME}, %{NAME:field} or %{NAME:field:type}", stray + 1);
  const expanded = source.replace(REFERENCE, (...match) =>
    expand(match as unknown as Match, { settings, fields, position: positionOf(match) }, 0),
  );
  const { ignoreCase = false } = settings;
  return compilePattern(expanded, { ignoreCase, fields, shownAs: source });
}

type Match = readonly [found: string, name: string, field: string | undefined, type: string | undefined];

/** replace() gives the place of a match last but one. */
const positionOf = (match: readonly unknown[]): number => Number(match.at(-2)) + 1;

function expand([, name, field, typeName]: Match, expansion: Expansion, depth: number): string {
  const { settings, fields, position } = expansion;
  const own = Object.hasOwn(settings.patterns ?? {}, name) ? settings.patterns![name] : undefined;
  const pattern = own ?? (Object.hasOwn(GROK_PATTERNS, name) ? GROK_PATTERNS[name] : undefined);
  if (pattern === undefined) throw new PatternError(`expected the name of a pattern, got ${name}`, position);
  if (depth >= MAX_DEPTH)
    throw new PatternError(`expected a pattern that does not contain itself, got ${name}`, position);
  const type = typeName === undefined ? "text" : TYPES[typeName];
  if (type === undefined) throw new PatternError(`expected int, float or string, got ${typeName}`, position);
  const inner = pattern.replace(REFERENCE, (...match) => expand(match as unknown as Match, expansion, depth + 1));
  if (inner.length > MAX_PATTERN_LENGTH) {
    throw new PatternError(`expected at most ${MAX_PATTERN_LENGTH} characters, got more by ${name}`, position);
  }
  if (field === undefined) return `(?:${inner})`;
  // Names of fields may have characters that those of groups cannot, and may come twice.
  const group = `_${Object.keys(fields).length}`;
  fields[group] = { name: nameOf(field), type };
  return `(?<${group}>${inner})`;
}

/** Logstash's `[a][b]` is `a.b`. */
const nameOf = (field: string): string =>
  field.startsWith("[") ? field.slice(1).replace(/\]$/, "").replaceAll("][", ".") : field;
