// Where files come from.
import type { FileSet, TreeLimits } from "@outrigger/files";

import type { Layer } from "../merge.ts";

export type Source = {
  /** As it is written, without anything secret. */
  readonly name: string;
  /** All of its files as they are now, perhaps in layers, as several of its objects may have the same; throws when it cannot be reached or has something wrong with it. */
  fetch(signal: AbortSignal): Promise<FileSet | readonly Layer[]>;
  close(): Promise<void>;
};

export type SourceSettings = {
  readonly limits: TreeLimits;
  /** Something may have changed. */
  readonly onHint: () => void;
  /** False for work that is done only once. */
  readonly isWatched: boolean;
  readonly rescanMs: number;
  /** A folder that is there, for what a source keeps; its names begin with two dots. */
  readonly stateFolder: string;
  readonly onPolling: (reason: string) => void;
  /** Registers a loop that has to turn: see the runtime's liveness. */
  readonly heartbeat: (name: string, everyMs: number) => () => void;
};

export type SourceFactory = (settings: SourceSettings) => Source;
