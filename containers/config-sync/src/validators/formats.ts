// Whether a file is what its name says: JSON, YAML, TOML, INI.
import { parse as parseToml } from "smol-toml";
import { parseAllDocuments } from "yaml";

import { createPattern } from "../written.ts";
import { firstLineOf, ofEachFile, textOf } from "./validator.ts";
import type { Validator } from "./validator.ts";

/** How often YAML's aliases may repeat a part: more of them are a bomb. */
const MAX_ALIASES = 100;

/** The values of a YAML stream, one for each document. Throws with the place of the first mistake. */
export function parseYaml(text: string): unknown[] {
  const documents = parseAllDocuments(text, { logLevel: "error" });
  if (!Array.isArray(documents)) return [];
  return documents.map((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    return document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown;
  });
}

/** Sections, `key = value` or `key: value`, comments, and indented lines that go on with a value. Throws elsewhere. */
function parseIni(text: string): void {
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    const isFine = /^\s*(?:[;#].*)?$|^\s*\[[^\]]+\]\s*(?:[;#].*)?$|^[^=:[\]\s][^=:]*[=:]|^\s+\S/.test(line);
    if (!isFine) throw new Error(`line ${at + 1}: ${line.slice(0, 60)}`);
  }
}

const FORMATS = {
  json: { files: /\.json$/, form: "JSON", parse: (text: string): unknown => JSON.parse(text) },
  yaml: { files: /\.ya?ml$/, form: "YAML", parse: parseYaml },
  toml: { files: /\.toml$/, form: "TOML", parse: (text: string): unknown => parseToml(text) },
  ini: { files: /\.(ini|cfg|cnf)$/, form: "INI", parse: parseIni },
} as const;
export type Format = keyof typeof FORMATS;

export const isFormat = (name: string): name is Format => Object.hasOwn(FORMATS, name);

/** Every file that matches the pattern, or without one every file whose name ends like this format's, must be of it. */
export function createFormatValidator(format: Format, pattern: string | undefined): Validator {
  const { files, form, parse } = FORMATS[format];
  const isMeant = pattern === undefined ? (path: string) => files.test(path) : createPattern(pattern);
  return ofEachFile(format, isMeant, (entry) => {
    try {
      parse(textOf(entry));
      return undefined;
    } catch (error) {
      return `expected ${form}, got ${firstLineOf(error)}`;
    }
  });
}

/** The documents of a file by the end of its name: YAML, TOML, else JSON. */
export function documentsOf(path: string, text: string): unknown[] {
  if (FORMATS.yaml.files.test(path)) return parseYaml(text);
  return [FORMATS.toml.files.test(path) ? parseToml(text) : (JSON.parse(text) as unknown)];
}
