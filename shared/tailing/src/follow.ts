// The files of one input: finds those that the pattern names, follows each, and finishes those that were moved away.
import { dirname } from "node:path";

import type { Mark } from "./checkpoint.ts";
import { pathsOf } from "./glob.ts";
import { MAX_TRIES, createMemory } from "./memory.ts";
import type { Memory } from "./memory.ts";
import { findContinuation, findLater, keyAt, keyOf, withSource } from "./siblings.ts";
import type { Found } from "./siblings.ts";
import { openTail } from "./tail.ts";
import type { Tail, TailSettings } from "./tail.ts";

export type Follower = {
  /**
   * Looks once at everything, and reads what is new. `now` is the time for all files of this look: what was written before
   * a rotation has then waited long enough whenever what was written after it has. Says how many bytes were read.
   */
  poll(now: number): Promise<number>;
  /** Ends all sinks, and closes the files. */
  end(): Promise<void>;
  marks(): Mark[];
};

export type FollowSettings = Omit<TailSettings, "restOf" | "laterOf"> & {
  readonly pattern: string;
  /** Is told of a file that cannot be read, once until it can. */
  failed(path: string, error: Error): void;
};

/** After so many looks at which a file that was moved away had nothing new, nobody writes it any more. */
const QUIET_LOOKS = 8;
/** So many looks a copy waits for its original to be cut back. */
const PATIENT_LOOKS = 40;

type Followed = {
  readonly tail: Tail;
  quiet: number;
  /** It is not where it was any more, and what came after it has been looked for. */
  isMoved: boolean;
};

export function createFollower(settings: FollowSettings, marks: readonly Mark[]): Follower {
  const memory = createMemory(marks);
  const tails = createTails(settings, memory);
  const { followed, openAt, readOf } = tails;
  const { finish, readLater } = createFinishing(settings, memory, tails);
  const waiting = new Map<string, number>();
  let unopened: readonly Mark[] = marks;
  let isFirst = true;
  return { poll, end, marks: () => [...unopened, ...[...followed.values()].map(({ tail }) => tail.mark())] };

  async function poll(now: number): Promise<number> {
    const paths = await pathsOf(settings.pattern);
    const found = await Promise.all(paths.map(async (path) => ({ path, key: await keyAt(path) })));
    const current = new Set<string>();
    for (const { key } of found) if (key !== undefined) current.add(key);
    let total = isFirst ? await readMoved(current, now) : 0;
    // Those that were moved away come first: what is in them was written before.
    for (const [key, entry] of followed) {
      if (current.has(key)) continue;
      total += await finish(key, entry, now);
      total += await readLater(entry, current, now);
    }
    for (const { path, key } of found) {
      if (key === undefined || followed.has(key) || (await waits(path, key))) continue;
      await openAt(path, await memory.markOf(path, key));
    }
    // A mark whose file is gone has served.
    if (isFirst) unopened = [];
    isFirst = false;
    for (const key of current) total += await readOf(key, now);
    return total;
  }

  async function readMoved(current: ReadonlySet<string>, now: number): Promise<number> {
    let total = 0;
    // A rotation that goes on meanwhile gives files other names before they have been opened by those that were found.
    for (let tries = 0, isWhole = false; tries < MAX_TRIES && !isWhole; tries++) {
      isWhole = true;
      for (const { path, key, mark } of await findMoved(marks, memory, current)) {
        if (followed.has(key)) continue;
        await openAt(path, mark, key);
        isWhole &&= followed.has(key);
        total += await readOf(key, now);
      }
    }
    return total;
  }

  /**
   * A copy of a file that is followed tells what was not read before that is cut back, so it waits; but not for long, as it
   * may be the file of another that happens to write the same.
   */
  async function waits(path: string, key: string): Promise<boolean> {
    const looks = waiting.get(key) ?? 0;
    const isWaiting = looks < PATIENT_LOOKS && (await isCopy(path, followed.values()));
    if (isWaiting) waiting.set(key, looks + 1);
    else waiting.delete(key);
    return isWaiting;
  }

  async function end(): Promise<void> {
    // A line without its end is read again at the next start.
    for (const { tail } of followed.values()) await tail.end(false);
    for (const { tail } of followed.values()) await tail.close();
  }
}

type Finishing = {
  /** Reads what is left of a file that was moved away, and lets it go when nobody writes it any more. */
  finish(key: string, entry: Followed, now: number): Promise<number>;
  readLater(entry: Followed, current: ReadonlySet<string>, now: number): Promise<number>;
};

