// Timeouts of many connections with one timer: each has a time by which something must have happened, and one sweep
// finds those that are late. Setting a deadline is an assignment, so it can be done on every read and write.

/** Something with a deadline. */
export type Timed = {
  /** When, in the milliseconds of `performance.now()`; 0 for never. */
  deadline: number;
  onDeadline(): void;
};

export type Deadlines = {
  add(timed: Timed): void;
  delete(timed: Timed): void;
  /** Stops the sweep; deadlines do not pass any more. */
  stop(): void;
};

/** How late a deadline may be noticed. */
export const SWEEP_MS = 100;

/** Starts the sweep. `beat` is called on each, for liveness. */
export function createDeadlines(beat: () => void = () => undefined): Deadlines {
  const all = new Set<Timed>();
  const sweep = (): void => {
    beat();
    const now = performance.now();
    for (const timed of all) {
      if (timed.deadline === 0 || now < timed.deadline) continue;
      timed.deadline = 0;
      timed.onDeadline();
    }
  };
  const timer = setInterval(sweep, SWEEP_MS).unref();
  return {
    add: (timed) => void all.add(timed),
    delete: (timed) => void all.delete(timed),
    stop: () => clearInterval(timer),
  };
}
