// What a hash function is here. All of them read a range of bytes, give 32 bits, and allocate nothing.

/** The 32 bits are a signed integer, which engines never box; `>>> 0` is the number that others print. */
export type Hash = (bytes: Uint8Array, start: number, end: number) => number;

/** A byte as twemproxy reads it on x86, where C's `char` is signed. */
export const signed = (byte: number): number => (byte << 24) >> 24;

/** Four bytes, the lowest first. */
export const word = (bytes: Uint8Array, at: number): number =>
  bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);

export const rotate = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits));
