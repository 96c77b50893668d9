// Shards are ejected by how often they have failed, and never too many.
import { expect, test } from "vitest";

import { ejectedOf } from "./ejection.ts";

const shardsWith = (...failures: number[]): { failures(): number }[] =>
  failures.map((count) => ({ failures: () => count }));
const ejected = (failures: number[], maxShare: number, before: number[] = []): number[] => {
  const shards = shardsWith(...failures);
  const set = ejectedOf(shards, new Set(before.map((i) => shards[i]!)), { failureLimit: 3, maxShare });
  return shards.flatMap((shard, i) => (set.has(shard) ? [i] : []));
};

test("a shard is ejected at the limit, not before", () => {
  expect(ejected([0, 2, 3, 4], 1)).toEqual([2, 3]);
});

test("no more are ejected than the cap allows, and those that are stay it", () => {
  expect(ejected([3, 3, 3, 0], 0.5)).toEqual([0, 1]);
  expect(ejected([3, 3, 3, 0], 0.5, [2])).toEqual([0, 2]);
  expect(ejected([3, 3, 3, 0], 0)).toEqual([]);
});

test("at least one shard keeps its keys", () => {
  expect(ejected([3, 3], 1)).toEqual([0]);
  expect(ejected([3], 1)).toEqual([]);
});
