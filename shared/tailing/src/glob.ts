// Paths with wildcards: `*` and `?` stand for characters of one name, in any part of the path.
import { readdir } from "node:fs/promises";

export const isPattern = (text: string): boolean => /[*?]/.test(text);

/** The paths that there are now. A pattern without wildcards is its only path, whether it is there or not. */
export async function pathsOf(pattern: string): Promise<string[]> {
  let found = ["/"];
  for (const part of pattern.split("/").filter((part) => part !== "")) {
    const next = await Promise.all(found.map((folder) => step(folder, part)));
    found = next.flat();
  }
  return found.sort();
}

async function step(folder: string, part: string): Promise<string[]> {
  const within = (name: string): string => (folder === "/" ? `/${name}` : `${folder}/${name}`);
  if (!isPattern(part)) return [within(part)];
  const matches = matcherOf(part);
  const names = await readdir(folder).catch(() => [] as string[]);
  return names.filter((name) => matches(name) && (part.startsWith(".") || !name.startsWith("."))).map(within);
}

/** Compares a name to a pattern in time that grows with their lengths only, however many stars there are. */
function matcherOf(pattern: string): (name: string) => boolean {
  const pieces = pattern.split("*");
  return (name) => {
    if (pieces.length === 1) return fitsAt(pattern, name, 0) && name.length === pattern.length;
    const last = pieces.at(-1)!;
    const end = name.length - last.length;
    let at = pieces[0]!.length;
    if (end < at || !fitsAt(pieces[0]!, name, 0) || !fitsAt(last, name, end)) return false;
    for (const piece of pieces.slice(1, -1)) {
      while (at + piece.length <= end && !fitsAt(piece, name, at)) at++;
      if (at + piece.length > end) return false;
      at += piece.length;
    }
    return true;
  };
}

const fitsAt = (piece: string, name: string, at: number): boolean =>
  [...piece].every((char, i) => at + i < name.length && (char === "?" || char === name[at + i]));
