// How long a connection may last: as long as its client's certificate, and not beyond --max-connection-lifetime.
import type { Timed } from "@outrigger/http";

/** How often a certificate's end is compared with the clock, which somebody may set. */
const CLOCK_CHECK_MS = 30_000;

export type LifetimeSettings = {
  /** When the client's certificate ends, in milliseconds since the Unix epoch; undefined without one. */
  readonly expiry: number | undefined;
  /** In milliseconds; undefined for no end. */
  readonly lifetimeMs: number | undefined;
  onExpired(): void;
  /** Called once at most. */
  onLifeEnd(): void;
};

/** Makes what has its deadline when to look next, 0 for never. Its first look is the caller's to ask for. */
export function createLifetime({ expiry, lifetimeMs, onExpired, onLifeEnd }: LifetimeSettings): Timed {
  let lifeEnd = lifetimeMs === undefined ? Infinity : performance.now() + lifetimeMs;
  const timed: Timed = { deadline: 0, onDeadline: look };
  return timed;

  function look(): void {
    const now = performance.now();
    const left = expiry === undefined ? Infinity : expiry - Date.now();
    if (left <= 0) {
      onExpired();
      return;
    }
    if (now >= lifeEnd) {
      lifeEnd = Infinity;
      onLifeEnd();
    }
    const clockCheck = left === Infinity ? Infinity : now + Math.min(left, CLOCK_CHECK_MS);
    const next = Math.min(clockCheck, lifeEnd);
    timed.deadline = next === Infinity ? 0 : next;
  }
}
