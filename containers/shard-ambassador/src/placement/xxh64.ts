// XXH64 over a range of bytes without allocating. Its 64-bit numbers are two halves; the one at work stands in `hi` and
// `lo`, so that nothing has to be returned in an object.
import { word } from "./hash.ts";
import type { Hash } from "./hash.ts";

let hi = 0;
let lo = 0;
/** The result of the last xxh64(), mix() or multiply(), as signed halves. */
export const upper = (): number => hi;
export const lower = (): number => lo;

type Half = number;
const P1: readonly [Half, Half] = [0x9e3779b1 | 0, 0x85ebca87 | 0];
const P2: readonly [Half, Half] = [0xc2b2ae3d | 0, 0x27d4eb4f | 0];
const P3: readonly [Half, Half] = [0x165667b1, 0x9e3779f9 | 0];
const P4: readonly [Half, Half] = [0x85ebca77 | 0, 0xc2b2ae63 | 0];
const P5: readonly [Half, Half] = [0x27d4eb2f, 0x165667c5];

export function load(upperHalf: Half, lowerHalf: Half): void {
  hi = upperHalf;
  lo = lowerHalf;
}

export function add(upperHalf: Half, lowerHalf: Half): void {
  const sum = (lo + lowerHalf) | 0;
  const carry = sum >>> 0 < lo >>> 0 ? 1 : 0;
  hi = (hi + upperHalf + carry) | 0;
  lo = sum;
}

/** Times another number, modulo 2^64, by parts of 16 bits whose products are exact. */
export function multiply(upperHalf: Half, lowerHalf: Half): void {
  const a0 = lo & 0xffff;
  const a1 = lo >>> 16;
  const b0 = lowerHalf & 0xffff;
  const b1 = lowerHalf >>> 16;
  const low = Math.imul(a0, b0);
  const crossA = Math.imul(a0, b1);
  const crossB = Math.imul(a1, b0);
  const middle = (low >>> 16) + (crossA & 0xffff) + (crossB & 0xffff);
  const high = Math.imul(a1, b1) + (crossA >>> 16) + (crossB >>> 16) + (middle >>> 16);
  hi = (high + Math.imul(hi, lowerHalf) + Math.imul(lo, upperHalf)) | 0;
  lo = (middle << 16) | (low & 0xffff);
}

function rotateLeft(bits: number): void {
  const before = hi;
  hi = (hi << bits) | (lo >>> (32 - bits));
  lo = (lo << bits) | (before >>> (32 - bits));
}

/** Xor with itself, shifted right by 1 to 31 bits. */
function xorShift(bits: number): void {
  const shifted = (lo >>> bits) | (hi << (32 - bits));
  hi ^= hi >>> bits;
  lo ^= shifted;
}

function xor(upperHalf: Half, lowerHalf: Half): void {
  hi ^= upperHalf;
  lo ^= lowerHalf;
}

/** XXH64's last step: each bit of what is loaded gets influence on all. */
export function mix(): void {
  lo ^= hi >>> 1;
  multiply(P2[0], P2[1]);
  xorShift(29);
  multiply(P3[0], P3[1]);
  lo ^= hi;
}

/** The four accumulators of long input, upper half first. */
const lanes = new Int32Array(8);

function startLanes(seed: number): void {
  load(P1[0], P1[1]);
  add(P2[0], P2[1]);
  const starts = [hi, lo, P2[0], P2[1], 0, 0, 0, 0];
  load(0, 0);
  add(~P1[0], ~P1[1]);
  add(0, 1);
  starts[6] = hi;
  starts[7] = lo;
  for (let lane = 0; lane < 8; lane += 2) {
    load(starts[lane]!, starts[lane + 1]!);
    add(0, seed);
    lanes[lane] = hi;
    lanes[lane + 1] = lo;
  }
}

/** One round on what is loaded: eight bytes of input enter. */
function round(inputUpper: Half, inputLower: Half): void {
  const before = hi;
  const beforeLower = lo;
  load(inputUpper, inputLower);
  multiply(P2[0], P2[1]);
  add(before, beforeLower);
  rotateLeft(31);
  multiply(P1[0], P1[1]);
}

function addStripe(bytes: Uint8Array, at: number): void {
  for (let lane = 0; lane < 4; lane++) {
    load(lanes[2 * lane]!, lanes[2 * lane + 1]!);
    round(word(bytes, at + 8 * lane + 4), word(bytes, at + 8 * lane));
    lanes[2 * lane] = hi;
    lanes[2 * lane + 1] = lo;
  }
}

const ROTATIONS = Uint8Array.of(1, 7, 12, 18);

function mergeLanes(): void {
  let sumUpper = 0;
  let sumLower = 0;
  for (let lane = 0; lane < 4; lane++) {
    load(lanes[2 * lane]!, lanes[2 * lane + 1]!);
    rotateLeft(ROTATIONS[lane]!);
    add(sumUpper, sumLower);
    sumUpper = hi;
    sumLower = lo;
  }
  for (let lane = 0; lane < 4; lane++) {
    sumUpper = hi;
    sumLower = lo;
    load(0, 0);
    round(lanes[2 * lane]!, lanes[2 * lane + 1]!);
    xor(sumUpper, sumLower);
    multiply(P1[0], P1[1]);
    add(P4[0], P4[1]);
  }
}

/** Leaves the hash in upper() and lower(). The seed is a number from 0 to 2^31-1. */
export function xxh64(bytes: Uint8Array, start: number, end: number, seed = 0): void {
  let at = start;
  if (end - start >= 32) {
    startLanes(seed);
    for (; end - at >= 32; at += 32) addStripe(bytes, at);
    mergeLanes();
  } else {
    load(P5[0], P5[1]);
    add(0, seed);
  }
  add(0, end - start);
  addRest(bytes, at, end);
  mix();
}

function addRest(bytes: Uint8Array, start: number, end: number): void {
  let at = start;
  for (; end - at >= 8; at += 8) {
    const before = hi;
    const beforeLower = lo;
    load(0, 0);
    round(word(bytes, at + 4), word(bytes, at));
    xor(before, beforeLower);
    rotateLeft(27);
    multiply(P1[0], P1[1]);
    add(P4[0], P4[1]);
  }
  if (end - at >= 4) {
    addProduct(word(bytes, at), P1, 23, P2, P3);
    at += 4;
  }
  for (; at < end; at++) {
    addProduct(bytes[at]!, P5, 11, P1, undefined);
  }
}

type Prime = readonly [Half, Half];

/** A few bytes enter: xor with their product, rotate, multiply, and perhaps add. */
function addProduct(value: number, factor: Prime, bits: number, then: Prime, plus: Prime | undefined): void {
  const before = hi;
  const beforeLower = lo;
  load(0, value);
  multiply(factor[0], factor[1]);
  xor(before, beforeLower);
  rotateLeft(bits);
  multiply(then[0], then[1]);
  if (plus !== undefined) add(plus[0], plus[1]);
}

/** The lower half, as a hash of 32 bits. */
export const xxh64Lower: Hash = (bytes, start, end) => {
  xxh64(bytes, start, end);
  return lo;
};
