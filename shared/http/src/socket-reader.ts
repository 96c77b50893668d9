// Outgoing connections that read without new memory for each read.
import { connect } from "node:net";
import type { NetConnectOpts, Socket } from "node:net";

/** Takes what has arrived. The bytes may stand in memory that is used again: they are valid in the call; see `kept`. */
export type Deliver = (bytes: Buffer) => void;

const READ_BYTES = 64 * 1024;
/** A read of this size is given away with its memory, rather than copied; the next read gets new memory. */
const LARGE_BYTES = 16 * 1024;

let memory = Buffer.allocUnsafeSlow(READ_BYTES);

/**
 * Node allocates 64 KiB for each read of a socket and leaves most of it to the garbage collector, which is a fifth of what
 * a small proxied request costs. With `onread` all sockets share one buffer. Bun has a shorter way of its own, which
 * `onread` only makes longer.
 */
const SHARES_MEMORY = !("Bun" in globalThis);

/** Connects; what arrives goes to `deliver`, without `data` events. Everything else is as with any socket. */
export function connectReading(options: NetConnectOpts, deliver: Deliver): Socket {
  if (!SHARES_MEMORY) return connect(options).on("data", deliver);
  const onread = {
    buffer: () => memory,
    callback: (size: number, { buffer, byteOffset }: Uint8Array) => {
      if (size >= LARGE_BYTES) memory = Buffer.allocUnsafeSlow(READ_BYTES);
      deliver(Buffer.from(buffer, byteOffset, size));
      return true;
    },
  };
  return connect({ ...options, onread });
}

/** The same bytes in memory of their own, if they are not: for what outlasts the call in which it was delivered. */
export const kept = (bytes: Buffer): Buffer => (bytes.buffer === memory.buffer ? Buffer.from(bytes) : bytes);
