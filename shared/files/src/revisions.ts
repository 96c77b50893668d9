// Publishes sets of files in a folder by the protocol of the kubelet's volumes: each revision lies in a folder of its
// own, `..data` is a link to the one that is live, and what readers open are links through it. One rename takes a
// reader from one whole set to the next, and whoever watches such volumes understands this one.
import { mkdir, readdir, readlink, realpath, rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";

import type { FileSet } from "./file-set.ts";
import { revisionOf } from "./file-set.ts";
import { createFlatView } from "./flat-view.ts";
import { createLinkView } from "./link-view.ts";
import { readTree } from "./read-tree.ts";
import { removeIfExists, syncFolder, writeTree } from "./write-tree.ts";
import type { TreeModes } from "./write-tree.ts";

/** One published set: `folder` is its name in the root, `revision` what it holds, `at` when it was staged. */
export type Revision = { readonly folder: string; readonly revision: string; readonly at: Date };

/** A set on disk that nobody reads yet. */
export type Staged = { readonly path: string; readonly revision: string; readonly files: FileSet };

export type Revisions = {
  /** The one that readers see; undefined before the first, or if what it holds is not what its name says. */
  live(): Promise<Revision | undefined>;
  /** All that are kept, the newest first. */
  list(): Promise<Revision[]>;
  /** The files of one. */
  read(revision: Revision): Promise<FileSet>;
  /** The revision that a set would be. */
  revisionOf(files: FileSet): string;
  /** Writes a set durably to a folder of its own. */
  stage(files: FileSet): Promise<Staged>;
  discard(staged: Staged): Promise<void>;
  /** Makes a staged set, or an older one, the one that readers see. Throws if a file of somebody else's is in the way. */
  activate(next: Staged | Revision): Promise<Revision>;
  /** Removes what is not kept: all but the live one, the `keep` newest besides, and those named. */
  prune(keep: number, named?: readonly string[]): Promise<void>;
};

/** How the live revision shows in the folder itself. */
export type View = {
  /** Throws if a file of somebody else's is where one of these has to be. Nothing has been changed then. */
  refuseObstacles(files: FileSet): Promise<void>;
  /** Makes the folder show these files, which are those of the live revision, and what was shown before no more. */
  show(files: FileSet): Promise<void>;
};

export type RevisionSettings = TreeModes & {
  /**
   * `atomic`: links through `..data`, so that all files change at once. `flat`: copies that are replaced one by one, for
   * readers that cannot follow links; whoever reads several of them meanwhile may see some of the old and some of the new.
   */
  readonly layout: "atomic" | "flat";
  /** The bounds within which the folder's own revisions are read. */
  readonly maxFiles: number;
  readonly maxBytes: number;
};

const REVISION = /^\.\.(\d{4})_(\d\d)_(\d\d)_(\d\d)_(\d\d)_(\d\d)\.(\d{3})_([0-9a-f]{16})$/;
const STAGED = /^\.\.staged_/;

/** Opens a folder, and makes it if need be. */
export async function openRevisions(path: string, settings: RevisionSettings): Promise<Revisions> {
  await mkdir(path, { recursive: true, mode: settings.folderMode });
  const root = await realpath(path);
  await clearAway(root);
  const at = (name: string): string => join(root, name);
  const salt = `${settings.fileMode} ${settings.owner?.uid ?? ""}:${settings.owner?.gid ?? ""}`;
  const read = async ({ folder }: Pick<Revision, "folder">): Promise<FileSet> =>
    (await readTree(at(folder), settings)).files;
  const view = settings.layout === "flat" ? createFlatView(root, settings) : createLinkView(root);
  let verified: string | undefined;

  async function live(): Promise<Revision | undefined> {
    const current = parseRevision(await readlink(at("..data")).catch(() => ""));
    if (current === undefined || current.folder === verified) return current;
    const files = await read(current).catch(() => undefined);
    if (files === undefined || revisionOf(files, salt) !== current.revision) return undefined;
    verified = current.folder;
    return current;
  }

  async function activate(next: Staged | Revision): Promise<Revision> {
    const source = "folder" in next ? at(next.folder) : next.path;
    const files = "files" in next ? next.files : await read(next);
    await view.refuseObstacles(files);
    const name = "folder" in next ? next.folder : nameOf(next.revision, await newTime());
    if (source !== at(name)) await rename(source, at(name));
    await removeIfExists(at("..data_tmp"));
    await symlink(name, at("..data_tmp"));
    await syncFolder(root);
    await rename(at("..data_tmp"), at("..data"));
    await view.show(files);
    await syncFolder(root);
    verified = name;
    return parseRevision(name)!;
  }

  async function list(): Promise<Revision[]> {
    const found = (await readdir(root)).map(parseRevision).filter((revision) => revision !== undefined);
    return found.sort((a, b) => (a.folder < b.folder ? 1 : -1));
  }

  /** Now, but later than all that there is, also when the clock was set back. */
  const newTime = async (): Promise<number> => Math.max(Date.now(), ((await list())[0]?.at.getTime() ?? 0) + 1);

  // Whoever was killed between the swap and the names that follow it has not come to these.
  const found = await live();
  if (found !== undefined) await view.show(await read(found));

  return {
    live,
    read,
    activate,
    list,
    revisionOf: (files) => revisionOf(files, salt),
    stage: (files) => stage(root, files, settings, revisionOf(files, salt)),
    discard: ({ path }) => rm(path, { recursive: true, force: true }),
    prune: (keep, named = []) => prune(root, keep, named),
  };
}

async function stage(root: string, files: FileSet, modes: TreeModes, revision: string): Promise<Staged> {
  const path = join(root, `..staged_${revision}`);
  await rm(path, { recursive: true, force: true });
  await writeTree(path, files, modes);
  return { path, revision, files };
}

/** Removes what a predecessor that was killed has left half done. */
async function clearAway(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    if (STAGED.test(name)) await rm(join(root, name), { recursive: true, force: true });
  }
  await removeIfExists(join(root, "..data_tmp"));
}

async function prune(root: string, keep: number, named: readonly string[]): Promise<void> {
  const current = await readlink(join(root, "..data")).catch(() => "");
  const names = (await readdir(root)).filter((name) => REVISION.test(name) && name !== current).sort();
  const older = names.filter((name) => name < current);
  const kept = new Set([...older.slice(Math.max(0, older.length - keep)), ...named]);
  for (const name of names) if (!kept.has(name)) await rm(join(root, name), { recursive: true, force: true });
}

function parseRevision(name: string): Revision | undefined {
  const match = REVISION.exec(name);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, millisecond, revision] = match;
  const at = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}.${millisecond}Z`);
  return { folder: name, revision: revision!, at };
}

/** `..2026_11_22_16_40_00.123_<revision>`: in the order of time when sorted. */
const nameOf = (revision: string, at: number): string =>
  `..${new Date(at).toISOString().replaceAll(/[-:T]/g, "_").replace("Z", "")}_${revision}`;
