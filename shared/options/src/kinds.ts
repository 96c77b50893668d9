// The kinds of values that options have. A kind is a zod schema that accepts text (as flags and variables give it) and
// the native form (as a YAML file may hold it), together with the words that describe it to people.
import * as z from "zod";

import type { Address } from "./address.ts";
import { formatAddress, parseAddress } from "./address.ts";
import { REDACTED, Secret } from "./secret.ts";
import {
  MAX_TIMER_MS,
  formatBytes,
  formatDuration,
  parseBoolean,
  parseBytes,
  parseDuration,
  parseInteger,
  parseRatio,
} from "./units.ts";

/** How one kind of value is read, described and printed. `T` is what the program gets. */
export type Kind<T> = {
  /** One word for tables and usage: `duration`, `bytes`, `address` ... */
  readonly name: string;
  /** What was expected, as it stands in an error: "a duration such as 500ms, 10s or 5m". */
  readonly form: string;
  readonly schema: z.ZodType<T, unknown>;
  /** JSON Schema (draft-07) of the forms that a file may hold. */
  readonly json: Readonly<Record<string, unknown>>;
  /** The value as one would write it on the command line. */
  readonly format: (value: T) => string;
  /** The value as a file would hold it, where that is not the same text. */
  readonly written?: (value: T) => unknown;
  /** A flag may be repeated, and its text is split at commas. */
  readonly list?: boolean;
  readonly boolean?: boolean;
  readonly secret?: boolean;
  /** Lists of objects and the like: only the file can hold them. */
  readonly fileOnly?: boolean;
};

/** A kind of values that `parse` understands: it returns undefined for what is not of the expected form. */
function scalar<T>(kind: Omit<Kind<T>, "schema"> & { parse: (value: unknown) => T | undefined }): Kind<T> {
  const { parse, ...rest } = kind;
  const { form, json, format, written = format } = rest;
  // A codec, so that a structured value made of kinds can be written back, too.
  const schema = z.codec(z.unknown(), z.custom<T>(), {
    decode(value, context) {
      const parsed = parse(value);
      if (parsed !== undefined) return parsed;
      context.issues.push({ code: "custom", message: form, input: value });
      return z.NEVER;
    },
    encode: written,
  });
  return { ...rest, schema: schema.meta(json) };
}

/** A number of YAML stands for its text, unless it is so large that YAML has not kept its digits. */
function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  const exact = typeof value === "number" && Math.abs(value) <= Number.MAX_SAFE_INTEGER;
  return exact ? String(value) : undefined;
}

