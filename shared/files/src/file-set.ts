// A set of files as a value: what is to stand in a folder, whole. Its revision is a hash of all that a reader can see.
import { createHash } from "node:crypto";

export type FileEntry = {
  readonly content: Buffer;
  readonly executable?: boolean;
};

/** Files by their path relative to the folder, with `/` between names. */
export type FileSet = ReadonlyMap<string, FileEntry>;

/** What is other in one set than in the one before it; the paths are sorted. */
export type FileChanges = {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
};

/** 16 hexadecimal digits: equal for equal paths, contents and executable bits, whatever their order. */
export function revisionOf(files: FileSet, salt = ""): string {
  const hash = createHash("sha256").update(salt);
  for (const [path, { content, executable = false }] of [...files].sort(byPath)) {
    hash.update(`\0${Buffer.byteLength(path)} ${content.length} ${executable ? "x" : "-"} ${path}\0`).update(content);
  }
  return hash.digest("hex").slice(0, 16);
}

const byPath = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : 1);

/** What changes when `after` takes the place of `before`. */
export function changesBetween(before: FileSet, after: FileSet): FileChanges {
  const paths = [...after.keys()].sort();
  return {
    added: paths.filter((path) => !before.has(path)),
    changed: paths.filter((path) => before.has(path) && !isSame(before.get(path)!, after.get(path)!)),
    removed: [...before.keys()].filter((path) => !after.has(path)).sort(),
  };
}

const isSame = (a: FileEntry, b: FileEntry): boolean =>
  (a.executable ?? false) === (b.executable ?? false) && a.content.equals(b.content);

const MAX_NAME_BYTES = 255;
const MAX_PATH_BYTES = 4096;

/**
 * Why a path cannot be one of a set: undefined if it can. It stays inside of the folder, and off the names that begin
 * with two dots, which belong to whoever publishes the folder.
 */
export function pathProblem(path: string): string | undefined {
  const shown = JSON.stringify(path.slice(0, 100));
  if (path === "" || path.includes("\0")) return `expected a path, got ${shown}`;
  if (path.startsWith("/") || path.includes("\\")) return `expected a relative path with /, got ${shown}`;
  if (Buffer.byteLength(path) > MAX_PATH_BYTES)
    return `expected a path of at most ${MAX_PATH_BYTES} bytes, got ${shown}`;
  const names = path.split("/");
  if (names.some((name) => name === "" || name === "." || name.startsWith("..")))
    return `expected a path inside of the folder without names that begin with two dots, got ${shown}`;
  if (names.some((name) => Buffer.byteLength(name) > MAX_NAME_BYTES))
    return `expected names of at most ${MAX_NAME_BYTES} bytes, got ${shown}`;
  return undefined;
}

/** Why the paths cannot stand beside each other: one is a file that another needs as a folder. Undefined if they can. */
export function nestingProblem(paths: Iterable<string>): string | undefined {
  const files = new Set(paths);
  for (const path of files) {
    for (let at = path.indexOf("/"); at !== -1; at = path.indexOf("/", at + 1)) {
      const folder = path.slice(0, at);
      if (files.has(folder)) return `expected ${folder} to be a file or a folder, got both (${path})`;
    }
  }
  return undefined;
}
