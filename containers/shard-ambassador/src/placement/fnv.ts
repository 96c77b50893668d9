// The FNV family, as twemproxy computes it: over signed bytes, and with 32 bits even where its name says 64.
import { signed } from "./hash.ts";
import type { Hash } from "./hash.ts";

// Only the lower halves of the 64-bit offset and prime have any influence on the lower half of the result.
const OFFSET_64 = 0x84222325 | 0;
const PRIME_64 = 0x1b3;
const OFFSET_32 = 0x811c9dc5 | 0;
const PRIME_32 = 0x01000193;

const multiplyFirst =
  (offset: number, prime: number): Hash =>
  (bytes, start, end) => {
    let hash = offset;
    for (let i = start; i < end; i++) hash = Math.imul(hash, prime) ^ signed(bytes[i]!);
    return hash;
  };

const xorFirst =
  (offset: number, prime: number): Hash =>
  (bytes, start, end) => {
    let hash = offset;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ signed(bytes[i]!), prime);
    return hash;
  };

export const fnv1_64 = multiplyFirst(OFFSET_64, PRIME_64);
export const fnv1a_64 = xorFirst(OFFSET_64, PRIME_64);
export const fnv1_32 = multiplyFirst(OFFSET_32, PRIME_32);
export const fnv1a_32 = xorFirst(OFFSET_32, PRIME_32);