/** JSON Schema has no flag for it: the pattern of one of these words, whatever their case. */
const anyCase = (words: readonly string[]): string =>
  words.map((word) => word.replaceAll(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`)).join("|");

/** The pattern of a form that may have white space around it. */
const trimmed = (pattern: string): string => `^\\s*(${pattern})\\s*$`;

export const text = (form = "text"): Kind<string> =>
  scalar({
    name: "text",
    form,
    json: { type: ["string", "number"] },
    parse: (value) => textOf(value),
    format: (value) => value,
  });

/** An absolute or relative path; existence is the container's business, since it may come and go. */
export const path = (): Kind<string> =>
  scalar({
    name: "path",
    form: "a path",
    json: { type: "string", minLength: 1 },
    parse: (value) => (typeof value === "string" && value !== "" && !value.includes("\0") ? value : undefined),
    format: (value) => value,
  });

const ADDRESS_FORM = "host:port, [ipv6]:port or unix:/path";

/** Where to listen or to connect. A bare port stands for `defaultHost`. */
export const address = (defaultHost = "127.0.0.1"): Kind<Address> =>
  scalar({
    name: "address",
    form: ADDRESS_FORM,
    json: { type: ["string", "integer"] },
    parse: (value) => parseAddress(textOf(value) ?? "", defaultHost),
    format: formatAddress,
  });

/**
 * Milliseconds inside the program. A bare number means seconds, for ever. `positive` refuses 0, for time-outs and the
 * like, where some would take it for "at once" and others for "never". `maxMs` may only be raised for what no timer waits
 * for.
 */
export const duration = ({ positive = false, maxMs = MAX_TIMER_MS } = {}): Kind<number> =>
  scalar({
    name: "duration",
    form: `a duration ${positive ? "above 0, " : ""}such as 500ms, 10s, 5m or 1h (a bare number is seconds)`,
    json: {
      type: ["string", "number"],
      pattern: trimmed("[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)?"),
      ...(positive ? { exclusiveMinimum: 0 } : { minimum: 0 }),
    },
    parse: (value) => {
      const milliseconds = parseDuration(textOf(value) ?? "", maxMs);
      return positive && milliseconds === 0 ? undefined : milliseconds;
    },
    format: formatDuration,
  });

/** Bytes inside the program. */
export const bytes = (): Kind<number> =>
  scalar({
    name: "bytes",
    form: "a size such as 16KiB, 10MiB or 500k (a bare number is bytes)",
    json: {
      type: ["string", "number"],
      pattern: trimmed("[0-9]+(\\.[0-9]+)?(B|k|kB|K|KiB|M|MB|MiB|G|GB|GiB)?"),
      minimum: 0,
    },
    parse: (value) => parseBytes(textOf(value) ?? ""),
    format: formatBytes,
  });

export const integer = (min: number, max: number): Kind<number> =>
  scalar({
    name: "integer",
    form: `a whole number from ${min} to ${max}`,
    json: { type: ["integer", "string"], minimum: min, maximum: max, pattern: trimmed("-?[0-9]{1,16}") },
    parse: (value) => parseInteger(textOf(value) ?? "", min, max),
    format: String,
    written: (value) => value,
  });

/** A whole number, or one word that stands for a number found elsewhere. */
export const integerOr = <W extends string>(word: W, min: number, max: number): Kind<number | W> =>
  scalar<number | W>({
    name: `integer|${word}`,
    form: `${word}, or a whole number from ${min} to ${max}`,
    json: { type: ["integer", "string"], minimum: min, maximum: max, pattern: trimmed(`(-?[0-9]{1,16}|${word})`) },
    parse: (value) => {
      const text = textOf(value) ?? "";
      return text.trim() === word ? word : parseInteger(text, min, max);
    },
    format: String,
    written: (value) => value,
  });

export const ratio = (): Kind<number> =>
  scalar({
    name: "ratio",
    form: "a number from 0 to 1, or a percentage such as 25%",
    json: {
      type: ["number", "string"],
      minimum: 0,
      maximum: 1,
      pattern: trimmed("[0-9]+(\\.[0-9]+)?(e-?[0-9]{1,3})?%?"),
    },
    parse: (value) => parseRatio(textOf(value) ?? ""),
    format: String,
    written: (value) => value,
  });

export const boolean = (): Kind<boolean> =>
  scalar({
    name: "boolean",
    form: "true or false",
    json: {
      type: ["boolean", "string", "integer"],
      minimum: 0,
      maximum: 1,
      pattern: trimmed(anyCase(["true", "yes", "on", "1", "false", "no", "off", "0"])),
    },
    boolean: true,
    parse: (value) => (typeof value === "boolean" ? value : parseBoolean(textOf(value) ?? "")),
    format: String,
    written: (value) => value,
  });

export function choice<const C extends string>(choices: readonly C[]): Kind<C> {
  return scalar({
    name: choices.join("|"),
    form: `one of ${choices.join(", ")}`,
    // YAML reads an unquoted 1.2 as a number.
    json: {
      enum: choices.flatMap((choice) => (String(Number(choice)) === choice ? [choice, Number(choice)] : choice)),
    },
    parse: (value) => choices.find((choice) => choice === textOf(value)),
    format: (value) => value,
  });
}

/** A secret is written to a file and its path given as `<NAME>_FILE` or `--<name>-file`; what is read is the secret itself. */
export const secret = (): Kind<Secret> =>
  scalar({
    name: "secret",
    form: "a secret that is not empty",
    json: { type: "string", minLength: 1 },
    secret: true,
    parse: (value) => (typeof value === "string" && value !== "" ? new Secret(value) : undefined),
    format: String,
    written: (value) => value.file ?? REDACTED,
  });
