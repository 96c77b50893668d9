// A JSON object: paths, and for each its text, or `{"base64": "..."}`.
import type { Entry } from "./bundle.ts";

export function* readJsonMap(body: Buffer): Iterable<Entry> {
  const map = parse(body);
  for (const [path, value] of Object.entries(map)) yield { path, content: contentOf(path, value) };
}

function parse(body: Buffer): Record<string, unknown> {
  let map: unknown;
  try {
    map = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (error) {
    throw new Error(`bundle: expected JSON, got ${(error as Error).message}`, { cause: error });
  }
  if (typeof map === "object" && map !== null && !Array.isArray(map)) return map as Record<string, unknown>;
  throw new Error("bundle: expected a JSON object of paths and texts, got something else");
}

function contentOf(path: string, value: unknown): Buffer {
  if (typeof value === "string") return Buffer.from(value);
  const coded = (value as { base64?: unknown } | null)?.base64;
  if (typeof coded === "string" && isBase64(coded)) return Buffer.from(coded, "base64");
  throw new Error(`bundle: ${path}: expected a text or {"base64": "..."}, got something else`);
}

/** Node decodes whatever it is given; what it would pass over is a mistake. */
export const isBase64 = (text: string): boolean =>
  /^[A-Za-z0-9+/]*={0,2}$/.test(text.replaceAll(/\s/g, "")) && text.replaceAll(/\s/g, "").length % 4 === 0;
