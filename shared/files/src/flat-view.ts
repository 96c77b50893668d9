// Copies of the live revision's files where readers want plain files. What is ours is listed in a manifest, which is
// written before the first file is touched, so that no crash can make a file of ours somebody else's, or the other way.
import { lstat, mkdir, readFile, rename, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

import type { FileEntry } from "./file-set.ts";
import { pathProblem } from "./file-set.ts";
import { replaceFile } from "./replace-file.ts";
import type { View } from "./revisions.ts";
import { removeIfExists, writeFile } from "./write-tree.ts";
import type { TreeModes } from "./write-tree.ts";

const MANIFEST = "..manifest.json";

export function createFlatView(root: string, modes: TreeModes): View {
  const manifest = join(root, MANIFEST);
  const own = (paths: Iterable<string>): Promise<void> =>
    replaceFile(manifest, `${JSON.stringify({ files: [...paths].sort() })}\n`);

  return {
    refuseObstacles: async (files) => {
      const owned = await readManifest(manifest);
      for (const path of files.keys()) await refuseObstacle(root, path, owned);
    },
    show: async (files) => {
      const owned = await readManifest(manifest);
      await own(new Set([...owned, ...files.keys()]));
      for (const path of owned) if (foldersOf(path).some((folder) => files.has(folder))) await remove(root, path);
      for (const [path, entry] of files) await copy(root, path, entry, modes);
      for (const path of owned) if (!files.has(path)) await remove(root, path);
      await own(files.keys());
    },
  };
}

/** What we have put there. A manifest that somebody has spoilt names nothing, so that nothing is taken for ours. */
async function readManifest(path: string): Promise<Set<string>> {
  try {
    const { files } = JSON.parse(await readFile(path, "utf8")) as { files: unknown[] };
    return new Set(files.filter((name) => typeof name === "string" && pathProblem(name) === undefined) as string[]);
  } catch {
    return new Set();
  }
}

async function refuseObstacle(root: string, path: string, owned: ReadonlySet<string>): Promise<void> {
  for (let folder = dirname(path); folder !== "."; folder = dirname(folder)) {
    const stats = await lstat(join(root, folder)).catch(() => undefined);
    if (stats !== undefined && !stats.isDirectory() && !owned.has(folder))
      throw new Error(`${join(root, folder)}: expected a folder, got a file or a link of somebody else's`);
  }
  const stats = await lstat(join(root, path)).catch(() => undefined);
  if (stats !== undefined && !owned.has(path) && !(stats.isDirectory() && isFolderOf(owned, path)))
    throw new Error(`${join(root, path)}: expected nothing, or what was published before, got somebody else's`);
}

const isFolderOf = (owned: ReadonlySet<string>, path: string): boolean =>
  [...owned].some((name) => name.startsWith(`${path}/`));

/** Replaces one file, unless it is as it should be. What was a file before may have become a folder. */
async function copy(root: string, path: string, entry: FileEntry, modes: TreeModes): Promise<void> {
  const target = join(root, path);
  if (await isCopy(target, entry, modes)) return;
  const temporary = join(root, "..new");
  await removeIfExists(temporary);
  await writeFile(temporary, entry, modes);
  for (const folder of foldersOf(path)) {
    const stats = await lstat(join(root, folder)).catch(() => undefined);
    if (stats !== undefined && !stats.isDirectory()) await removeIfExists(join(root, folder));
  }
  await mkdir(dirname(target), { recursive: true, mode: modes.folderMode });
  await rename(temporary, target);
}

const foldersOf = (path: string): string[] =>
  path
    .split("/")
    .slice(0, -1)
    .map((_, at, names) => names.slice(0, at + 1).join("/"));

async function isCopy(
  path: string,
  { content, executable = false }: FileEntry,
  { fileMode }: TreeModes,
): Promise<boolean> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats?.isFile() !== true || stats.size !== content.length) return false;
  const isRight = executable === ((stats.mode & 0o100) !== 0) && (stats.mode & 0o666) === (fileMode & 0o666);
  return isRight && (await readFile(path)).equals(content);
}

/** Removes a file of ours, and the folders that are empty without it. */
async function remove(root: string, path: string): Promise<void> {
  const stats = await stat(join(root, path)).catch(() => undefined);
  if (stats?.isDirectory() !== true) await removeIfExists(join(root, path));
  try {
    for (let folder = dirname(path); folder !== "."; folder = dirname(folder)) await rmdir(join(root, folder));
  } catch {
    // It holds something else.
  }
}
