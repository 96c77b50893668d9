// Reads the text of the `--config` file: YAML, or JSON, which is a part of it. Nothing in it may cost much more time or
// memory than its size.
import type { Document } from "yaml";
import { isNode, parseDocument, visit } from "yaml";

import type { Entry, SourceEntries } from "./entries.ts";
import { didYouMean } from "./entries.ts";
import type { OptionTable } from "./table.ts";
import { spell } from "./table.ts";

/** A file is a small document: anything larger is a mistake, or an attack. */
const MAX_CHARACTERS = 1024 ** 2;
const MAX_KEYS = 1000;
/** How often aliases may repeat a part; more of them are an alias bomb. */
const MAX_ALIASES = 100;

/** Which option a file of another program's is the value of, by its shape; undefined if it holds options as it should. */
export type AdoptFile = (file: Readonly<Record<string, unknown>>) => string | undefined;

/** The text of a YAML or JSON file, whose keys are the options' property names. `name` says where the text is from. */
export function readFileText(table: OptionTable, text: string, name: string, adopt?: AdoptFile): SourceEntries {
  const entries = new Map<string, Entry>();
  const problems: string[] = [];
  const parsed = parse(text);
  if (parsed.problem !== undefined) return { entries, problems: [`${name}: expected ${parsed.problem}`] };
  const file = Object.fromEntries(parsed.keys);
  const adopted = adopt?.(file);
  if (adopted !== undefined) {
    entries.set(adopted, { value: file, writtenAs: name, origin: name, isFile: true });
    return { entries, problems };
  }
  const known = new Map(
    Object.entries(table).map(([property, { kind }]) => [spell(property, kind, "").property, property]),
  );
  for (const [key, value] of parsed.keys) {
    const writtenAs = `${name}: ${key}`;
    const property = known.get(key);
    if (property === undefined) problems.push(`${writtenAs}: expected a known key${didYouMean(key, known.keys())}`);
    else if (value !== null) entries.set(property, { value, writtenAs, origin: writtenAs });
  }
  return { entries, problems };
}

type Parsed =
  | { readonly keys: readonly [string, unknown][]; readonly problem?: undefined }
  | { readonly problem: string };

function parse(text: string): Parsed {
  if (text.length > MAX_CHARACTERS) {
    return { problem: `at most ${MAX_CHARACTERS} characters, got ${text.length}` };
  }
  try {
    // The parser compares each key with all others; we do it in one pass, below. Tags could make what is not JSON.
    const document = parseDocument(text, { uniqueKeys: false, resolveKnownTags: false, logLevel: "error" });
    const fault = document.errors[0]?.message ?? faultOf(document);
    if (fault !== undefined) return { problem: `YAML or JSON, got: ${firstLine(fault)}` };
    return keysOf(document.toJS({ maxAliasCount: MAX_ALIASES }));
  } catch (error) {
    return { problem: `YAML or JSON, got: ${firstLine((error as Error).message)}` };
  }
}

function keysOf(root: unknown): Parsed {
  if (root === null || root === undefined) return { keys: [] };
  if (typeof root !== "object" || Array.isArray(root)) {
    return { problem: `keys and values, got ${Array.isArray(root) ? "a list" : `a ${typeof root}`}` };
  }
  const keys = Object.entries(root);
  return keys.length > MAX_KEYS ? { problem: `at most ${MAX_KEYS} keys, got ${keys.length}` } : { keys };
}

/** What the parser lets pass: a key that stands twice in one map, and an alias inside of what it stands for. */
function faultOf(document: Document.Parsed): string | undefined {
  let fault: string | undefined;
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<string>();
      for (const { key } of items) {
        const name = String(key);
        if (seen.has(name)) fault ??= `the key ${name} twice`;
        seen.add(name);
      }
    },
    Alias(_, { source }, ancestors) {
      if (ancestors.some((node) => isNode(node) && "anchor" in node && node.anchor === source)) {
        fault ??= `the alias ${source} inside of what it stands for`;
      }
    },
  });
  return fault;
}

const firstLine = (text: string): string => text.split("\n", 1)[0]!.replace(/:$/, "");
