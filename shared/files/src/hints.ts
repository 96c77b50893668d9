// Hints that something may have changed in folders, for a reader who then looks for himself, and who looks from time to
// time anyway.
import { createEvents } from "./events.ts";
import type { WatchMode } from "./watch.ts";

export type HintOptions = {
  /** Called for whatever may have changed, however often. */
  readonly onHint: () => void;
  /** How often it is called where the system refuses to give events: 2 s. */
  readonly pollMs?: number;
  readonly onMode?: (mode: WatchMode, reason?: string) => void;
};

export type Hints = {
  readonly mode: WatchMode;
  /** Watches these folders and files instead of those before; resolves once events are sure to come. */
  follow(paths: readonly string[]): Promise<void>;
  close(): Promise<void>;
};

/** Begins without any paths; falls back to polling for good when the system refuses to give events. */
export function createHints({ onHint, pollMs = 2000, onMode }: HintOptions): Hints {
  let mode: WatchMode = "events";
  let timer: NodeJS.Timeout | undefined;
  const events = createEvents(onHint, (error) => {
    mode = "poll";
    timer = setInterval(onHint, pollMs);
    onMode?.("poll", error.message);
  });
  return {
    get mode() {
      return mode;
    },
    follow: events.follow,
    close: async () => {
      clearInterval(timer);
      await events.close();
    },
  };
}
