import * as z from "@outrigger/options/zod";
// Formats of the user's own: what a pattern's groups, or a JSON object's fields, stand for.
import { compileGrok, compilePattern, PatternError } from "@outrigger/patterns";
import type { Field, Pattern } from "@outrigger/patterns";

import { addAttribute, setSeverity, takeTime } from "../reading.ts";
import type { Format, Reading } from "../reading.ts";
import { severityOfLetter, severityOfNumber, severityOfWord, textOf } from "../severity.ts";
import type { TimeReader } from "../timestamp.ts";
import { compileTimeFormat } from "./time-format.ts";
import type { TimeFormat } from "./time-format.ts";

export const ownFormat = z
  .strictObject({
    name: z.string().regex(/^[A-Za-z][\w.-]{0,62}$/, "a name of letters, digits, dots and dashes"),
    regexp: z.string().min(1).optional().describe("A regular expression; its named groups are the fields."),
    grok: z.string().min(1).optional().describe("A grok pattern, instead of `regexp`."),
    json: z.literal(true).optional().describe("The line is a JSON object, instead of `regexp`."),
    time: z.string().optional().describe("The field with the time."),
    timeFormat: z.array(z.string()).or(z.string()).optional().describe("Its form, as strptime(3) describes it."),
    level: z.string().optional().describe("The field with the level."),
    levels: z.record(z.string(), z.string()).optional().describe("What the levels' texts stand for."),
    levelPatterns: z.record(z.string(), z.string()).optional().describe("Levels, and the expressions of their texts."),
    types: z
      .record(z.string(), z.enum(["text", "int", "float"]))
      .optional()
      .describe("Fields that are numbers."),
    body: z.string().optional().describe("The field with the message."),
  })
  .refine(({ regexp, grok, json }) => [regexp, grok, json].filter((given) => given !== undefined).length === 1, {
    message: "one of regexp, grok and json",
  });
export type OwnFormat = z.infer<typeof ownFormat>;

/** A format with its name, as it is tried. */
export type NamedFormat = { readonly name: string; readonly read: Format };

const TIME = ["time", "timestamp", "@timestamp", "ts", "date", "datetime"];
const LEVEL = ["level", "severity", "loglevel", "log_level", "lvl", "priority", "log.level"];
const BODY = ["message", "msg", "body", "log", "text"];

type Taker = (value: unknown, reading: Reading, times: TimeReader) => boolean;
type Takers = { readonly time: Taker; readonly level: Taker };

/** Compiles a format; throws an error of the form `<key>: expected ..., got ...`. */
export function compileOwnFormat(format: OwnFormat, grokPatterns: Readonly<Record<string, string>>): NamedFormat {
  const { name } = format;
  const takers: Takers = { time: timeTaker(format), level: levelTaker(format) };
  if (format.json === true) return { name, read: readObject(format, takers) };
  return { name, read: readPattern(format, patternOf(format, grokPatterns), takers) };
}

function patternOf({ regexp, grok, types = {} }: OwnFormat, patterns: Readonly<Record<string, string>>): Pattern {
  try {
    return grok === undefined ? compilePattern(regexp!, { fields: fieldsOf(types) }) : compileGrok(grok, { patterns });
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw new Error(`${grok === undefined ? "regexp" : "grok"}: ${error.message}`, { cause: error });
  }
}

const fieldsOf = (types: NonNullable<OwnFormat["types"]>): Record<string, Field> =>
  Object.fromEntries(Object.entries(types).map(([name, type]) => [name, { name, type }]));

function readPattern(format: OwnFormat, pattern: Pattern, takers: Takers): Format {
  const names = pattern.fields.map(({ name }) => name);
  const roles = {
    time: indexOf(names, format.time, TIME),
    level: indexOf(names, format.level, LEVEL),
    body: indexOf(names, format.body, BODY),
  };
  return (line, reading, times) => {
    const values = pattern.exec(line);
    if (values === undefined) return false;
    reading.format = format.name;
    const body = values[roles.body];
    if (body !== undefined) reading.body = String(body);
    for (let i = 0; i < values.length; i++) {
      const isTaken =
        (i === roles.time && takers.time(values[i], reading, times)) ||
        (i === roles.level && takers.level(values[i], reading, times)) ||
        i === roles.body;
      if (!isTaken) addAttribute(reading, names[i]!, values[i]);
    }
    return true;
  };
}

