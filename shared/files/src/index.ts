// Files as pods have them: watched through Kubernetes' symlink swaps, and read within bounds.
export { readBounded } from "./read-bounded.ts";
export { watchPaths } from "./watch.ts";
export type { FileWatch, WatchMode, WatchOptions } from "./watch.ts";
