// Passes bytes between two connected sockets as they are, each direction with back-pressure and an end of its own.
import type { Duplex } from "node:stream";

import type { Deadlines, Timed } from "./deadlines.ts";
import type { Sum } from "./proxy.ts";

export type RelaySettings = {
  readonly deadlines: Deadlines;
  /** How long nothing may move. */
  readonly idleMs: number;
  /** How long one direction may go on after the other has ended. */
  readonly closeMs: number;
  /** Bytes from a to b, and from b to a. */
  readonly received: Sum;
  readonly sent: Sum;
};

export type Relay = { destroy(): void; readonly closed: Promise<void> };

/**
 * Relays until both sides have closed. Both sockets must allow half-open connections, so that the end of one direction
 * does not cut the other; an error or the end of the time closes both.
 */
export function createRelay(a: Duplex, b: Duplex, settings: RelaySettings): Relay {
  const closed = Promise.withResolvers<void>();
  const timed: Timed = { deadline: 0, onDeadline: destroy };
  let open = 2;
  let ending = false;
  settings.deadlines.add(timed);
  touch();
  pass(a, b, settings.received);
  pass(b, a, settings.sent);
  // One that has closed already would never say so again.
  for (const side of [a, b]) if (side.closed) onClose(side === a ? b : a);
  return { destroy, closed: closed.promise };

  function pass(from: Duplex, to: Duplex, sum: Sum): void {
    from.on("data", (bytes: Buffer) => {
      // Nobody is left to read it.
      if (!to.writable) return;
      sum.add(bytes.length);
      touch();
      if (!to.write(bytes)) from.pause();
    });
    to.on("drain", () => {
      touch();
      from.resume();
    });
    from.on("end", () => {
      ending = true;
      touch();
      to.end();
    });
    from.on("error", destroy);
    from.on("close", () => onClose(to));
  }

  function touch(): void {
    timed.deadline = performance.now() + (ending ? settings.closeMs : settings.idleMs);
  }

  function onClose(other: Duplex): void {
    open--;
    ending = true;
    touch();
    // What has been written to the other side may still be on its way: end it, rather than cut it off.
    if (!other.writableEnded) other.end();
    other.resume();
    if (open > 0) return;
    settings.deadlines.delete(timed);
    closed.resolve();
  }

  function destroy(): void {
    a.destroy();
    b.destroy();
  }
}
