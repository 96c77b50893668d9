// Which keys are asked for most, of late: a bounded sketch of a sample of the requests.
import { HASHES } from "../placement/hashes.ts";

export type HotKey = {
  /** As text; long ones are cut. */
  readonly key: string;
  /** Of the requests of late, from 0 to 1. */
  readonly share: number;
};

export type HotKeys = {
  /** A request for the key in this range. */
  see(bytes: Uint8Array, start: number, end: number): void;
  /** Time goes on: what was counts for less. */
  age(): void;
  /** The hottest, in order. */
  top(count: number): HotKey[];
};

/** One request of so many is looked at, on average; a power of two. */
const SAMPLING = 16;
const WAYS = 4;
const SETS = 256;
const MAX_SHOWN = 256;
/** Of fewer requests nothing can be said. */
const ENOUGH = 50;

/**
 * The counters of Metwally's Space-Saving, in sets of four: a key that has none takes over the smallest of its set, with
 * its count, and remembers how much of that is not its own.
 */
export function createHotKeys(): HotKeys {
  const hashes = new Uint32Array(SETS * WAYS);
  const counts = new Float64Array(SETS * WAYS);
  const errors = new Float64Array(SETS * WAYS);
  const keys: (Buffer | undefined)[] = Array.from({ length: SETS * WAYS });
  let total = 0;
  let random = 0x9e3779b9;
  let skip = 0;

  function sample(bytes: Uint8Array, start: number, end: number): void {
    // Not every sixteenth, which may be the same one each time: as many as a generator of Marsaglia's says.
    random ^= random << 13;
    random ^= random >>> 17;
    random ^= random << 5;
    skip = random & (SAMPLING * 2 - 1);
    total++;
    const hash = HASHES.xxh64(bytes, start, end) >>> 0;
    const set = (hash % SETS) * WAYS;
    let smallest = set;
    for (let at = set; at < set + WAYS; at++) {
      if (keys[at] !== undefined && hashes[at] === hash) {
        counts[at]!++;
        return;
      }
      if (counts[at]! < counts[smallest]!) smallest = at;
    }
    hashes[smallest] = hash;
    keys[smallest] = Buffer.from(bytes.subarray(start, Math.min(end, start + MAX_SHOWN)));
    errors[smallest] = counts[smallest]!;
    counts[smallest]!++;
  }

  return {
    see: (bytes, start, end) => {
      if (skip > 0) skip--;
      else sample(bytes, start, end);
    },
    age: () => {
      total /= 2;
      for (let at = 0; at < counts.length; at++) {
        counts[at]! /= 2;
        errors[at]! /= 2;
      }
    },
    top: (count) => {
      if (total < ENOUGH) return [];
      const sure = Array.from(counts, (seen, at) => ({ at, seen: seen - errors[at]! }));
      const hottest = sure.filter(({ seen }) => seen >= 1).sort((a, b) => b.seen - a.seen);
      return hottest.slice(0, count).map(({ at, seen }) => ({ key: keys[at]!.toString(), share: seen / total }));
    },
  };
}
