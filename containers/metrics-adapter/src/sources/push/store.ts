// What has been pushed: kept between scrapes, since nobody can be asked again. Series that are not pushed for their time to
// live vanish; there are never more than the bound.
import { setImmediate as nextTurn } from "node:timers/promises";

import type { Labels, MetricType, Series } from "../../exposition/model.ts";
import { keyOf } from "../../exposition/page.ts";
import type { Section } from "../../source.ts";
import type { Distribution, DistributionSettings } from "./distribution.ts";
import { createDistribution } from "./distribution.ts";

export type StoredType = "counter" | "gauge" | "observer" | "set";

/** One series. Whoever holds it writes to it as long as it is live. */
export type Stored = {
  readonly labels: Labels;
  live: boolean;
  value: number;
  readonly members: Set<string>;
  readonly distribution: Distribution | undefined;
  readonly ttlMs: number;
  /** When it was last pushed, in milliseconds; only kept where it has a time to live. */
  seenAt: number;
  readonly origin: string;
};

export type Wanted = {
  readonly name: string;
  readonly type: StoredType;
  readonly help: string;
  readonly labels: Labels;
  readonly ttlMs: number;
  readonly distribution: DistributionSettings;
  readonly origin: string;
};

export type Store = {
  /** The series, made if it is new. A text says why there is none. */
  series(wanted: Wanted): Stored | "conflict" | "full";
  /** Adds a member to a set. */
  addMember(stored: Stored, member: string): void;
  /** Puts all series on a page, in slices. */
  collect(section: Section): Promise<void>;
  /** Series of each type. */
  counts(): Readonly<Record<StoredType, number>>;
};

type Family = {
  readonly type: StoredType;
  readonly shownAs: MetricType;
  readonly help: string;
  readonly series: Map<string, Stored>;
};

const SLICE = 500;
/** How often a full store looks for what has expired, beside scrapes. */
const EXPIRE_MS = 1000;
/** Members of all sets that are told apart; further ones are not counted. */
const MAX_MEMBERS = 200_000;

export function createStore({ maxSeries, now }: { maxSeries: number; now: () => number }): Store {
  const families = new Map<string, Family>();
  const counts: Record<StoredType, number> = { counter: 0, gauge: 0, observer: 0, set: 0 };
  let total = 0;
  let members = 0;
  let expiredAt = 0;

  const expire = (): void => {
    expiredAt = now();
    for (const [name, family] of families) {
      for (const [key, stored] of family.series) {
        if (stored.ttlMs === 0 || expiredAt - stored.seenAt <= stored.ttlMs) continue;
        stored.live = false;
        members -= stored.members.size;
        family.series.delete(key);
        counts[family.type]--;
        total--;
      }
      if (family.series.size === 0) families.delete(name);
    }
  };
  /** Looks for what has expired, but not for every line that has no room. */
  const isFull = (): boolean => {
    if (total >= maxSeries && now() - expiredAt >= EXPIRE_MS) expire();
    return total >= maxSeries;
  };

  return {
    series: (wanted) => {
      const { name, type, help, labels, distribution } = wanted;
      const shown = shownAs(type, distribution);
      const family = families.get(name) ?? { type, shownAs: shown, help, series: new Map<string, Stored>() };
      if (family.type !== type || family.shownAs !== shown) return "conflict";
      const key = keyOf(labels);
      const known = family.series.get(key);
      if (known !== undefined) return known;
      if (isFull()) return "full";
      const made = createStored(wanted, now);
      families.set(name, family);
      family.series.set(key, made);
      counts[type]++;
      total++;
      return made;
    },
    addMember: (stored, member) => {
      if (members >= MAX_MEMBERS || stored.members.has(member)) return;
      stored.members.add(member);
      members++;
      stored.value = stored.members.size;
    },
    collect: (section) => {
      expire();
      return addAll(section, families);
    },
    counts: () => counts,
  };
}

/** Puts all series on a page; after so many, others get their turn. */
async function addAll(section: Section, families: ReadonlyMap<string, Family>): Promise<void> {
  let untilPause = SLICE;
  for (const [name, { shownAs: type, help, series }] of families) {
    const family = section.family({ name, type, help });
    for (const stored of series.values()) {
      family.add(seriesOf(stored), stored.origin);
      if (--untilPause > 0) continue;
      untilPause = SLICE;
      await nextTurn();
    }
  }
}

const createStored = ({ type, labels, ttlMs, distribution, origin }: Wanted, now: () => number): Stored => ({
  labels,
  live: true,
  value: 0,
  members: new Set(),
  distribution: type === "observer" ? createDistribution(distribution, now) : undefined,
  ttlMs,
  seenAt: now(),
  origin,
});

const shownAs = (type: StoredType, distribution: DistributionSettings): MetricType =>
  type === "observer" ? distribution.type : type === "set" ? "gauge" : type;

function seriesOf({ labels, value, distribution }: Stored): Series {
  return distribution === undefined ? { labels, value } : { labels, ...distribution.read() };
}
