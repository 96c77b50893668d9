// Which shards there are, from what one look after another has found: a pod that restarts is away for a while, and must not
// take its keys along.
import type { Found } from "./lookup.ts";

export type Membership = {
  /** Takes note of a look at a time in milliseconds; gives the shards, as `--shards` has them. */
  see(found: readonly Found[], now: number): string[];
};

type Member = { address: string; seenAt: number };

/** A new shard counts when two looks in a row have found it, one that is missing does until `removalDelayMs` have passed. */
export function createMembership(removalDelayMs: number): Membership {
  const members = new Map<string, Member>();
  let before = new Set<string>();
  return {
    see: (found, now) => {
      const isFirst = members.size === 0;
      for (const { name, address } of found) {
        const member = members.get(name);
        if (member === undefined && !isFirst && !before.has(name)) continue;
        members.set(name, { address, seenAt: now });
      }
      before = new Set(found.map(({ name }) => name));
      const isGone = ({ seenAt }: Member): boolean => now - seenAt >= removalDelayMs;
      // If nothing is left at all, that is no list of shards.
      if (found.length > 0) for (const [name, member] of members) if (isGone(member)) members.delete(name);
      return [...members].sort(byName).map(([name, { address }]) => `${address} ${name}`);
    },
  };
}

/** redis-2 comes before redis-10: with some distributions the order counts. */
const byName = ([a]: [string, Member], [b]: [string, Member]): number => a.localeCompare(b, "en", { numeric: true });
