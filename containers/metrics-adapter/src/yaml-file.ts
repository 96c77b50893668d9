// Files of other programs' configuration: YAML, checked by a schema, each problem with its line and column.
import { readFileSync } from "node:fs";

import type * as z from "@outrigger/options/zod";
import type { Document } from "yaml";
import { isNode, LineCounter, parseDocument } from "yaml";

export type Loaded<T> = { readonly value: T; readonly problems?: undefined } | { readonly problems: readonly string[] };

const MAX_SIZE = 4 * 1024 * 1024;

/** Reads a file and checks it; problems are `<file>:<line>:<column>: <key>: expected ...`. */
export function loadYaml<T>(file: string, schema: z.ZodType<T, unknown>): Loaded<T> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    return { problems: [`${file}: expected a readable file, got ${(error as NodeJS.ErrnoException).code ?? "none"}`] };
  }
  if (text.length > MAX_SIZE) return { problems: [`${file}: expected at most ${MAX_SIZE} bytes, got more`] };
  return parseYaml(text, file, schema);
}

/** The same of a text; `file` is what problems call it. */
export function parseYaml<T>(text: string, file: string, schema: z.ZodType<T, unknown>): Loaded<T> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    return {
      problems: document.errors.map(
        ({ pos, message }) => `${at(pos[0])}: expected YAML, got ${message.split("\n")[0]}`,
      ),
    };
  }
  const checked = schema.safeParse(document.toJS({ maxAliasCount: 100 }));
  if (checked.success) return { value: checked.data };
  return {
    problems: checked.error.issues.map((issue) => {
      const keys = issue.code === "unrecognized_keys" ? [...issue.path, issue.keys[0]!] : issue.path;
      return `${at(offsetOf(document, keys))}: ${keys.join(".")}: expected ${expectationOf(issue)}`;
    }),
  };
}

/** Where the deepest part of a path stands that is there. */
function offsetOf(document: Document, keys: readonly PropertyKey[]): number {
  for (let length = keys.length; length > 0; length--) {
    const node = document.getIn(keys.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

function expectationOf(issue: z.core.$ZodIssue): string {
  if (issue.code === "custom") return issue.message;
  if (issue.code === "unrecognized_keys") return "a known key";
  return /expected (.*?)(?:, received .*)?$/.exec(issue.message)?.[1] ?? issue.message.toLowerCase();
}
