// Placements that are unwise are said to be, and only those.
import { expect, test } from "vitest";

import { adviseOn } from "./advice.ts";
import type { Placed } from "./advice.ts";
import type { HashName } from "./hashes.ts";
import { createPlacement } from "./placement.ts";
import type { Distribution } from "./placement.ts";

function placed(distribution: Distribution, hash: HashName, names = ["a", "b", "c", "d"]): Placed {
  const settings = { distribution, hash, hashTag: undefined };
  const nodes = names.map((name) => ({ name, weight: 1 }));
  return { names, settings, locate: createPlacement(nodes, settings) };
}

const warningsOf = (one: Placed, other = one): string[] => adviseOn(one, other);

test("crc32 with ketama is warned of, crc32a is not", () => {
  expect(warningsOf(placed("ketama", "crc32"))).toEqual([expect.stringMatching(/^crc32 with ketama: .*15 bits/)]);
  expect(warningsOf(placed("ketama", "crc32a"))).toEqual([]);
});

test.each(["fnv1_64", "fnv1a_64", "fnv1_32"] as const)("%s with ketama clusters, and is warned of", (hash) => {
  expect(warningsOf(placed("ketama", hash))).toEqual([
    expect.stringMatching(new RegExp(`^ketama with ${hash} puts \\d+ % of neighbouring keys`)),
  ]);
});

test.each([
  ["rendezvous", "fnv1a_64"],
  ["maglev", "fnv1a_64"],
  ["jump", "fnv1a_64"],
  ["redis-cluster", "fnv1a_64"],
  ["random", "fnv1a_64"],
  ["ketama", "md5"],
  ["ketama", "murmur"],
  ["ketama", "one_at_a_time"],
  ["modula", "md5"],
  ["modula", "fnv1a_64"],
] as const)("%s with %s spreads neighbouring keys, and nothing is said", (distribution, hash) => {
  expect(warningsOf(placed(distribution, hash))).toEqual([]);
});

test("shards in another order are warned of where the order counts", () => {
  for (const distribution of ["modula", "jump", "redis-cluster"] as const) {
    const before = placed(distribution, "md5", ["a", "b", "c"]);
    expect(warningsOf(before, placed(distribution, "md5", ["b", "a", "c"]))).toEqual([
      `${distribution} depends on the order of the shards, and those that stay are in another order`,
    ]);
    expect(warningsOf(before, placed(distribution, "md5", ["a", "b", "c", "d"]))).toEqual([]);
  }
  const rendezvous = [placed("rendezvous", "md5", ["a", "b"]), placed("rendezvous", "md5", ["b", "a"])] as const;
  expect(warningsOf(...rendezvous)).toEqual([]);
});

test("another distribution or hash is warned of, a single shard never", () => {
  expect(warningsOf(placed("ketama", "md5"), placed("rendezvous", "md5"))).toEqual([
    "ketama with md5 becomes rendezvous: nearly all keys move",
  ]);
  expect(warningsOf(placed("ketama", "crc32", ["only"]))).toEqual([]);
});
