// When a job does its work. Hints, timers, signals and pushes only mark it dirty; each piece of work looks at everything,
// so that it does not matter which mark brought it about, nor whether one was lost.

export type ScheduleSettings = {
  /** Must not reject; resolves with the time after which it wants to be done again, if that is before the next interval. */
  readonly work: () => Promise<number | undefined>;
  readonly quietMs: number;
  readonly maxDelayMs: number;
  readonly intervalMs: number;
  /** By how much of itself the interval varies. */
  readonly jitter: number;
};

export type Schedule = {
  /** Something may have changed: work when it has been quiet, or after the longest delay. */
  mark(): void;
  /** Works at once, or once more after what is under way; resolves when that is done. */
  now(): Promise<void>;
  /** No more work; resolves when what is under way is done. */
  close(): Promise<void>;
};

export function createSchedule({ work, quietMs, maxDelayMs, intervalMs, jitter }: ScheduleSettings): Schedule {
  let timer: NodeJS.Timeout | undefined;
  let markedAt: number | undefined;
  let running: Promise<void> | undefined;
  let following: Promise<void> | undefined;
  let closed = false;

  const arm = (delay: number): void => {
    clearTimeout(timer);
    if (!closed) timer = setTimeout(() => void begin(), delay);
  };
  const delayOfMark = (): number => Math.max(0, Math.min(quietMs, (markedAt ?? 0) + maxDelayMs - performance.now()));

  function begin(): Promise<void> {
    clearTimeout(timer);
    markedAt = undefined;
    following = undefined;
    running = work().then((wanted) => {
      running = undefined;
      const interval = intervalMs * (1 + jitter * (2 * Math.random() - 1));
      arm(markedAt === undefined ? Math.min(wanted ?? Infinity, interval) : delayOfMark());
    });
    return running;
  }

  return {
    mark: () => {
      markedAt ??= performance.now();
      if (running === undefined) arm(delayOfMark());
    },
    now: () => {
      if (closed) return Promise.resolve();
      if (running === undefined) return begin();
      following ??= running.then(() => (closed ? undefined : begin()));
      return following;
    },
    close: async () => {
      closed = true;
      clearTimeout(timer);
      await running;
    },
  };
}
