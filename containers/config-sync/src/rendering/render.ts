// What is done to files between their source and the application, in the order in which it is asked for.
import { readdir } from "node:fs/promises";
import { join } from "node:path";

import type { FileEntry, FileSet } from "@outrigger/files";
import { readBounded } from "@outrigger/files";

import { decompress } from "../bundles/bundle.ts";
import { isBase64 } from "../bundles/json-map.ts";
import type { Environment } from "../deps.ts";
import { createPattern, problem, value } from "../written.ts";
import type { Parsed } from "../written.ts";
import { renderLiquid } from "./liquid.ts";
import { expandVariables } from "./variables.ts";

/** What files are rendered with. */
export type Surroundings = { readonly variables: Environment; readonly maxBytes: number };

/** Renders those files that it is about; throws for the first that it cannot render, by its path. */
export type Renderer = (files: FileSet, surroundings: Surroundings) => Promise<FileSet>;

type Rendered = { readonly path: string; readonly content: Buffer };
type Kind = {
  /** Without a pattern it is about names that end so. */
  readonly ending: RegExp | undefined;
  render(path: string, content: Buffer, surroundings: Surroundings): Promise<Rendered>;
};

const GZIP = /\.gz$/;
const BASE64 = /\.(b64|base64)$/;

const LIQUID = /\.liquid$/;

const KINDS: Readonly<Record<string, Kind>> = {
  env: {
    ending: undefined,
    render: async (path, content, { variables }) => {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(content);
      return { path, content: Buffer.from(expandVariables(text, variables)) };
    },
  },
  liquid: {
    ending: LIQUID,
    render: async (path, content, { variables, maxBytes }) => {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(content);
      return { path: path.replace(LIQUID, ""), content: Buffer.from(await renderLiquid(text, variables, maxBytes)) };
    },
  },
  gunzip: {
    ending: GZIP,
    render: async (path, content, { maxBytes }) => ({
      path: path.replace(GZIP, ""),
      content: await decompress(content, maxBytes),
    }),
  },
  base64: {
    ending: BASE64,
    render: async (path, content) => {
      const text = content.toString("latin1");
      if (!isBase64(text)) throw new Error("expected base64, got something else");
      return { path: path.replace(BASE64, ""), content: Buffer.from(text, "base64") };
    },
  },
};

/** `env@*.conf`, `gunzip`, `base64`: a kind, and perhaps the pattern of the files that it is about. */
export function parseRenderer(text: string): Parsed<Renderer> {
  const at = text.indexOf("@");
  const name = at === -1 ? text : text.slice(0, at);
  const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
  if (kind === undefined || at === text.length - 1)
    return problem(`${Object.keys(KINDS).join(", ")}, perhaps with @PATTERN`, text);
  const { ending } = kind;
  const isMeant = at === -1 ? (path: string) => ending?.test(path) ?? true : createPattern(text.slice(at + 1));
  return value(async (files, surroundings) => {
    const rendered = new Map<string, FileEntry>();
    for (const [path, entry] of files) {
      const next = isMeant(path) ? await renderOne(kind, path, entry, surroundings) : { path, entry };
      if (rendered.has(next.path)) throw new Error(`render: ${path}: expected a name that is free, got ${next.path}`);
      rendered.set(next.path, next.entry);
    }
    return rendered;
  });
}

async function renderOne(kind: Kind, path: string, entry: FileEntry, surroundings: Surroundings) {
  try {
    const { path: next, content } = await kind.render(path, entry.content, surroundings);
    return { path: next, entry: { ...entry, content } };
  } catch (error) {
    if ("limit" in (error as Error)) throw error;
    throw new Error(`render: ${path}: ${(error as Error).message}`, { cause: error });
  }
}

const MAX_VARIABLE_BYTES = 1024 ** 2;

/** The environment, and over it the files of these folders: each is a variable of its name. */
export async function readVariables(env: Environment, folders: readonly string[]): Promise<Environment> {
  const variables: Record<string, string | undefined> = { ...env };
  for (const folder of folders) {
    for (const name of await readdir(folder)) {
      if (!/^[A-Za-z_]\w*$/.test(name)) continue;
      variables[name] = (await readBounded(join(folder, name), MAX_VARIABLE_BYTES)).toString().replace(/\r?\n$/, "");
    }
  }
  return variables;
}
