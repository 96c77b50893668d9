// Where the content of a file has gone: under which name it lies now, beside where it was, renamed, copied or compressed.
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import type { Mark } from "./checkpoint.ts";
import { openSource } from "./source.ts";
import type { Source } from "./source.ts";
import { continues } from "./tail.ts";

/** A folder's names are looked through up to so many. */
const MAX_NAMES = 10_000;

export type Found = { readonly path: string; readonly key: string; readonly mtimeMs: number };

/** A device and an inode, as one name. */
export const keyOf = ({ device, inode }: { device: number; inode: number }): string => `${device}:${inode}`;

/** The regular file at a path, symbolic links followed; undefined where there is none. */
export async function keyAt(path: string): Promise<string | undefined> {
  try {
    const stats = await stat(path);
    return stats.isFile() ? keyOf({ device: stats.dev, inode: stats.ino }) : undefined;
  } catch {
    return undefined;
  }
}

/** The file that has the mark's content: itself under any name, else the newest copy of it. */
export async function findContinuation(mark: Mark): Promise<Found | undefined> {
  const siblings = await siblingsOf(mark.path);
  const own = siblings.find(({ key }) => key === keyOf(mark));
  if (own !== undefined && (await isContinuation(own.path, mark))) return own;
  // A beginning that is empty is everybody's.
  if (mark.head === "") return undefined;
  const copies = siblings.filter(({ key }) => key !== keyOf(mark)).sort((a, b) => b.mtimeMs - a.mtimeMs);
  for (const copy of copies) if (await isContinuation(copy.path, mark)) return copy;
  return undefined;
}

/** The file and those in its folder whose names begin as its own does, up to the first dot, dash or underscore. */
async function siblingsOf(path: string): Promise<Found[]> {
  const folder = dirname(path);
  const stem = /^\.?[^._-]*/.exec(basename(path))![0];
  const names = (await readdir(folder).catch(() => [] as string[])).slice(0, MAX_NAMES);
  const found = await Promise.all(
    names
      .filter((name) => name.startsWith(stem))
      .map(async (name) => {
        const stats = await stat(join(folder, name)).catch(() => undefined);
        if (stats?.isFile() !== true) return undefined;
        return {
          path: join(folder, name),
          key: keyOf({ device: stats.dev, inode: stats.ino }),
          mtimeMs: stats.mtimeMs,
        };
      }),
  );
  return found.filter((sibling) => sibling !== undefined);
}

/**
 * What a file was rotated to after `found`, the oldest first: nobody has seen those that came and went while nobody looked.
 * Their names are the file's with something behind it, or within it before what follows the dot.
 */
export async function findLater({ path }: Pick<Mark, "path">, found: Omit<Found, "path">): Promise<Found[]> {
  const name = basename(path);
  const stem = name.replace(/\.[^.]*$/, "");
  const siblings = await siblingsOf(path);
  return siblings
    .filter((sibling) => sibling.path !== path && sibling.key !== found.key && sibling.mtimeMs > found.mtimeMs)
    .filter((sibling) => {
      const rotated = basename(sibling.path);
      return /^(?:[._-]\d[\w.-]*)$/.test(
        rotated.startsWith(name) ? rotated.slice(name.length) : rotated.slice(stem.length),
      );
    })
    .sort((a, b) => a.mtimeMs - b.mtimeMs);
}

const isContinuation = (path: string, mark: Mark): Promise<boolean> =>
  withSource(path, (source) => continues(source, mark)).catch(() => false);

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
