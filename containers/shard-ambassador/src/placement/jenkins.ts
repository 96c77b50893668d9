// Bob Jenkins' one_at_a_time and lookup3 (hashlittle), as twemproxy uses them.
import { rotate, signed, word } from "./hash.ts";
import type { Hash } from "./hash.ts";

export const oneAtATime: Hash = (bytes, start, end) => {
  let hash = 0;
  for (let i = start; i < end; i++) {
    hash = (hash + signed(bytes[i]!)) | 0;
    hash = (hash + (hash << 10)) | 0;
    hash ^= hash >>> 6;
  }
  hash = (hash + (hash << 3)) | 0;
  hash ^= hash >>> 11;
  return (hash + (hash << 15)) | 0;
};

const INITIAL_VALUE = 13;

/** lookup3 with the initial value 13. */
export const jenkins: Hash = (bytes, start, end) => {
  let a = (0xdeadbeef + (end - start) + INITIAL_VALUE) | 0;
  let b = a;
  let c = a;
  let at = start;
  for (; end - at > 12; at += 12) {
    a = (a + word(bytes, at)) | 0;
    b = (b + word(bytes, at + 4)) | 0;
    c = (c + word(bytes, at + 8)) | 0;
    a = ((a - c) ^ rotate(c, 4)) | 0;
    c = (c + b) | 0;
    b = ((b - a) ^ rotate(a, 6)) | 0;
    a = (a + c) | 0;
    c = ((c - b) ^ rotate(b, 8)) | 0;
    b = (b + a) | 0;
    a = ((a - c) ^ rotate(c, 16)) | 0;
    c = (c + b) | 0;
    b = ((b - a) ^ rotate(a, 19)) | 0;
    a = (a + c) | 0;
    c = ((c - b) ^ rotate(b, 4)) | 0;
    b = (b + a) | 0;
  }
  if (at === end) return c;
  a = (a + lastWord(bytes, at, end)) | 0;
  b = (b + lastWord(bytes, at + 4, end)) | 0;
  c = (c + lastWord(bytes, at + 8, end)) | 0;
  c = ((c ^ b) - rotate(b, 14)) | 0;
  a = ((a ^ c) - rotate(c, 11)) | 0;
  b = ((b ^ a) - rotate(a, 25)) | 0;
  c = ((c ^ b) - rotate(b, 16)) | 0;
  a = ((a ^ c) - rotate(c, 4)) | 0;
  b = ((b ^ a) - rotate(a, 14)) | 0;
  return ((c ^ b) - rotate(b, 24)) | 0;
};

/** A word of which some or all bytes may lie behind the end: they are 0. */
function lastWord(bytes: Uint8Array, at: number, end: number): number {
  let value = 0;
  for (let i = Math.min(end, at + 4) - 1; i >= at; i--) value = (value << 8) | bytes[i]!;
  return value;
}
