// Jump consistent hashing (Lamping and Veach): no table at all, but nodes can only be added and taken away at the end.
import type { Locate, Node } from "./node.ts";
import { add, multiply, upper, xxh64 } from "./xxh64.ts";

// 2862933555777941757, as two halves.
const UPPER = 0x27bb2ee6;
const LOWER = 0x87b0b0fd | 0;

/** The bucket of what was loaded into the 64-bit register of xxh64. */
export function jumpBucket(count: number): number {
  let bucket = -1;
  let next = 0;
  while (next < count) {
    bucket = next;
    multiply(UPPER, LOWER);
    add(0, 1);
    next = Math.floor((bucket + 1) * (2 ** 31 / ((upper() >>> 1) + 1)));
  }
  return bucket;
}

export function jump(nodes: readonly Node[]): Locate {
  return (key, start, end) => {
    xxh64(key, start, end);
    return jumpBucket(nodes.length);
  };
}
