// The revisions of a job without an output: what its sources have is live where it lies, so nothing is written. What was
// seen last is remembered, to tell what has changed; there is nothing to go back to.
import { revisionOf } from "@outrigger/files";
import type { FileSet, Revision, Revisions } from "@outrigger/files";

import type { Layer } from "./merge.ts";

export function createWatchedRevisions(): Revisions {
  let live: (Revision & { readonly files: FileSet }) | undefined;
  return {
    live: () => Promise.resolve(live),
    list: () => Promise.resolve(live === undefined ? [] : [live]),
    read: () => Promise.resolve(live?.files ?? new Map()),
    revisionOf,
    stage: (files) => Promise.resolve({ path: "", revision: revisionOf(files), files }),
    discard: () => Promise.resolve(),
    activate: (next) => {
      if ("files" in next) {
        const at = new Date();
        live = { folder: `${at.toISOString()} ${next.revision}`, revision: next.revision, at, files: next.files };
      }
      return Promise.resolve(live!);
    },
    prune: () => Promise.resolve(),
  };
}

/** The files by where they lie, so that those of several folders do not hide each other. */
export const inPlace = ({ source, files }: Layer): Layer => {
  const folder = source.replace(/^dir:\/+|\/+$/g, "");
  return { source, files: new Map([...files].map(([path, entry]) => [`${folder}/${path}`, entry])) };
};
