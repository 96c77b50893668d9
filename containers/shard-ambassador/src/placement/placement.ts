// Which shard owns a key: the distribution, the hash it uses, and the hash tag, put together.
import type { Hash } from "./hash.ts";
import { HASHES } from "./hashes.ts";
import type { HashName } from "./hashes.ts";
import { jump } from "./jump.ts";
import { ketamaPoints } from "./ketama.ts";
import { maglev } from "./maglev.ts";
import { nginxPoints } from "./nginx.ts";
import type { Locate, Node } from "./node.ts";
import { rendezvous } from "./rendezvous.ts";
import { createRing } from "./ring.ts";
import { redisCluster } from "./slots.ts";

export const DISTRIBUTIONS = [
  "rendezvous",
  "maglev",
  "jump",
  "ketama",
  "modula",
  "random",
  "nginx",
  "redis-cluster",
] as const;
export type Distribution = (typeof DISTRIBUTIONS)[number];

/** The two characters around the part of a key that is hashed in place of the whole. */
export type HashTag = { readonly open: number; readonly close: number };

export type PlacementSettings = {
  readonly distribution: Distribution;
  /** Only `ketama` and `modula` can have any; the others have their own. */
  readonly hash: HashName;
  readonly hashTag: HashTag | undefined;
};

/** Distributions whose hash can be chosen. */
export const HASH_IS_FREE: readonly Distribution[] = ["ketama", "modula"];
/** Distributions that know weights. */
export const KNOWS_WEIGHTS: readonly Distribution[] = ["rendezvous", "maglev", "ketama", "modula", "nginx"];

/** Makes the lookup. There must be at least one node; with a single one nothing is hashed. */
export function createPlacement(nodes: readonly Node[], settings: PlacementSettings): Locate {
  if (nodes.length === 1) return () => 0;
  const locate = distribute(nodes, settings);
  const { hashTag } = settings;
  return hashTag === undefined ? locate : byTag(locate, hashTag);
}

function distribute(nodes: readonly Node[], { distribution, hash }: PlacementSettings): Locate {
  switch (distribution) {
    case "rendezvous":
      return rendezvous(nodes);
    case "maglev":
      return maglev(nodes);
    case "jump":
      return jump(nodes);
    case "ketama":
      return hashed(HASHES[hash], createRing(ketamaPoints(nodes)));
    case "modula":
      return modula(nodes, HASHES[hash]);
    case "random":
      return () => Math.floor(Math.random() * nodes.length);
    case "nginx":
      return hashed(HASHES.crc32a, createRing(nginxPoints(nodes)));
    case "redis-cluster":
      return redisCluster(nodes);
  }
}

/** twemproxy: an empty key has the hash 0, whatever the function. */
const hashed =
  (hash: Hash, owner: (hash: number) => number): Locate =>
  (key, start, end) =>
    owner(start === end ? 0 : hash(key, start, end));

/** Each node as many times as it weighs, in order. */
function modula(nodes: readonly Node[], hash: Hash): Locate {
  const places = Uint32Array.from(nodes.flatMap(({ weight }, node) => Array.from({ length: weight }, () => node)));
  return hashed(hash, (value) => places[(value >>> 0) % places.length]!);
}

/** Only what stands between the tag's characters, if it is not empty, decides. */
function byTag(locate: Locate, { open, close }: HashTag): Locate {
  return (key, start, end) => {
    const opened = indexOf(key, open, start, end);
    if (opened === -1) return locate(key, start, end);
    const closed = indexOf(key, close, opened + 1, end);
    return closed > opened + 1 ? locate(key, opened + 1, closed) : locate(key, start, end);
  };
}

function indexOf(bytes: Uint8Array, byte: number, start: number, end: number): number {
  for (let i = start; i < end; i++) if (bytes[i] === byte) return i;
  return -1;
}
