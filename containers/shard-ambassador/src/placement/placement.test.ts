// Where keys land: golden values of twemproxy and nginx, and what each distribution promises.
import { assert, constantFrom, integer, property, string } from "fast-check";
import { describe, expect, test } from "vitest";

import { jumpBucket } from "./jump.ts";
import { ketamaName, ketamaPoints } from "./ketama.ts";
import { nginxPoints } from "./nginx.ts";
import type { Node } from "./node.ts";
import { createPlacement, DISTRIBUTIONS } from "./placement.ts";
import type { Distribution, PlacementSettings } from "./placement.ts";
import { sorted } from "./ring.ts";
import { load } from "./xxh64.ts";

const BRACES = { open: 0x7b, close: 0x7d };
const nodesOf = (names: readonly string[], weights: readonly number[] = []): Node[] =>
  names.map((name, at) => ({ name, weight: weights[at] ?? 1 }));

type Where = (key: string) => number;
function where(nodes: readonly Node[], settings: Partial<PlacementSettings>): Where {
  const locate = createPlacement(nodes, {
    distribution: "ketama",
    hash: "fnv1a_64",
    hashTag: undefined,
    ...settings,
  });
  return (key) => {
    const bytes = Buffer.from(key);
    return locate(bytes, 0, bytes.length);
  };
}

const KEYS = Array.from({ length: 20_000 }, (_, i) => `user:${i * 7}:session`);
const SHARDS = ["alpha", "beta", "gamma", "delta", "epsilon"];

describe("twemproxy's ketama", () => {
  test("places the keys of a pool with names where twemproxy does", () => {
    const nodes = nodesOf(["server1", "server2", "server3", "server4"]);
    const points = sorted(ketamaPoints(nodes));
    expect(points).toHaveLength(640);
    expect(points[0]).toEqual({ value: 9796559, node: 2 });
    expect(points.at(-1)).toEqual({ value: 4290847573, node: 3 });
    const at = where(nodes, { hashTag: BRACES });
    const keys = ["foo", "bar", "user:1", "user:{user1}:ids", "session:abc", "héllo", "k0", "k1", "k5"];
    expect(keys.map(at)).toEqual([0, 3, 2, 2, 3, 2, 2, 2, 2]);
  });

  test("places the keys of a pool with addresses where twemproxy does", () => {
    const names = Array.from({ length: 10 }, (_, i) => ketamaName("127.0.0.1", 11_214 + i));
    expect(ketamaPoints(nodesOf(names))).toHaveLength(1600);
    expect(["foo", "bar", "k0", "k1", "k2", "k3"].map(where(nodesOf(names), {}))).toEqual([1, 6, 6, 6, 6, 6]);
  });

  test("places the keys of a StatefulSet of three where twemproxy does, and moves a quarter to a fourth", () => {
    const names = [0, 1, 2, 3].map((i) => ketamaName(`sharded-redis-${i}.redis`, 6379));
    const three = where(nodesOf(names.slice(0, 3)), {});
    expect(["foo", "bar", "user:1", "user:1000", "a", "hello world", "café"].map(three)).toEqual([0, 0, 0, 1, 1, 0, 2]);
    const keys = Array.from({ length: 10_000 }, (_, i) => `key:${i * 10}`);
    expect([0, 1, 2].map((shard) => keys.filter((key) => three(key) === shard).length)).toEqual([3184, 3281, 3535]);
    const four = where(nodesOf(names), {});
    expect(keys.filter((key) => three(key) !== four(key))).toHaveLength(2563);
  });

  test("weighs as C's float does", () => {
    const count = (weights: number[]): number[] => {
      const points = ketamaPoints(nodesOf(SHARDS.slice(0, weights.length), weights));
      return weights.map((_, node) => points.filter((point) => point.node === node).length);
    };
    expect(count([1, 2])).toEqual([104, 212]);
    expect(count([3, 1, 1]).reduce((sum, points) => sum + points)).toBe(480);
  });

  test("leaves memcached's port out of the name", () => {
    expect(ketamaName("cache-0", 11_211)).toBe("cache-0");
    expect(ketamaName("cache-0", 11_212)).toBe("cache-0:11212");
  });

  test("gives an empty key the hash 0", () => {
    const nodes = nodesOf(SHARDS);
    expect(where(nodes, { hash: "md5" })("")).toBe(sorted(ketamaPoints(nodes))[0]!.node);
  });
});

test("nginx's points are a chain of CRC-32, 160 for each unit of weight, without duplicates", () => {
  const points = nginxPoints(nodesOf(["10.0.0.1:8080", "10.0.0.2:8080"], [1, 3]));
  expect(points.length).toBeGreaterThan(630);
  expect(points.length).toBeLessThanOrEqual(640);
  expect(new Set(points.map(({ value }) => value)).size).toBe(points.length);
});

