// The formats that lines may have, by what the user asked for: built-in ones, those of the configuration, imported ones.
import { readBounded } from "@outrigger/files";
import { nearest } from "@outrigger/options";

import type { DetectionSettings } from "./detect.ts";
import { BUILT_IN } from "./format-table.ts";
import { importFormats } from "./formats/imports.ts";
import { compileOwnFormat } from "./formats/own.ts";
import type { NamedFormat, OwnFormat } from "./formats/own.ts";
import type { Format } from "./reading.ts";

export type FormatValues = {
  readonly format: readonly string[];
  readonly formats: readonly OwnFormat[] | undefined;
  readonly formatFiles: readonly string[];
  readonly grokPatterns: Readonly<Record<string, string>> | undefined;
};

export type Formats = {
  /** What the lines of an input are read as. */
  detectionFor(input: string): DetectionSettings;
  /** The name of a format, for people. */
  nameOf(format: Format): string;
  /** What cannot be used, as `<as written>: expected ..., got ...`. */
  readonly problems: readonly string[];
  /** Imported formats that cannot be used, and why; the others of their file can. */
  readonly skipped: readonly { readonly file: string; readonly name: string; readonly reason: string }[];
};

type WrittenAs = Readonly<Record<"format" | "formats" | "formatFiles", string>>;

const MAX_FILE_BYTES = 4 * 1024 * 1024;

/** Compiles them, with every problem at once. */
export async function loadFormats(values: FormatValues, writtenAs: WrittenAs): Promise<Formats> {
  const problems: string[] = [];
  const skipped: Formats["skipped"][number][] = [];
  const own = (values.formats ?? []).flatMap((format, i) => {
    try {
      return [compileOwnFormat(format, values.grokPatterns ?? {})];
    } catch (error) {
      problems.push(`${writtenAs.formats}[${i}] ${format.name}: ${(error as Error).message}`);
      return [];
    }
  });
  for (const file of values.formatFiles) {
    try {
      for (const format of importFormats((await readBounded(file, MAX_FILE_BYTES)).toString("utf8"))) {
        const compiled = tryCompile(format);
        if (typeof compiled === "string") skipped.push({ file, name: format.name, reason: compiled });
        else own.push(compiled);
      }
    } catch (error) {
      problems.push(`${writtenAs.formatFiles}: ${file}: ${(error as Error).message.split("\n")[0]}`);
    }
  }
  const byName = tableOf(own);
  const chosen = choicesIn(values.format);
  for (const { name } of chosen) {
    if (name !== "auto" && !byName.has(name)) problems.push(unknown(writtenAs.format, name, [...byName.keys()]));
  }
  const names = new Map([...byName].flatMap(([name, formats]) => formats.map((format) => [format, name] as const)));
  const ownFormats = own.map(({ read }) => read);
  return {
    problems,
    skipped,
    nameOf: (format) => names.get(format) ?? "syslog",
    detectionFor: (input) => {
      const choice = chosen.find((one) => one.input === input) ?? chosen.find((one) => one.input === undefined);
      const isAuto = choice === undefined || choice.name === "auto";
      return { own: ownFormats, only: isAuto ? undefined : byName.get(choice.name) };
    },
  };
}

function tryCompile(format: OwnFormat): NamedFormat | string {
  try {
    return compileOwnFormat(format, {});
  } catch (error) {
    return (error as Error).message;
  }
}

/** Formats by name; those of one name are tried one after the other. */
function tableOf(own: readonly NamedFormat[]): Map<string, readonly Format[]> {
  const table = new Map<string, readonly Format[]>(Object.entries(BUILT_IN).map(([name, read]) => [name, [read]]));
  const names = new Set(own.map(({ name }) => name));
  for (const name of names)
    table.set(
      name,
      own.filter((one) => one.name === name).map(({ read }) => read),
    );
  return table;
}

/** `name` is for all inputs, `input=name` for one of them. */
const choicesIn = (texts: readonly string[]): { input: string | undefined; name: string }[] =>
  texts.map((text) => {
    const at = text.lastIndexOf("=");
    return at < 0 ? { input: undefined, name: text } : { input: text.slice(0, at), name: text.slice(at + 1) };
  });

function unknown(written: string, name: string, names: readonly string[]): string {
  const near = nearest(name, names);
  return `${written}: expected auto or one of ${names.join(", ")}, got ${name}${near === undefined ? "" : ` (did you mean ${near}?)`}`;
}
