// The bytes that wait in this process because somebody does not take them: a bound for all connections together. Each
// connection stops reading when what it has read does not leave, but thousands of them add up.

export type Flight = {
  /** Takes note of bytes that wait; they have to be released again. */
  add(bytes: number): void;
  release(bytes: number): void;
  /** Whether no more work should be taken on. */
  readonly full: boolean;
  /** Calls back once there is room again; gives what takes that back. */
  whenRoom(proceed: () => void): () => void;
};

/** `limit` in bytes. `onChange` hears of each change, for a metric. */
export function createFlight(limit: number, onChange: (bytes: number) => void = () => undefined): Flight {
  let waiting = 0;
  const queue = new Set<() => void>();
  const change = (by: number): void => {
    waiting += by;
    onChange(waiting);
  };
  return {
    add: change,
    release: (bytes) => {
      if (bytes === 0) return;
      change(-bytes);
      for (const proceed of queue) {
        if (waiting >= limit) return;
        queue.delete(proceed);
        proceed();
      }
    },
    get full() {
      return waiting >= limit;
    },
    whenRoom: (proceed) => {
      queue.add(proceed);
      return () => queue.delete(proceed);
    },
  };
}

/** One place where bytes may wait: says how many there are now, and nothing is counted twice. */
export class StuckBytes {
  readonly #flight: Flight;
  #bytes = 0;

  constructor(flight: Flight) {
    this.#flight = flight;
  }

  set(bytes: number): void {
    const before = this.#bytes;
    this.#bytes = bytes;
    if (bytes > before) this.#flight.add(bytes - before);
    else this.#flight.release(before - bytes);
  }
}
