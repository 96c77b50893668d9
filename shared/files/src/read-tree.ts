// Reads a whole folder as one set of files, as it was at one moment, also while Kubernetes swaps it.
import { lstat, opendir, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";

import type { FileEntry, FileSet } from "./file-set.ts";
import { readBounded } from "./read-bounded.ts";

export type TreeLimits = {
  readonly maxFiles: number;
  /** Of all files together. */
  readonly maxBytes: number;
};

export type Tree = {
  readonly files: FileSet;
  /** The folders that it was read from: where a change would show. */
  readonly folders: readonly string[];
};

/** How often a folder is read anew that changed while it was read. */
const ATTEMPTS = 5;

/** A limit was passed: its `limit` says which. */
export class LimitError extends Error {
  readonly limit: "files" | "bytes";

  constructor(message: string, limit: "files" | "bytes") {
    super(message);
    this.limit = limit;
  }
}

/**
 * The files under a path, or the one file that it is. Names that begin with two dots are passed over; a volume of
 * Kubernetes is read through its `..data` as it was when the reading began. Links are followed, but not out of the
 * folder. Throws when it passes a limit, leads outside, or never stays the same from the first look to the last.
 */
export async function readTree(path: string, limits: TreeLimits): Promise<Tree> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await readOnce(path, limits);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const moved =
        error instanceof ChangedError || ((code === "ENOENT" || code === "ENOTDIR") && (await exists(path)));
      if (!moved || attempt === ATTEMPTS) throw error;
    }
  }
}

class ChangedError extends Error {}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

async function readOnce(path: string, limits: TreeLimits): Promise<Tree> {
  const root = await realpath(path);
  if ((await stat(root)).isFile()) {
    const content = await readBounded(root, limits.maxBytes);
    return { files: new Map([[path.slice(path.lastIndexOf("/") + 1), { content }]]), folders: [path] };
  }
  const isVolume = await lstat(join(root, "..data")).then(
    (stats) => stats.isSymbolicLink(),
    () => false,
  );
  const walk: Walk = { root, isVolume, found: new Map(), folders: [], limits };
  await list(walk, isVolume ? await inside(walk, join(root, "..data")) : root, "");
  const files = new Map<string, FileEntry>();
  let left = limits.maxBytes;
  for (const [name, { file, stamp, executable }] of walk.found) {
    const content = await readFile(file, path, { left, maxBytes: limits.maxBytes });
    left -= content.length;
    if ((await stampOf(file)) !== stamp) throw new ChangedError(`${path}: expected it to stay as it is, got a change`);
    files.set(name, executable ? { content, executable } : { content });
  }
  return { files, folders: walk.folders };
}

async function readFile(file: string, path: string, { left, maxBytes }: { left: number; maxBytes: number }) {
  const { size } = await stat(file);
  if (size > left) throw new LimitError(`${path}: expected at most ${maxBytes} bytes in all, got more`, "bytes");
  return readBounded(file, left);
}

type Found = { readonly file: string; readonly stamp: string; readonly executable: boolean };
type Walk = {
  readonly root: string;
  readonly isVolume: boolean;
  readonly found: Map<string, Found>;
  readonly folders: string[];
  readonly limits: TreeLimits;
};

async function list(walk: Walk, folder: string, prefix: string): Promise<void> {
  // In a volume of Kubernetes all changes show in its root.
  if (!walk.isVolume) walk.folders.push(folder);
  else if (prefix === "") walk.folders.push(walk.root);
  const names: string[] = [];
  for await (const { name } of await opendir(folder)) {
    if (!name.startsWith("..")) names.push(name);
    if (names.length > walk.limits.maxFiles) throw tooMany(walk);
  }
  for (const name of names.sort()) {
    const file = await inside(walk, join(folder, name));
    const stats = await stat(file);
    if (stats.isDirectory()) await list(walk, file, `${prefix}${name}/`);
    else walk.found.set(prefix + name, { file, stamp: await stampOf(file), executable: (stats.mode & 0o100) !== 0 });
    if (walk.found.size > walk.limits.maxFiles) throw tooMany(walk);
    if (prefix.length > 4096) throw new Error(`${walk.root}: expected folders that end, got ${prefix.slice(0, 80)}...`);
  }
}

const tooMany = ({ root, limits }: Walk): LimitError =>
  new LimitError(`${root}: expected at most ${limits.maxFiles} files, got more`, "files");

/** Where a path leads, which must be under the root. */
async function inside({ root }: Walk, path: string): Promise<string> {
  const target = await realpath(path);
  if (target === root || target.startsWith(root === sep ? sep : root + sep)) return target;
  throw new Error(`${path}: expected a link inside of ${root}, got one to ${target}`);
}

async function stampOf(file: string): Promise<string> {
  const { dev, ino, mtimeNs, ctimeNs, size } = await stat(file, { bigint: true });
  return [dev, ino, mtimeNs, ctimeNs, size].join(":");
}
