// Turns any number of marks into one run of the work after they have ceased, and never runs it twice at a time.

export type Debounce = {
  /** Asks for a run. */
  readonly mark: () => void;
  /** Asks for nothing more, and waits for the run under way. */
  readonly close: () => Promise<void>;
};

/** Runs `work`, which must not reject, `quietMs` after the last mark, but at the latest `maxDelayMs` after the first. */
export function createDebounce(work: () => Promise<void>, quietMs: number, maxDelayMs: number): Debounce {
  let timer: NodeJS.Timeout | undefined;
  let markedAt: number | undefined;
  let running: Promise<void> | undefined;
  let closed = false;

  function mark(): void {
    if (closed) return;
    const now = performance.now();
    markedAt ??= now;
    clearTimeout(timer);
    timer = setTimeout(run, Math.max(0, Math.min(quietMs, markedAt + maxDelayMs - now)));
  }

  function run(): void {
    if (running !== undefined) return;
    markedAt = undefined;
    running = work().finally(() => {
      running = undefined;
      // A mark made meanwhile may be about what this run had already looked at.
      if (markedAt !== undefined) mark();
    });
  }

  return {
    mark,
    async close() {
      closed = true;
      clearTimeout(timer);
      await running;
    },
  };
}
