// From `dir:/path` to a source.
import { problem, splitScheme, value } from "../written.ts";
import type { Parsed } from "../written.ts";
import { createFolderSource } from "./folder.ts";
import type { Source, SourceSettings } from "./source.ts";

export type SourceFactory = (settings: SourceSettings) => Source;

export function parseSource(text: string): Parsed<SourceFactory> {
  const [scheme, rest] = splitScheme(text);
  if (scheme === "dir" && rest.startsWith("/")) return value((settings) => createFolderSource(rest, settings));
  return problem("dir:/path", text);
}
