// What a change of shards is said to mean.
import { expect, test } from "vitest";

import type { Locate } from "./node.ts";
import { createPlacement } from "./placement.ts";
import { planMove } from "./plan.ts";
import type { Named } from "./plan.ts";

const byLastDigit =
  (owner: (digit: number) => number): Locate =>
  (key, _, end) =>
    owner(key[end - 1]! - 48);

test("the share that moves is told, from whom to whom, with the load before and after", () => {
  const before: Named = { names: ["a", "b"], locate: byLastDigit((digit) => (digit < 5 ? 0 : 1)) };
  const after: Named = { names: ["b", "c"], locate: byLastDigit((digit) => (digit < 3 ? 0 : digit < 9 ? 1 : 0)) };
  expect(planMove(before, after)).toEqual({
    moved: 0.9,
    moves: [
      { from: "b", to: "c", share: 0.4 },
      { from: "a", to: "b", share: 0.3 },
      { from: "a", to: "c", share: 0.2 },
    ],
    load: [
      { shard: "a", before: 0.5, after: 0 },
      { shard: "b", before: 0.5, after: 0.4 },
      { shard: "c", before: 0, after: 0.6 },
    ],
  });
});

test("nothing moves when only the order changes", () => {
  const named = (names: string[]): Named => ({
    names,
    locate: createPlacement(
      names.map((name) => ({ name, weight: 1 })),
      { distribution: "rendezvous", hash: "fnv1a_64", hashTag: undefined },
    ),
  });
  expect(planMove(named(["a", "b", "c"]), named(["c", "a", "b"]))).toMatchObject({ moved: 0, moves: [] });
});
