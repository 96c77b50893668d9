// From `dir:/path` or `https://host/path` to a source.
import { problem, splitScheme, value } from "../written.ts";
import type { Parsed } from "../written.ts";
import { createFolderSource } from "./folder.ts";
import type { SourceFactory } from "./source.ts";
import { parseWebSource } from "./web.ts";

export function parseSource(text: string): Parsed<SourceFactory> {
  const [scheme, rest] = splitScheme(text);
  if (scheme === "dir" && rest.startsWith("/")) return value((settings) => createFolderSource(rest, settings));
  if (scheme === "http" || scheme === "https") return parseWebSource(text);
  return problem("dir:/path or https://host/path", text);
}