function createFinishing(settings: FollowSettings, memory: Memory, { followed, openAt, readOf }: Tails): Finishing {
  return { finish, readLater };

  async function finish(key: string, entry: Followed, now: number): Promise<number> {
    const bytes = await readOf(key, now);
    entry.quiet = bytes === 0 ? entry.quiet + 1 : 0;
    if (entry.quiet < QUIET_LOOKS || settings.isEnding()) return bytes;
    await entry.tail.end(true);
    await memory.letGo(entry.tail.mark());
    await entry.tail.close();
    followed.delete(key);
    return bytes;
  }

  /** What was at the place of a file that was moved away, and was moved away itself before anybody looked. */
  async function readLater(entry: Followed, current: ReadonlySet<string>, now: number): Promise<number> {
    if (entry.isMoved || settings.isEnding()) return 0;
    entry.isMoved = true;
    const { tail } = entry;
    let total = 0;
    for (const { path, key } of await findLater(tail, { key: keyOf(tail), mtimeMs: tail.writtenAt() })) {
      if (current.has(key) || followed.has(key)) continue;
      await openAt(path, await memory.markOf(path, key), key);
      const later = followed.get(key);
      // Its name has changed meanwhile: it is looked for again at the next look.
      if (later === undefined) entry.isMoved = false;
      else later.isMoved = true;
      total += await readOf(key, now);
    }
    return total;
  }
}

type Tails = {
  /** Those that are open, by device and inode. */
  readonly followed: Map<string, Followed>;
  /** With `key`, only if it is that file which lies there. */
  openAt(path: string, mark?: Mark, key?: string): Promise<void>;
  /** Reads what is new in one of them; says how many bytes that were. */
  readOf(key: string, now: number): Promise<number>;
};

function createTails(settings: FollowSettings, memory: Memory): Tails {
  const followed = new Map<string, Followed>();
  const failing = new Set<string>();
  return { followed, openAt, readOf };

  async function openAt(path: string, mark?: Mark, key?: string): Promise<void> {
    try {
      const tail = await openTail(path, { ...settings, restOf: memory.restOf, laterOf }, mark);
      failing.delete(path);
      // Since it was looked for, another file may have come to lie at the path.
      const isOther = key !== undefined && key !== keyOf(tail);
      if (isOther || followed.has(keyOf(tail))) await tail.close();
      else followed.set(keyOf(tail), { tail, quiet: 0, isMoved: false });
    } catch (error) {
      fail(path, error as Error);
    }
  }

  function laterOf(mark: Mark): AsyncGenerator<AsyncGenerator<Buffer>> {
    return memory.laterOf(mark, (key) => followed.has(key));
  }

  function fail(path: string, error: Error): void {
    if (!failing.has(path)) settings.failed(path, error);
    failing.add(path);
  }

  async function readOf(key: string, now: number): Promise<number> {
    const entry = followed.get(key);
    if (entry === undefined || settings.isEnding()) return 0;
    try {
      return await entry.tail.read(now);
    } catch (error) {
      if (!isOfFile(error)) throw error;
      fail(entry.tail.path, error);
      return 0;
    }
  }
}

type Moved = Found & { readonly mark?: Mark };

/**
 * Where the files of the last run are now that will not be come by at their place: renamed, copied and cut back, compressed,
 * with those that were rotated after them unseen. The oldest come first, and each only once: a file that is opened twice is
 * never closed.
 */
async function findMoved(marks: readonly Mark[], memory: Memory, current: ReadonlySet<string>): Promise<Moved[]> {
  const known = new Map<string, Found & { readonly mark: Mark }>();
  for (const mark of marks) {
    const found = await findContinuation(mark);
    if (found === undefined) continue;
    // How far a file itself was read says more than how far one was that it is a copy of.
    if (known.has(found.key) && keyOf(mark) !== found.key) continue;
    memory.remember(found.key, mark);
    known.set(found.key, { ...found, mark });
  }
  const moved = new Map<string, Moved>();
  for (const [key, found] of known) {
    const isInPlace = found.path === found.mark.path && current.has(key);
    if (!isInPlace) moved.set(key, found);
    for (const later of await laterThan(found, isInPlace)) if (!known.has(later.key)) moved.set(later.key, later);
  }
  return [...moved.values()].sort((a, b) => a.mtimeMs - b.mtimeMs);
}

/** Of one that was empty when it was left off, it cannot be seen whether it has been cut back since. */
async function laterThan(found: Found & { readonly mark: Mark }, isInPlace: boolean): Promise<Found[]> {
  if (!isInPlace) return findLater(found.mark, found);
  if (found.mark.head !== "") return [];
  return findLater(found.mark, { key: found.key, mtimeMs: found.mark.writtenAt });
}

async function isCopy(path: string, followed: Iterable<Followed>): Promise<boolean> {
  const near = [...followed].filter(({ tail }) => dirname(tail.path) === dirname(path));
  if (near.length === 0) return false;
  return withSource(path, async (source) => {
    for (const { tail } of near) if (await tail.isCopiedBy(source)) return true;
    return false;
    // What is still being compressed cannot be compared yet.
  }).catch(() => path.endsWith(".gz"));
}

/** Whether it was the file that failed, and not whoever was given its content. */
const isOfFile = (error: unknown): error is Error => {
  const { code, syscall } = error as NodeJS.ErrnoException;
  return syscall === "read" || syscall === "fstat" || String(code).startsWith("Z_");
};
