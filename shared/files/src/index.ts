// Files as pods have them: watched through Kubernetes' symlink swaps, read within bounds, published as whole sets.
export { createDebounce } from "./debounce.ts";
export type { Debounce } from "./debounce.ts";
export { changesBetween, nestingProblem, pathProblem, revisionOf } from "./file-set.ts";
export type { FileChanges, FileEntry, FileSet } from "./file-set.ts";
export { createHints } from "./hints.ts";
export type { Hints } from "./hints.ts";
export { readBounded } from "./read-bounded.ts";
export { LimitError, readTree } from "./read-tree.ts";
export type { Tree, TreeLimits } from "./read-tree.ts";
export { replaceFile } from "./replace-file.ts";
export { openRevisions } from "./revisions.ts";
export type { Revision, Revisions, Staged } from "./revisions.ts";
export { watchPaths } from "./watch.ts";
export type { FileWatch, WatchMode, WatchOptions } from "./watch.ts";
