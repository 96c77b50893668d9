// From `yaml@conf/*.yml` to a validator.
import { bytes } from "@outrigger/options";
import { compilePattern } from "@outrigger/patterns";

import type { Environment } from "../deps.ts";
import { createPattern, parseCommand, parseUrl, problem, splitScheme, value } from "../written.ts";
import type { Parsed } from "../written.ts";
import { createCommandValidator, createHttpValidator } from "./external.ts";
import { createFormatValidator, isFormat } from "./formats.ts";
import { createSchemaValidator } from "./schema.ts";
import { ofEachFile, textOf } from "./validator.ts";
import type { Validator } from "./validator.ts";

export type ValidatorSettings = { readonly env: Environment; readonly timeoutMs: number };

const KINDS =
  "json, yaml, toml, ini, non-empty, schema:FILE, size:SIZE, required:NAME, regex:EXPRESSION, exec:COMMAND or http://...";

/** A validator as it is written: a kind, for some with `:argument`, for those of single files with `@pattern`. */
export function parseValidator(text: string, settings: ValidatorSettings): Parsed<Validator> {
  if (/^https?:/.test(text)) {
    const url = parseUrl(text);
    return url.problem === undefined ? value(createHttpValidator(url.value, settings.timeoutMs)) : url;
  }
  if (text.startsWith("exec:")) {
    const words = parseCommand(text.slice("exec:".length));
    return words.problem === undefined ? value(createCommandValidator(words.value, settings)) : words;
  }
  const at = text.lastIndexOf("@");
  const pattern = at === -1 ? undefined : text.slice(at + 1);
  return parseRule(at === -1 ? text : text.slice(0, at), pattern) ?? problem(KINDS, text);
}

function parseRule(rule: string, pattern: string | undefined): Parsed<Validator> | undefined {
  const [kind, argument] = splitScheme(rule);
  if (isFormat(kind) && argument === "") return value(createFormatValidator(kind, pattern));
  const isMeant = pattern === undefined ? () => true : createPattern(pattern);
  if (kind === "non-empty" && argument === "")
    return value(
      ofEachFile(rule, isMeant, ({ content }) => (isBlank(content) ? "expected content, got none" : undefined)),
    );
  if (argument === "") return undefined;
  if (kind === "schema") return value(createSchemaValidator(argument, pattern));
  if (kind === "required") return value(createRequired(argument));
  if (kind === "regex") return parseExpression(argument, isMeant);
  if (kind !== "size") return undefined;
  const limit = bytes().schema.safeParse(argument);
  if (!limit.success) return problem(`size:SIZE with ${bytes().form}`, rule);
  return value(
    ofEachFile(rule, isMeant, ({ content }) =>
      content.length > limit.data ? `expected at most ${argument}, got ${content.length} bytes` : undefined,
    ),
  );
}

/** Every file must have a place where the expression fits. */
function parseExpression(source: string, isMeant: (path: string) => boolean): Parsed<Validator> {
  try {
    const pattern = compilePattern(source);
    return value(
      ofEachFile(`regex:${source}`, isMeant, (entry) =>
        pattern.test(textOf(entry)) ? undefined : `expected text that ${source} fits, got none`,
      ),
    );
  } catch (error) {
    return problem("regex: with an expression as RE2 has them", `${source} (${(error as Error).message})`);
  }
}

const isBlank = (content: Buffer): boolean => content.every((byte) => byte === 32 || (byte >= 9 && byte <= 13));

/** Some file must match: a path or a pattern. */
function createRequired(wanted: string): Validator {
  const matches = createPattern(wanted);
  return {
    name: `required:${wanted}`,
    check: async ({ files }) =>
      [...files.keys()].some(matches) ? [] : [`${wanted}: expected a file of this name, got none`],
  };
}
