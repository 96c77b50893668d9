// The names by which readers see a folder of revisions: a link through `..data` for each top-level name.
import { lstat, readdir, readlink, symlink } from "node:fs/promises";
import { join } from "node:path";

import type { FileSet } from "./file-set.ts";
import type { View } from "./revisions.ts";
import { removeIfExists } from "./write-tree.ts";

export function createLinkView(root: string): View {
  return {
    refuseObstacles: async (files) => {
      for (const name of topNamesOf(files)) {
        const path = join(root, name);
        if ((await lstat(path).catch(() => undefined)) !== undefined && !(await isOurs(path, name)))
          throw new Error(`${path}: expected nothing, or what was published before, got a file of somebody else's`);
      }
    },
    show: async (files) => {
      const names = topNamesOf(files);
      for (const name of names) {
        const path = join(root, name);
        if (!(await isOurs(path, name))) await symlink(join("..data", name), path);
      }
      for (const name of await readdir(root)) {
        const isStale = !name.startsWith("..") && !names.has(name) && (await isOurs(join(root, name), name));
        if (isStale) await removeIfExists(join(root, name));
      }
    },
  };
}

const topNamesOf = (files: FileSet): Set<string> => new Set([...files.keys()].map((path) => path.split("/", 1)[0]!));

/** Whether a path is the link through `..data` by which readers see the name. */
async function isOurs(path: string, name: string): Promise<boolean> {
  const target = await readlink(path).catch(() => undefined);
  return target === join("..data", name);
}
