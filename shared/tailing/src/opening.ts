// Finds and opens the files of one input. Everything that there is to read is open before any of it is read: reading may take
// as long as the outputs do, and what is open can be renamed and deleted without being missed.
import type { Mark } from "./checkpoint.ts";
import { pathsOf } from "./glob.ts";
import { createMemory } from "./memory.ts";
import type { Memory } from "./memory.ts";
import { createPatience } from "./patience.ts";
import type { Patience } from "./patience.ts";
import { createPlaces, raise } from "./places.ts";
import type { Place, Places } from "./places.ts";
import { MAX_TRIES, fileAt, findContinuation, findLater, keyOf } from "./siblings.ts";
import type { Found } from "./siblings.ts";
import { createTails } from "./tails.ts";
import type { Followed, OpeningSettings, Tails } from "./tails.ts";

export type Opening = {
  /** Opens all that is new; resolves to those that lie where the pattern says, by device and inode. */
  discover(): Promise<ReadonlySet<string>>;
  /** Marks of the last run whose files have not been opened yet. */
  unopened(): readonly Mark[];
  readonly tails: Tails;
  readonly memory: Memory;
  readonly places: Places;
};

type State = Pick<Opening, "tails" | "memory" | "places"> & {
  readonly pattern: string;
  readonly patience: Patience;
  unopened: readonly Mark[];
  /** Until everything that there was has been found once. */
  isFirst: boolean;
};

export function createOpening(settings: OpeningSettings, marks: readonly Mark[]): Opening {
  const memory = createMemory(marks, (key) => tails.followed.has(key));
  const tails = createTails(settings, memory);
  const places = createPlaces(marks);
  const state: State = {
    pattern: settings.pattern,
    tails,
    memory,
    places,
    patience: createPatience(tails.followed),
    unopened: marks,
    isFirst: true,
  };
  return { discover: () => discover(state), unopened: () => state.unopened, tails, memory, places };
}

/** A rotation that goes on meanwhile gives files other names: then it looks again, and again at the next look. */
async function discover(state: State): Promise<ReadonlySet<string>> {
  for (let tries = 1; ; tries++) {
    const files = await Promise.all((await pathsOf(state.pattern)).map(fileAt));
    const found = files.filter((file) => file !== undefined);
    const current = new Set(found.map(({ key }) => key));
    const isWhole = await openAll(state, found, current);
    if (isWhole) state.isFirst = false;
    if (!isWhole && tries < MAX_TRIES) continue;
    state.patience.forgetAllBut(current);
    return current;
  }
}

/**
 * What lies in its place is opened before what was rotated is looked for: so nothing can slip through between the two. Says
 * whether each was found where it was looked for.
 */
async function openAll(state: State, found: readonly Found[], current: ReadonlySet<string>): Promise<boolean> {
  const inPlace = (one: Found): Promise<boolean> => openInPlace(state, one);
  const keys = new Map(found.map(({ path, key }) => [path, key]));
  const steps = [
    await each(
      found.filter(({ key }) => state.memory.has(key)),
      inPlace,
    ),
    await openMarked(state),
    await each(found, inPlace),
    await each(state.places.all(), (place) => openBetween(state, place, { key: keys.get(place.path), current })),
  ];
  return steps.every(Boolean);
}

async function openInPlace({ places, tails, patience, memory }: State, found: Found): Promise<boolean> {
  const place = places.at(found.path, found.mtimeMs);
  if (tails.followed.has(found.key) || (await patience.waits(found))) return true;
  return tails.open(place, found, await memory.markOf(found.path, found.key));
}

/** Opens the files of the last run that do not lie in their places: renamed, copied and cut back, compressed. */
async function openMarked(state: State): Promise<boolean> {
  const { memory, places, tails } = state;
  const rest: Mark[] = [];
  const isWhole = await each(state.unopened, async (mark) => {
    if (tails.followed.get(keyOf(mark))?.tail.isContinued === true) return true;
    const found = await findContinuation(mark);
    if (found === undefined || tails.followed.has(found.key)) return true;
    // How far a file itself was read says more than how far one was that it is a copy of.
    if (!memory.has(found.key)) memory.remember(found.key, mark);
    const isThere = await tails.open(places.at(mark.path, 0), found, await memory.markOf(found.path, found.key));
    if (!tails.followed.has(found.key)) rest.push(mark);
    return isThere;
  });
  state.unopened = rest;
  return isWhole;
}

/** Opens what came to lie at the place after the latest that was seen there, and went before anybody looked. */
async function openBetween(
  { tails, memory, patience, isFirst }: State,
  place: Place,
  { key, current }: { key: string | undefined; current: ReadonlySet<string> },
): Promise<boolean> {
  const { followed } = tails;
  if (!isFirst && !isChanged(place, key, followed)) return true;
  place.isSettled = false;
  // What waits, or cannot be opened, has its turn later.
  if (key !== undefined && !followed.has(key)) return true;
  // It may have been written after it was read last.
  await raiseTo(place, followed.get(place.latest ?? ""));
  const isResumed = isFirst && key !== undefined && followed.get(key)!.tail.isContinued;
  const later = isResumed ? [] : await findLater(place);
  const isWhole = await each(later, async (found) => {
    if (current.has(found.key) || followed.has(found.key) || (await patience.isCompressed(found))) return true;
    return tails.open(place, found, await memory.markOf(found.path, found.key));
  });
  if (isWhole) settle(place, key, later.at(-1)?.key);
  return isWhole;
}

async function raiseTo(place: Place, latest: Followed | undefined): Promise<void> {
  if (latest !== undefined) raise(place, await latest.tail.lastWrite());
}

/** While nothing lies there, it is looked for as long as what did is still read. */
const isChanged = ({ latest }: Place, key: string | undefined, followed: Tails["followed"]): boolean =>
  key === undefined ? followed.has(latest ?? "") : key !== latest;

/** All is known of what lay there. */
function settle(place: Place, key: string | undefined, last: string | undefined): void {
  place.latest = key ?? last ?? place.latest;
  place.isSettled = true;
  place.missed = undefined;
  if (key !== undefined) place.left = undefined;
}

async function each<T>(all: Iterable<T>, open: (one: T) => Promise<boolean>): Promise<boolean> {
  let isWhole = true;
  for (const one of all) if (!(await open(one))) isWhole = false;
  return isWhole;
}
