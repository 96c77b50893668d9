// The places where files come to lie, one after the other, and up to when it is known what lay there. No file comes and goes
// unseen: what is newer than that time, and was rotated from the place, is looked for beside it.
import type { Mark } from "./checkpoint.ts";

export type Place = {
  readonly path: string;
  /** No file of the place that was written last up to this time is unknown; in milliseconds since the epoch. */
  since: number;
  /** Whether what came and went since then has been looked for: else a later time would hide it. */
  isSettled: boolean;
  /** The latest file that was opened, by device and inode. */
  latest: string | undefined;
  /** A file that was seen there, but went before it could be opened. */
  missed: string | undefined;
  /** Where the latest was left off when it was let go and nothing had come after it. */
  left: Mark | undefined;
};

export type Places = {
  /** The place at a path; one that is new begins at a time. */
  at(path: string, since: number): Place;
  all(): Iterable<Place>;
  /** The clock was set back to `now`, in milliseconds: what is written from now on looks older than what is known. */
  setBack(now: number): void;
  /** Forgets places where nothing has been for long; those that were left first. */
  prune(isInUse: (place: Place) => boolean): void;
};

/** Places that are remembered while nothing lies there. */
const MAX_EMPTY = 64;

export function createPlaces(marks: readonly Mark[]): Places {
  const places = new Map<string, Place>();
  for (const mark of marks) raise(at(mark.path, 0), mark.writtenAt);
  setBack(Date.now());
  return { at, all: () => places.values(), setBack, prune };

  function at(path: string, since: number): Place {
    const known = places.get(path);
    if (known !== undefined) return known;
    const place: Place = { path, since, isSettled: false, latest: undefined, missed: undefined, left: undefined };
    places.set(path, place);
    return place;
  }

  function setBack(now: number): void {
    for (const place of places.values()) place.since = Math.min(place.since, now);
  }

  function prune(isInUse: (place: Place) => boolean): void {
    if (places.size <= MAX_EMPTY) return;
    const empty = [...places.values()].filter((place) => !isInUse(place));
    for (const { path } of empty.slice(0, Math.max(0, empty.length - MAX_EMPTY))) places.delete(path);
  }
}

/** All that was written up to then is known. */
export function raise(place: Place, writtenAt: number): void {
  if (writtenAt > place.since) place.since = writtenAt;
}
