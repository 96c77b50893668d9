// Where the content of a file has gone: under which name it lies now, beside where it was, renamed, copied or compressed.
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import type { Mark } from "./checkpoint.ts";
import type { Place } from "./places.ts";
import { openSource } from "./source.ts";
import type { Source } from "./source.ts";
import { continues } from "./tail.ts";

/** A folder's names are looked through up to so many. */
const MAX_NAMES = 10_000;
/** So often is looked for files whose names change, as those of a rotation that goes on meanwhile. */
export const MAX_TRIES = 5;

export type Found = { readonly path: string; readonly key: string; readonly mtimeMs: number };

/** A device and an inode, as one name. */
export const keyOf = ({ device, inode }: { device: number; inode: number }): string => `${device}:${inode}`;

/** The regular file at a path, symbolic links followed; undefined where there is none. */
export async function fileAt(path: string): Promise<Found | undefined> {
  const stats = await stat(path).catch(() => undefined);
  if (stats?.isFile() !== true) return undefined;
  return { path, key: keyOf({ device: stats.dev, inode: stats.ino }), mtimeMs: stats.mtimeMs };
}

/** The file that has the mark's content: itself under any name, else a copy of it. */
export async function findContinuation(mark: Mark): Promise<Found | undefined> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const siblings = await siblingsOf(mark.path);
    const own = siblings.filter(({ key }) => key === keyOf(mark));
    // A beginning that is empty is everybody's.
    const found = await firstThat([...own, ...(mark.head === "" ? [] : copiesOf(mark, siblings))], mark);
    if (found !== "moved") return found;
  }
  return undefined;
}

/** Those that may be copies, the likely ones first: the first that was made after the file was last seen. */
function copiesOf(mark: Mark, siblings: readonly Found[]): Found[] {
  const others = siblings.filter(({ key }) => key !== keyOf(mark)).sort((a, b) => a.mtimeMs - b.mtimeMs);
  const older = others.filter(({ mtimeMs }) => mtimeMs < mark.writtenAt);
  return [...others.slice(older.length), ...older.toReversed()];
}

/** The first that continues the mark's content; `moved` when none does, but some of them lie elsewhere by now. */
async function firstThat(files: readonly Found[], mark: Mark): Promise<Found | "moved" | undefined> {
  let hasMoved = false;
  for (const file of files) {
    const source = await openSource(file.path).catch(() => undefined);
    const isIt = source !== undefined && keyOf(source) === file.key;
    const isFound = isIt && (await continues(source, mark).catch(() => false));
    await source?.close();
    if (isFound) return file;
    if (!isIt && (await fileAt(file.path))?.key !== file.key) hasMoved = true;
  }
  return hasMoved ? "moved" : undefined;
}

/** Looks until it sees the same twice: while files get other names, one may be missed. */
async function siblingsOf(path: string): Promise<Found[]> {
  let last = await listSiblings(path);
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const next = await listSiblings(path);
    if (
      next.length === last.length &&
      next.every(({ path, key }, i) => last[i]!.path === path && last[i]!.key === key)
    ) {
      return next;
    }
    last = next;
  }
  return last;
}

/** The file and those in its folder whose names begin as its own does, up to its last dot. */
async function listSiblings(path: string): Promise<Found[]> {
  const folder = dirname(path);
  const stem = stemOf(basename(path));
  const names = (await readdir(folder).catch(() => [] as string[])).sort().slice(0, MAX_NAMES);
  const found = await Promise.all(
    names.filter((name) => name.startsWith(stem)).map((name) => fileAt(join(folder, name))),
  );
  return found.filter((sibling) => sibling !== undefined);
}

const stemOf = (name: string): string => name.replace(/(?<=.)\.[^.]*$/, "");

/**
 * What files at a place were rotated to, by renaming or copying, and that were last written after what is known of it, or were
 * seen at the place and are gone from there; the oldest first. Their names are the file's with something behind it, or within
 * it before what follows the dot.
 */
export async function findLater({ path, since, missed }: Place): Promise<Found[]> {
  const name = basename(path);
  const stem = stemOf(name);
  const siblings = await siblingsOf(path);
  const paths = new Set(siblings.map((sibling) => sibling.path));
  return (
    siblings
      .filter(({ mtimeMs, key }) => mtimeMs > since || key === missed)
      .filter((sibling) => {
        const rotated = basename(sibling.path);
        return /^(?:[._-]\d[\w.-]*)$/.test(
          rotated.startsWith(name) ? rotated.slice(name.length) : rotated.slice(stem.length),
        );
      })
      // What is being compressed is still there.
      .filter((sibling) => !sibling.path.endsWith(".gz") || !paths.has(sibling.path.slice(0, -3)))
      .sort((a, b) => a.mtimeMs - b.mtimeMs)
  );
}

/** What the file has after a position, each piece told before it is given; false when another has come to lie at its path. */
export async function* contentAfter(
  { path, key }: Pick<Found, "path" | "key">,
  position: number,
  onPiece: (length: number, bytes: Buffer) => void,
): AsyncGenerator<Buffer, boolean> {
  const source = await openSource(path).catch(() => undefined);
  if (source === undefined) return false;
  try {
    if (keyOf(source) !== key) return false;
    for await (const bytes of source.pieces(position)) {
      onPiece(bytes.length, bytes);
      yield bytes;
    }
    return true;
  } finally {
    await source.close();
  }
}

/** Opens a file for as long as `use` takes. */
export async function withSource<T>(path: string, use: (source: Source) => Promise<T>): Promise<T> {
  const source = await openSource(path);
  try {
    return await use(source);
  } finally {
    await source.close();
  }
}