test.each([
  [42, 57, 43],
  [0xdead10cc, 666, 361],
  [256, 1024, 520],
])("jump puts the key %i among %i buckets into bucket %i", (key, count, expected) => {
  load(0, key | 0);
  expect(jumpBucket(count)).toBe(expected);
});

test("Redis Cluster's slots are shared out as redis-cli does", () => {
  const at = where(nodesOf(["a", "b", "c"]), { distribution: "redis-cluster" });
  // Slots 12182, 5061 and 866; the ranges are 0-5460, 5461-10922 and 10923-16383.
  expect(["foo", "bar", "hello"].map(at)).toEqual([2, 0, 0]);
});

test("modula repeats a node as often as it weighs", () => {
  const at = where(nodesOf(["a", "b"], [3, 1]), { distribution: "modula", hash: "crc32a" });
  const share = KEYS.filter((key) => at(key) === 0).length / KEYS.length;
  expect(share).toBeGreaterThan(0.73);
  expect(share).toBeLessThan(0.77);
});

test("random reaches every node", () => {
  const at = where(nodesOf(SHARDS), { distribution: "random" });
  expect(new Set(KEYS.map(at)).size).toBe(SHARDS.length);
});

const stable = DISTRIBUTIONS.filter((distribution) => distribution !== "random");
const hashOf = (distribution: Distribution) => (distribution === "modula" ? "md5" : "murmur");
const whereBy = (distribution: Distribution, nodes: readonly Node[]): Where =>
  where(nodes, { distribution, hash: hashOf(distribution) });

describe.each(stable)("%s", (distribution) => {
  test("always gives the same key the same shard", () => {
    assert(
      property(string({ unit: "binary" }), integer({ min: 1, max: 12 }), (key, count) => {
        const nodes = nodesOf(Array.from({ length: count }, (_, i) => `shard-${i}`));
        const shard = whereBy(distribution, nodes)(key);
        expect(whereBy(distribution, nodes)(key)).toBe(shard);
        expect(shard).toBeLessThan(count);
      }),
    );
  });

  test("spreads keys evenly enough", () => {
    const at = whereBy(distribution, nodesOf(SHARDS));
    const counts = SHARDS.map((_, shard) => KEYS.filter((key) => at(key) === shard).length);
    // A ring of 160 points for each node is as uneven as that; the others are close to even.
    const tolerance = distribution === "ketama" || distribution === "nginx" ? 0.35 : 0.06;
    const ideal = KEYS.length / SHARDS.length;
    for (const count of counts) expect(Math.abs(count / ideal - 1)).toBeLessThan(tolerance);
  });

  test("hashes only what stands in a hash tag that is not empty", () => {
    const nodes = nodesOf(SHARDS);
    const at = where(nodes, { distribution, hash: hashOf(distribution), hashTag: BRACES });
    const plain = whereBy(distribution, nodes);
    assert(
      property(string(), constantFrom("a", "user:7", "x{"), string(), (before, tag, after) => {
        const clean = before.replaceAll("{", "");
        expect(at(`${clean}{${tag}}${after}`)).toBe(plain(tag));
        expect(at(`${clean}{}${after}`)).toBe(plain(`${clean}{}${after}`));
        expect(at(clean)).toBe(plain(clean));
      }),
    );
  });
});

const growing = stable.filter((distribution) => distribution !== "modula" && distribution !== "redis-cluster");

test.each(growing)("%s moves about one key in five when a fifth shard comes, nearly all to it", (distribution) => {
  const before = whereBy(distribution, nodesOf(SHARDS.slice(0, 4)));
  const after = whereBy(distribution, nodesOf(SHARDS));
  const moved = KEYS.filter((key) => before(key) !== after(key));
  expect(moved.length / KEYS.length).toBeGreaterThan(0.13);
  expect(moved.length / KEYS.length).toBeLessThan(0.27);
  const elsewhere = moved.filter((key) => after(key) !== 4).length / KEYS.length;
  // Maglev shuffles a few places besides.
  expect(elsewhere).toBeLessThanOrEqual(distribution === "maglev" ? 0.04 : 0);
});

const unordered = growing.filter((distribution) => distribution !== "jump");

test.each(unordered)("%s does not mind the order of the shards", (distribution) => {
  const forth = whereBy(distribution, nodesOf(SHARDS));
  const back = whereBy(distribution, nodesOf(SHARDS.toReversed()));
  for (const key of KEYS) expect(SHARDS.at(-1 - back(key))).toBe(SHARDS[forth(key)]);
});

test.each(["rendezvous", "maglev", "ketama", "nginx"] as const)(
  "%s gives a heavier shard its share",
  (distribution) => {
    const at = whereBy(distribution, nodesOf(["a", "b", "c"], [2, 1, 1]));
    const share = KEYS.filter((key) => at(key) === 0).length / KEYS.length;
    expect(Math.abs(share - 0.5)).toBeLessThan(distribution === "ketama" || distribution === "nginx" ? 0.1 : 0.02);
  },
);
