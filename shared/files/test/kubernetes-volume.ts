// A folder as the kubelet keeps it for a ConfigMap or a Secret: each file is a link into `..data`, which is a link to the
// folder that holds the files, and an update makes a new folder and swaps `..data` by rename.
import { existsSync, mkdirSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export type Volume = {
  readonly folder: string;
  /** Replaces all files at once. */
  readonly publish: (files: Readonly<Record<string, string>>) => void;
};

export function createVolume(folder: string, files: Readonly<Record<string, string>>): Volume {
  let revision = 0;
  function publish(files: Readonly<Record<string, string>>): void {
    const data = join(folder, "..data");
    const before = existsSync(data) ? readlinkSync(data) : undefined;
    const next = `..2026_11_22_${String(revision++).padStart(4, "0")}`;
    mkdirSync(join(folder, next), { recursive: true });
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, next, name), content);
    symlinkSync(next, join(folder, "..data_tmp"));
    renameSync(join(folder, "..data_tmp"), data);
    for (const name of Object.keys(files)) {
      if (!existsSync(join(folder, name))) symlinkSync(join("..data", name), join(folder, name));
    }
    if (before !== undefined) rmSync(join(folder, before), { recursive: true });
  }
  publish(files);
  return { folder, publish };
}
