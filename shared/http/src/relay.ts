// Passes bytes between two connected sockets as they are, each direction with back-pressure and an end of its own.
import type { Duplex } from "node:stream";

import type { Deadlines, Timed } from "./deadlines.ts";
import type { Sum } from "./proxy.ts";
import { kept } from "./socket-reader.ts";
import type { Deliver } from "./socket-reader.ts";

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

export type Relay = {
  destroy(): void;
  /** Resolves, with the bytes that were passed from a to b and from b to a, when both sides have closed. */
  readonly closed: Promise<Moved>;
};
export type Moved = { readonly received: number; readonly sent: number };

/**
 * Relays between `a` and what `connectB` opens, until both sides have closed. Both sockets must allow half-open
 * connections, so that the end of one direction does not cut the other; an error or the end of the time closes both.
 * `connectB` is given where to deliver what b receives; see connectReading.
 */
export function createRelay(a: Duplex, connectB: (deliver: Deliver) => Duplex, settings: RelaySettings): Relay {
  const b = connectB((bytes) => pass(bytes, b, a, "sent"));
  const moved = { received: 0, sent: 0 };
  const closed = Promise.withResolvers<Moved>();
  const timed: Timed = { deadline: 0, onDeadline: destroy };
  let open = 2;
  let ending = false;
  settings.deadlines.add(timed);
  touch();
  a.on("data", (bytes: Buffer) => pass(bytes, a, b, "received"));
  follow(a, b);
  follow(b, a);
  // One that has closed already would never say so again.
  for (const side of [a, b]) if (side.closed) onClose(side === a ? b : a);
  return { destroy, closed: closed.promise };

  function pass(bytes: Buffer, from: Duplex, to: Duplex, direction: keyof Moved): void {
    // Nobody is left to read it.
    if (!to.writable) return;
    moved[direction] += bytes.length;
    settings[direction].add(bytes.length);
    touch();
    if (!to.write(kept(bytes))) from.pause();
  }

  function follow(from: Duplex, to: Duplex): void {
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
    closed.resolve(moved);
  }

  function destroy(): void {
    a.destroy();
    b.destroy();
  }
}
