// Several sources' files as one set: by precedence, and never without saying so.
import type { FileEntry, FileSet } from "@outrigger/files";
import { nestingProblem, pathProblem } from "@outrigger/files";

export const COLLISIONS = ["last", "first", "error"] as const;
export type Collision = (typeof COLLISIONS)[number];

/** What one source has delivered. */
export type Layer = { readonly source: string; readonly files: FileSet };

export type Merged = {
  readonly files: FileSet;
  /** Paths that more than one source has. */
  readonly collisions: readonly string[];
};

/** Merges layers, the first one first. Throws for a path that leads out of the folder or that cannot be there. */
export function merge(layers: readonly Layer[], collision: Collision): Merged {
  const files = new Map<string, FileEntry>();
  const owners = new Map<string, string>();
  const collisions = new Set<string>();
  for (const { source, files: delivered } of layers) {
    for (const [path, entry] of delivered) {
      const problem = pathProblem(path);
      if (problem !== undefined) throw new Error(`${source}: ${problem}`);
      const owner = owners.get(path);
      if (owner !== undefined) collisions.add(path);
      if (owner !== undefined && collision === "error")
        throw new Error(`${source}: expected a path that no other source has, got ${path}, which ${owner} has, too`);
      if (owner !== undefined && collision === "first") continue;
      files.set(path, entry);
      owners.set(path, source);
    }
  }
  const problem = nestingProblem(files.keys());
  if (problem !== undefined) throw new Error(`sources: ${problem}`);
  return { files, collisions: [...collisions].sort() };
}
