// The place of one reply in a client's order: waits for it, and keeps it until all before it have been sent.
import type { Recipient } from "./shard-link.ts";

const NONE = Buffer.alloc(0);

/** Collects the replies to the parts of a command: takes one, and gives the whole reply after the last. */
export type Merging = { add(part: number, reply: Buffer): Buffer | undefined };

/** Whom a slot tells. */
export type SlotOwner = {
  /** So many bytes more are held in the slot, which may be ready now. */
  onBytes(slot: Slot, bytes: number): void;
};

export class Slot implements Recipient {
  bytes: Buffer = NONE;
  start = 0;
  end = 0;
  isReady = false;
  /** Whether `bytes` is a chunk of the shard, of which this reply may be a small part. */
  isBorrowed = false;
  /** Collects the replies of a command that was split. */
  merge: Merging | undefined;
  /** Bytes of the memory limit that it takes. */
  charge = 0;

  readonly #owner: SlotOwner;

  constructor(owner: SlotOwner) {
    this.#owner = owner;
  }

  take(part: number, bytes: Buffer, start: number, end: number): void {
    if (this.merge === undefined) return this.#settle(bytes, start, end, true);
    const merged = this.merge.add(part, Buffer.from(bytes.subarray(start, end)));
    if (merged === undefined) return this.#owner.onBytes(this, end - start);
    this.merge = undefined;
    this.#settle(merged, 0, merged.length, false);
  }

  /** Takes a reply of the ambassador's own. */
  answer(bytes: Buffer): void {
    this.#settle(bytes, 0, bytes.length, false);
  }

  /** Makes the reply its own, so that the chunk can go. */
  keep(): void {
    if (!this.isBorrowed || !this.isReady) return;
    this.bytes = Buffer.from(this.bytes.subarray(this.start, this.end));
    this.end -= this.start;
    this.start = 0;
    this.isBorrowed = false;
  }

  /** Makes place for the next. */
  reset(): void {
    this.bytes = NONE;
    this.isReady = false;
    this.isBorrowed = false;
    this.charge = 0;
  }

  #settle(bytes: Buffer, start: number, end: number, isBorrowed: boolean): void {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.isBorrowed = isBorrowed;
    this.isReady = true;
    this.#owner.onBytes(this, end - start);
  }
}
