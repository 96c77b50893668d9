// One turn of the event loop: whatever is written in it goes out at its end, once for each connection.

/** Something with bytes to send. */
export type Flushable = {
  /** Whether it is waiting for the end of the turn. */
  isQueued: boolean;
  flush(): void;
};

export type Turn = {
  /** When this turn's input was read, in the milliseconds of `performance.now()`. */
  now: number;
  /** Has it flushed at the end of the turn, in the order of queueing. */
  queue(flushable: Flushable): void;
};

export function createTurn(): Turn {
  let queued: Flushable[] = [];
  let spare: Flushable[] = [];
  let isScheduled = false;
  const end = (): void => {
    isScheduled = false;
    const batch = queued;
    queued = spare;
    spare = batch;
    for (const flushable of batch) {
      flushable.isQueued = false;
      flushable.flush();
    }
    batch.length = 0;
  };
  return {
    now: 0,
    queue: (flushable) => {
      if (flushable.isQueued) return;
      flushable.isQueued = true;
      queued.push(flushable);
      if (isScheduled) return;
      isScheduled = true;
      setImmediate(end);
    },
  };
}
