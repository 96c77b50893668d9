// MurmurHash2 and Paul Hsieh's SuperFastHash, as twemproxy uses them.
import { signed, word } from "./hash.ts";
import type { Hash } from "./hash.ts";

const M = 0x5bd1e995;

/** MurmurHash2 of 32 bits, seeded with the length. */
export const murmur: Hash = (bytes, start, end) => {
  const length = end - start;
  let hash = Math.imul(0xdeadbeef, length) ^ length;
  let at = start;
  for (; end - at >= 4; at += 4) {
    let k = Math.imul(word(bytes, at), M);
    k = Math.imul(k ^ (k >>> 24), M);
    hash = Math.imul(hash, M) ^ k;
  }
  if (at < end) {
    for (let i = end - 1; i >= at; i--) hash ^= bytes[i]! << (8 * (i - at));
    hash = Math.imul(hash, M);
  }
  hash = Math.imul(hash ^ (hash >>> 13), M);
  return hash ^ (hash >>> 15);
};

const half = (bytes: Uint8Array, at: number): number => bytes[at]! | (bytes[at + 1]! << 8);

/** SuperFastHash beginning with 0; the third of three last bytes is signed. */
export const hsieh: Hash = (bytes, start, end) => {
  let hash = 0;
  let at = start;
  for (; end - at >= 4; at += 4) {
    hash = (hash + half(bytes, at)) | 0;
    hash = (hash << 16) ^ ((half(bytes, at + 2) << 11) ^ hash);
    hash = (hash + (hash >>> 11)) | 0;
  }
  hash = hsiehRest(hash, bytes, at, end - at);
  hash ^= hash << 3;
  hash = (hash + (hash >>> 5)) | 0;
  hash ^= hash << 4;
  hash = (hash + (hash >>> 17)) | 0;
  hash ^= hash << 25;
  return (hash + (hash >>> 6)) | 0;
};

function hsiehRest(begun: number, bytes: Uint8Array, at: number, rest: number): number {
  let hash = begun;
  if (rest === 1) {
    hash = (hash + bytes[at]!) | 0;
    hash ^= hash << 10;
    return (hash + (hash >>> 1)) | 0;
  }
  if (rest === 0) return hash;
  hash = (hash + half(bytes, at)) | 0;
  if (rest === 2) {
    hash ^= hash << 11;
    return (hash + (hash >>> 17)) | 0;
  }
  hash ^= hash << 16;
  hash ^= signed(bytes[at + 2]!) << 18;
  return (hash + (hash >>> 11)) | 0;
}