function indexOf(names: readonly string[], named: string | undefined, usual: readonly string[]): number {
  if (named !== undefined) return names.indexOf(named);
  return names.indexOf(usual.find((name) => names.includes(name)) ?? "");
}

function readObject(format: OwnFormat, takers: Takers): Format {
  return (line, reading, times) => {
    const fields = objectOf(line);
    if (fields === undefined) return false;
    const nameOf = (named: string | undefined, usual: readonly string[]): string | undefined =>
      named ?? usual.find((name) => fields[name] !== undefined);
    const [time, level, body] = [nameOf(format.time, TIME), nameOf(format.level, LEVEL), nameOf(format.body, BODY)];
    // What the format names has to be there: otherwise the line is another's.
    if ([format.time, format.body].some((name) => name !== undefined && valueAt(fields, name) === undefined))
      return false;
    reading.format = format.name;
    const text = body === undefined ? undefined : valueAt(fields, body);
    if (typeof text === "string") reading.body = text;
    for (const [name, value] of Object.entries(fields)) {
      const isTaken = (name === body && typeof value === "string") || name === time || name === level;
      if (!isTaken) addAttribute(reading, name, value);
    }
    if (time !== undefined) takers.time(valueAt(fields, time), reading, times);
    if (level !== undefined) takers.level(valueAt(fields, level), reading, times);
    return true;
  };
}

type Fields = Readonly<Record<string, unknown>>;

function objectOf(line: string): Fields | undefined {
  if (line.charCodeAt(0) !== 123) return undefined;
  try {
    return JSON.parse(line) as Fields;
  } catch {
    return undefined;
  }
}

/** A field by its name, or by its path with dots or slashes between names. */
const valueAt = (fields: Fields, path: string): unknown =>
  fields[path] ??
  path
    .split(/[./]/)
    .reduce<unknown>(
      (value, name) => (typeof value === "object" ? (value as Fields | null)?.[name] : undefined),
      fields,
    );

function timeTaker({ timeFormat = [] }: OwnFormat): Taker {
  const forms: TimeFormat[] = [];
  for (const form of [timeFormat].flat()) {
    try {
      forms.push(compileTimeFormat(form));
    } catch (error) {
      throw new Error(`timeFormat: ${(error as Error).message}`, { cause: error });
    }
  }
  return (value, reading, times) => {
    if (value === undefined || value === null) return false;
    const text = typeof value === "number" && !Number.isInteger(value) ? value.toFixed(6) : String(value);
    const written = forms.map((form) => form(text)).find((found) => found !== undefined) ?? text;
    const isRead = times.readEpoch(written) || times.read(written, 0) >= 0;
    if (isRead) takeTime(reading, times);
    return isRead;
  };
}

function levelTaker({ levels = {}, levelPatterns = {} }: OwnFormat): Taker {
  const patterns = Object.entries(levelPatterns).map(([word, source]) => ({ word, pattern: levelPattern(source) }));
  const wordOf = (text: string): string =>
    Object.hasOwn(levels, text) ? levels[text]! : (patterns.find(({ pattern }) => pattern.test(text))?.word ?? text);
  return (value, reading) => {
    const text = String(value ?? "").trim();
    const word = wordOf(text);
    const isNumber = /^\d{1,5}$/.test(word);
    const number = isNumber ? severityOfNumber(Number(word)) : numberOfWord(word);
    if (number > 0) setSeverity(reading, isNumber ? textOf(number) : text, number);
    return number > 0;
  };
}

const numberOfWord = (word: string): number =>
  severityOfWord(word) || (word.length === 1 ? severityOfLetter(word.toUpperCase()) : 0);

function levelPattern(source: string): Pattern {
  try {
    return compilePattern(source);
  } catch (error) {
    throw new Error(`levelPatterns: ${(error as Error).message}`, { cause: error });
  }
}
