// Writes a set of files durably: everything has reached the disk before the promise resolves.
import { mkdir, open, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";

import type { FileEntry, FileSet } from "./file-set.ts";

export type TreeModes = {
  /** Of files; those that are executable get an x for each r. */
  readonly fileMode: number;
  readonly folderMode: number;
  /** Changing it to another than one's own needs the right to (CAP_CHOWN). */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
};

/** Files that are written at a time: their way to the disk is what takes long. */
const AT_A_TIME = 16;

/** Writes the files to a folder that does not exist yet. */
export async function writeTree(folder: string, files: FileSet, modes: TreeModes): Promise<void> {
  const folders = new Set([folder]);
  for (const path of files.keys()) {
    for (let at = dirname(path); at !== "."; at = dirname(at)) folders.add(join(folder, at));
  }
  for (const path of [...folders].sort()) await makeFolder(path, modes);
  const waiting = [...files];
  const work = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      await writeFile(join(folder, next[0]), next[1], modes);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  for (const path of folders) await syncFolder(path);
}

async function makeFolder(path: string, { folderMode, owner }: TreeModes): Promise<void> {
  await mkdir(path, { mode: folderMode });
  const handle = await open(path);
  try {
    // What mkdir makes of a mode depends on the umask.
    await handle.chmod(folderMode);
    if (owner !== undefined) await handle.chown(owner.uid, owner.gid);
  } finally {
    await handle.close();
  }
}

/** Writes one file that must not exist yet, with its mode and owner, to the disk. */
export async function writeFile(path: string, { content, executable }: FileEntry, modes: TreeModes): Promise<void> {
  const { fileMode, owner } = modes;
  const handle = await open(path, "wx", 0o600);
  try {
    await handle.writeFile(content);
    if (owner !== undefined) await handle.chown(owner.uid, owner.gid);
    await handle.chmod(executable === true ? fileMode | ((fileMode & 0o444) >> 2) : fileMode);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What has been created, renamed or removed in a folder reaches the disk. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes a file or a link, if there is one. */
export async function removeIfExists(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    // A file where one of its folders would have to be means the same.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
  }
}
