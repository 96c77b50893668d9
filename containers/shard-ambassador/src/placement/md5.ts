// MD5 (RFC 1321) over a range of bytes without allocating: a ring is made of it, and keys are hashed by it.
import { rotate, word } from "./hash.ts";
import type { Hash } from "./hash.ts";

const SINES = Int32Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32) | 0);
const SHIFTS = Uint8Array.from([7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21]);
const INITIAL = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476] as const;

/** The state of the digest at work; after md5Of() its four words, the lowest byte first. */
export const md5Words = new Int32Array(4);
const block = new Int32Array(16);
const tail = new Uint8Array(128);

/** Leaves the digest in `md5Words`. */
export function md5Of(bytes: Uint8Array, start: number, end: number): void {
  md5Words.set(INITIAL);
  let at = start;
  for (; end - at >= 64; at += 64) addBlock(bytes, at);
  // What is left, a 1 bit, zeros, and the length in bits fill one block or two.
  const rest = end - at;
  const size = rest < 56 ? 64 : 128;
  tail.fill(0);
  for (let i = 0; i < rest; i++) tail[i] = bytes[at + i]!;
  tail[rest] = 0x80;
  let bits = (end - start) * 8;
  for (let i = 0; i < 8; i++) {
    tail[size - 8 + i] = bits % 256;
    bits = Math.floor(bits / 256);
  }
  for (let i = 0; i < size; i += 64) addBlock(tail, i);
}

function addBlock(bytes: Uint8Array, at: number): void {
  for (let i = 0; i < 16; i++) block[i] = word(bytes, at + 4 * i);
  let a = md5Words[0]!;
  let b = md5Words[1]!;
  let c = md5Words[2]!;
  let d = md5Words[3]!;
  for (let i = 0; i < 64; i++) {
    const round = i >> 4;
    let mixed = (b & c) | (~b & d);
    let from = i;
    if (round === 1) {
      mixed = (d & b) | (~d & c);
      from = 5 * i + 1;
    } else if (round === 2) {
      mixed = b ^ c ^ d;
      from = 3 * i + 5;
    } else if (round === 3) {
      mixed = c ^ (b | ~d);
      from = 7 * i;
    }
    const sum = (a + mixed + SINES[i]! + block[from & 15]!) | 0;
    a = d;
    d = c;
    c = b;
    b = (b + rotate(sum, SHIFTS[round * 4 + (i & 3)]!)) | 0;
  }
  md5Words[0]! += a;
  md5Words[1]! += b;
  md5Words[2]! += c;
  md5Words[3]! += d;
}

/** The first word of the digest. */
export const md5: Hash = (bytes, start, end) => {
  md5Of(bytes, start, end);
  return md5Words[0]!;
};
