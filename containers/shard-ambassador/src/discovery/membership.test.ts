import { expect, test } from "vitest";

import { parseSource } from "./lookup.ts";
import { createMembership } from "./membership.ts";

const found = (...names: string[]) => names.map((name, i) => ({ name, address: `10.0.0.${i + 1}:6379` }));

test("the first look counts at once, later a new shard only when it is found twice in a row", () => {
  const { see } = createMembership(60_000);
  expect(see([], 0)).toEqual([]);
  expect(see(found("redis-0", "redis-1"), 1000)).toEqual(["10.0.0.1:6379 redis-0", "10.0.0.2:6379 redis-1"]);
  expect(see(found("redis-0", "redis-1", "redis-2"), 2000)).toHaveLength(2);
  expect(see(found("redis-0", "redis-1"), 3000)).toHaveLength(2);
  expect(see(found("redis-0", "redis-1", "redis-2"), 4000)).toHaveLength(2);
  expect(see(found("redis-0", "redis-1", "redis-2"), 5000)).toHaveLength(3);
});

test("a shard that is missing keeps its place until the delay has passed, and nothing at all takes none away", () => {
  const { see } = createMembership(60_000);
  see(found("redis-0", "redis-1"), 0);
  expect(see(found("redis-0"), 59_000)).toEqual(["10.0.0.1:6379 redis-0", "10.0.0.2:6379 redis-1"]);
  expect(see([], 70_000)).toHaveLength(2);
  expect(see(found("redis-0"), 71_000)).toEqual(["10.0.0.1:6379 redis-0"]);
});

test("another address of a shard counts at once, and the order is that of the numbers in the names", () => {
  const { see } = createMembership(60_000);
  expect(see(found("redis-10", "redis-2", "redis-1"), 0).map((shard) => shard.split(" ")[1])).toEqual([
    "redis-1",
    "redis-2",
    "redis-10",
  ]);
  expect(see([{ name: "redis-2", address: "10.9.9.9:6379" }], 1000)).toContain("10.9.9.9:6379 redis-2");
});

test.each([
  ["srv:_redis._tcp.redis.default.svc.cluster.local", "srv"],
  ["ordinals:redis-{}.redis.default.svc:6379", "ordinals"],
  ["ordinals:redis.default.svc:6379", undefined],
  ["ordinals:redis-{}.redis", undefined],
  ["ordinals:redis-{}:0", undefined],
  ["srv:", undefined],
  ["redis:6379", undefined],
])("%s is a source of the kind %s", (text, kind) => {
  expect(parseSource(text)?.kind).toBe(kind);
});
