// What is unwise about a placement, or about a change of it, in sentences.
import type { HashName } from "./hashes.ts";
import type { Locate } from "./node.ts";
import type { Distribution, PlacementSettings } from "./placement.ts";

/** A placement with the names of its shards, in their order. */
export type Placed = {
  readonly names: readonly string[];
  readonly locate: Locate;
  readonly settings: PlacementSettings;
};

/** Distributions where a shard's place in the list decides what it owns. */
const ORDERED = new Set<Distribution>(["modula", "jump", "redis-cluster"]);
/** Neighbouring keys may be on the same shard somewhat more often than by chance. */
const MAX_EXCESS = 0.25;
const SAMPLE = 10_000;

/** Warnings about the placement that is to be, and about what changes beside the shards. */
export function adviseOn(before: Placed, after: Placed): string[] {
  return [...warningsOf(after), ...changeWarnings(before, after)];
}

function warningsOf(placed: Placed): string[] {
  const { distribution, hash } = placed.settings;
  if (placed.names.length === 1 || distribution === "random") return [];
  if (distribution === "ketama" && hash === "crc32") {
    return [
      "crc32 with ketama: this crc32 has 15 bits only, so all keys fall on the first points of the ring; crc32a has all 32",
    ];
  }
  const { found, expected } = neighbours(placed);
  if ((found - expected) / (1 - expected) <= MAX_EXCESS) return [];
  const cure = isFnv(distribution, hash) ? "; md5, murmur or one_at_a_time spread them" : "";
  return [
    `${nameOf(placed.settings)} puts ${percent(found)} of neighbouring keys such as key:1 and key:2 on the same shard, ${percent(expected)} would be even${cure}`,
  ];
}

function changeWarnings(before: Placed, after: Placed): string[] {
  const warnings: string[] = [];
  const { distribution } = after.settings;
  if (nameOf(before.settings) !== nameOf(after.settings)) {
    warnings.push(`${nameOf(before.settings)} becomes ${nameOf(after.settings)}: nearly all keys move`);
  } else if (ORDERED.has(distribution) && isReordered(before.names, after.names)) {
    warnings.push(`${distribution} depends on the order of the shards, and those that stay are in another order`);
  }
  return warnings;
}

const isFnv = (distribution: Distribution, hash: HashName): boolean =>
  distribution === "ketama" && hash.startsWith("fnv");

const nameOf = ({ distribution, hash }: PlacementSettings): string =>
  distribution === "ketama" || distribution === "modula" ? `${distribution} with ${hash}` : distribution;

const percent = (share: number): string => `${Math.round(share * 100)} %`;

/** How often keys that differ by one number are on the same shard, and how often they would be by chance. */
function neighbours({ names, locate }: Placed): { found: number; expected: number } {
  const load = new Float64Array(names.length);
  let same = 0;
  let last = -1;
  for (let i = 0; i < SAMPLE; i++) {
    const key = Buffer.from(`key:${i}`);
    const shard = locate(key, 0, key.length);
    load[shard]! += 1 / SAMPLE;
    if (shard === last) same++;
    last = shard;
  }
  const expected = load.reduce((sum, share) => sum + share * share, 0);
  return { found: same / (SAMPLE - 1), expected };
}

function isReordered(before: readonly string[], after: readonly string[]): boolean {
  const left = before.filter((name) => after.includes(name));
  const right = after.filter((name) => before.includes(name));
  return left.some((name, i) => name !== right[i]);
}
