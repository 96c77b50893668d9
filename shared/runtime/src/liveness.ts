// Liveness: loops that have to run report each turn; one that has been silent for too long has stalled.

export type Liveness = {
  /** Registers a loop that turns at least every `everyMs` milliseconds; call what it returns on each turn. */
  watch(name: string, everyMs: number): () => void;
  /** Names of the loops that have stalled: silent for more than three of their turns, and at least five seconds. */
  stalled(): string[];
};

const LEAST_PATIENCE_MS = 5000;

export function createLiveness(now: () => number = () => performance.now()): Liveness {
  const loops = new Map<string, { last: number; patience: number }>();
  return {
    watch: (name, everyMs) => {
      const loop = { last: now(), patience: Math.max(3 * everyMs, LEAST_PATIENCE_MS) };
      loops.set(name, loop);
      return () => void (loop.last = now());
    },
    stalled: () => [...loops].filter(([, { last, patience }]) => now() - last > patience).map(([name]) => name),
  };
}
