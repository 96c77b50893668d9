// Local times of a zone as instants, by the rules of the time zone database that the runtime has.

/** Offsets change at quarters of an hour only, so one look-up serves a quarter of local time. */
const BUCKET_MS = 15 * 60_000;

export type TimeZone = {
  /** The instant, in milliseconds, of a local time given as if it were UTC. A time that comes twice is the first one. */
  instantOf(localMs: number): number;
};

/** Whether the runtime knows the zone, as in `Europe/Berlin`. */
export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: name }) instanceof Intl.DateTimeFormat;
  } catch {
    return false;
  }
}

export function createTimeZone(name: string): TimeZone {
  if (name === "UTC") return { instantOf: (localMs) => localMs };
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: name,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  let bucket = Number.NaN;
  let offset = 0;
  return {
    instantOf: (localMs) => {
      const of = Math.floor(localMs / BUCKET_MS);
      if (of !== bucket) {
        bucket = of;
        offset = offsetOfLocal(format, of * BUCKET_MS);
      }
      return localMs - offset;
    },
  };
}

/** How far local time is ahead of UTC at a local time: the earlier instant's where there are two. */
function offsetOfLocal(format: Intl.DateTimeFormat, localMs: number): number {
  const before = offsetAt(format, localMs - 24 * 3_600_000);
  const at = offsetAt(format, localMs - before);
  return at === before || offsetAt(format, localMs - at) === before ? before : at;
}

/** How far local time is ahead of UTC at an instant, in milliseconds. */
function offsetAt(format: Intl.DateTimeFormat, ms: number): number {
  const parts: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(ms)) parts[type] = Number(value);
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(ms / 1000) * 1000;
}

/** Names of zones that logs write, with their offset from UTC in minutes. */
export const ZONE_MINUTES: Readonly<Record<string, number>> = {
  Z: 0,
  UTC: 0,
  GMT: 0,
  WET: 0,
  WEST: 60,
  BST: 60,
  CET: 60,
  CEST: 120,
  MEZ: 60,
  MESZ: 120,
  EET: 120,
  EEST: 180,
  MSK: 180,
  IST: 330,
  HKT: 480,
  SGT: 480,
  AWST: 480,
  JST: 540,
  KST: 540,
  AEST: 600,
  AEDT: 660,
  NZST: 720,
  NZDT: 780,
  BRT: -180,
  AST: -240,
  EDT: -240,
  EST: -300,
  CDT: -300,
  CST: -360,
  MDT: -360,
  MST: -420,
  PDT: -420,
  PST: -480,
  AKDT: -480,
  AKST: -540,
  HST: -600,
};
