// The bytes that are held for clients: commands under way and replies that are not sent yet. When there are too many, no
// more commands are read until some have gone.

/** Someone who reads again when there is room. */
export type Waiter = { resume(): void };

export type Budget = {
  /** Bytes held now. */
  readonly used: () => number;
  add(bytes: number): void;
  release(bytes: number): void;
  readonly isFull: () => boolean;
  /** Calls `resume` once there is room. */
  wait(waiter: Waiter): void;
  forget(waiter: Waiter): void;
};

/** Room is given again when a tenth of the limit is free. */
const LOW_WATER = 0.9;

export function createBudget(limit: number, onFull: () => void): Budget {
  let used = 0;
  let full = false;
  const waiting = new Set<Waiter>();
  const wake = (): void => {
    const woken = [...waiting];
    waiting.clear();
    for (const waiter of woken) waiter.resume();
  };
  return {
    used: () => used,
    add: (bytes) => {
      used += bytes;
      if (full || used < limit) return;
      full = true;
      onFull();
    },
    release: (bytes) => {
      used -= bytes;
      if (!full || used > limit * LOW_WATER) return;
      full = false;
      if (waiting.size > 0) setImmediate(wake);
    },
    isFull: () => full,
    wait: (waiter) => void waiting.add(waiter),
    forget: (waiter) => void waiting.delete(waiter),
  };
}
