// Replaces a small file of one's own, such as a state or a manifest: readers see the old or the new, also after a crash.
import { open, rename } from "node:fs/promises";
import { dirname } from "node:path";

import { syncFolder } from "./write-tree.ts";

/** Writes `<path>.new`, and renames it when it is on the disk. */
export async function replaceFile(path: string, text: string, mode = 0o600): Promise<void> {
  const handle = await open(`${path}.new`, "w", mode);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${path}.new`, path);
  await syncFolder(dirname(path));
}
