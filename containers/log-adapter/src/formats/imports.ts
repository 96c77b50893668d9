// Formats written for other programs: fluent-bit's parser files, and lnav's format files.
import * as z from "@outrigger/options/zod";

import type { OwnFormat } from "./own.ts";

/** Formats of a file by its text: lnav's are JSON. Throws an error that says what was expected. */
export const importFormats = (text: string): OwnFormat[] =>
  text.trimStart().startsWith("{") ? importLnav(text) : importFluentBit(text);

/** fluent-bit's classic form: sections of names and values; those of other kinds are not about formats. */
function importFluentBit(text: string): OwnFormat[] {
  const sections = sectionsIn(text);
  if (sections.length === 0) throw new Error("expected sections [PARSER] or a JSON object, got neither");
  return sections.filter(({ kind }) => kind === "PARSER").map(({ values }) => parserOf(values));
}

type Section = { readonly kind: string; readonly values: Record<string, string> };

function sectionsIn(text: string): Section[] {
  const sections: Section[] = [];
  for (const line of text.split(/\r?\n/)) {
    const kind = /^\[(\w{1,40})\]\s*$/.exec(line.trim())?.[1];
    const [, name, value] = /^\s*([\w.]{1,60})\s+(.*\S)\s*$/.exec(line) ?? [];
    if (kind !== undefined) sections.push({ kind: kind.toUpperCase(), values: {} });
    else if (name !== undefined && !line.trimStart().startsWith("#")) {
      const section = sections.at(-1);
      if (section !== undefined) section.values[name.toLowerCase()] ??= value!;
    }
  }
  return sections;
}

const TYPES: Readonly<Record<string, "int" | "float">> = { integer: "int", float: "float" };
/** A pair of ltsv is a name, a colon and a value, with tabs between pairs. */
const UNKNOWN = (what: string, name: string): Error => new Error(`${name}: expected Format regex or json, got ${what}`);

function parserOf(values: Readonly<Record<string, string>>): OwnFormat {
  const { name = "", format = "", regex = "", types = "" } = values;
  const time = { time: values["time_key"] ?? "time" };
  const form = values["time_format"] === undefined ? {} : { timeFormat: values["time_format"] };
  if (format.toLowerCase() === "json") return { name, json: true, ...time, ...form };
  if (format.toLowerCase() !== "regex") throw UNKNOWN(format, name);
  const typed = types
    .split(/\s+/)
    .map((pair) => pair.split(":"))
    .flatMap(([field, type]) => (TYPES[type ?? ""] === undefined ? [] : [[field!, TYPES[type!]!] as const]));
  // An expression may stand between slashes.
  return { name, regexp: regex.replace(/^\/(.*)\/$/, "$1"), ...time, ...form, types: Object.fromEntries(typed) };
}

const lnavFormat = z.looseObject({
  regex: z.record(z.string(), z.looseObject({ pattern: z.string() })).optional(),
  json: z.boolean().optional(),
  "timestamp-field": z.string().optional(),
  "timestamp-format": z.array(z.string()).optional(),
  "level-field": z.string().optional(),
  level: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
  "body-field": z.string().optional(),
});

/** lnav's: an object of formats by name; a format has several expressions, the first that fits counts. */
function importLnav(text: string): OwnFormat[] {
  const file = z.record(z.string(), z.unknown()).parse(JSON.parse(text));
  return Object.entries(file)
    .filter(([name]) => !name.startsWith("$"))
    .flatMap(([name, value]) => formatsOf(name, lnavFormat.parse(value)));
}

function formatsOf(name: string, format: z.infer<typeof lnavFormat>): OwnFormat[] {
  const levels = Object.entries(format.level ?? {});
  const numbered = levels.filter(([, value]) => typeof value === "number");
  const common = {
    name,
    time: format["timestamp-field"] ?? "timestamp",
    level: format["level-field"] ?? "level",
    body: format["body-field"] ?? "body",
    ...(format["timestamp-format"] === undefined ? {} : { timeFormat: format["timestamp-format"].filter(isKnown) }),
    levels: Object.fromEntries(numbered.map(([word, value]) => [String(value), word])),
    levelPatterns: Object.fromEntries(levels.filter(([, value]) => typeof value === "string")) as Record<
      string,
      string
    >,
  };
  if (format.json === true) return [{ ...common, json: true }];
  return Object.values(format.regex ?? {}).map(({ pattern }) => ({ ...common, regexp: pattern }));
}

/** lnav has directives of its own, such as `%@`; times of such forms are left to the general reader. */
const isKnown = (form: string): boolean => !/%[^YymdeHkIlMSLfNbhBaApzZsi%TDFR]/.test(form);
