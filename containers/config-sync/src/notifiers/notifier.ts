// Those who are told that another revision is live.
import type { FileChanges } from "@outrigger/files";

/** What is told. */
export type Announcement = {
  readonly job: string;
  readonly revision: string;
  /** The revision that was live before, if there was one. */
  readonly previous: string | undefined;
  /** Undefined for a job that has none. */
  readonly output: string | undefined;
  readonly changes: FileChanges;
  /** `rolled_back`: an older revision is live again. */
  readonly reason: "published" | "rolled_back";
};

export type Notifier = {
  readonly name: string;
  /** Tells once; throws when it was not heard. It may be told of the same revision more than once. */
  notify(announcement: Announcement): Promise<void>;
};
