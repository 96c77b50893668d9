// What a change of shards means: how many keys move, from whom to whom, and what each shard has afterwards.
import type { Locate } from "./node.ts";

/** A lookup with the names of what it finds. */
export type Named = { readonly names: readonly string[]; readonly locate: Locate };

export type Plan = {
  /** The share of the keys that another shard owns afterwards. */
  readonly moved: number;
  /** The same by shards, the largest first. */
  readonly moves: readonly { readonly from: string; readonly to: string; readonly share: number }[];
  /** What share of the keys each shard owns before and after; 0 for one that is not there. */
  readonly load: readonly { readonly shard: string; readonly before: number; readonly after: number }[];
};

/** How many keys are asked about. */
const SAMPLE = 10_000;

/** Looks where a sample of keys is before and after. Shards of the same name are the same, wherever they are. */
export function planMove(before: Named, after: Named): Plan {
  const moves = new Map<string, { from: string; to: string; share: number }>();
  const load = new Map<string, { shard: string; before: number; after: number }>();
  for (const shard of [...before.names, ...after.names]) load.set(shard, { shard, before: 0, after: 0 });
  let moved = 0;
  for (let i = 0; i < SAMPLE; i++) {
    const key = Buffer.from(`key:${i}`);
    const from = ownerOf(before, key);
    const to = ownerOf(after, key);
    load.get(from)!.before += 1 / SAMPLE;
    load.get(to)!.after += 1 / SAMPLE;
    if (from === to) continue;
    moved++;
    const move = moves.get(`${from}\0${to}`) ?? { from, to, share: 0 };
    moves.set(`${from}\0${to}`, move);
    move.share += 1 / SAMPLE;
  }
  return {
    moved: moved / SAMPLE,
    moves: [...moves.values()].map((move) => ({ ...move, share: rounded(move.share) })).sort(byShare),
    load: [...load.values()].map((one) => ({ ...one, before: rounded(one.before), after: rounded(one.after) })),
  };
}

const ownerOf = ({ names, locate }: Named, key: Uint8Array): string => names[locate(key, 0, key.length)]!;
const rounded = (share: number): number => Math.round(share * SAMPLE) / SAMPLE;
const byShare = (a: { share: number }, b: { share: number }): number => b.share - a.share;
