// The files of one input: reads what is new in those that are open, and lets those go that were moved away and are finished.
//
// What holds at each look: the marks never say more than what the sinks have taken for good; and each file with something
// that has not been taken is named by a mark, or is found from the marks by the next look, that of another process too.
import type { Mark } from "./checkpoint.ts";
import { createOpening } from "./opening.ts";
import { raise } from "./places.ts";
import type { Place } from "./places.ts";
import type { Followed, OpeningSettings } from "./tails.ts";

export type Follower = {
  /**
   * Looks once at everything, and reads what is new. `now` is the time for all files of this look: what was written before
   * a rotation has then waited long enough whenever what was written after it has. Says whether there is more to read.
   */
  poll(now: number): Promise<boolean>;
  /** Ends all sinks, and closes the files. */
  end(): Promise<void>;
  marks(): Mark[];
};

/** After so many looks at which a file that was moved away had nothing new, nobody writes it any more. */
const QUIET_LOOKS = 20;

export function createFollower(settings: OpeningSettings, marks: readonly Mark[]): Follower {
  const { discover, unopened, tails, memory, places } = createOpening(settings, marks);
  const { followed, fail } = tails;
  let lookedAt = 0;
  return { poll, end, marks: allMarks };

  async function poll(now: number): Promise<boolean> {
    if (now < lookedAt) places.setBack(now);
    lookedAt = now;
    const current = await discover();
    const behind = new Set<Place>();
    for (const [key, entry] of inOrder(current)) {
      // What came after it has to wait.
      if (behind.has(entry.place)) continue;
      if (current.has(key)) await readOf(entry, now);
      else await finish(key, entry, now);
      if (entry.tail.isBehind()) behind.add(entry.place);
    }
    const inUse = new Set([...followed.values()].map(({ place }) => place));
    places.prune((place) => inUse.has(place));
    return behind.size > 0;
  }

  /** Those that were moved away come first, and the oldest: what is in them was written before. */
  function inOrder(current: ReadonlySet<string>): [string, Followed][] {
    const rank = (key: string): number => (current.has(key) ? 1 : 0);
    return [...followed].sort(
      ([a, { tail: one }], [b, { tail: other }]) => rank(a) - rank(b) || one.writtenAt() - other.writtenAt(),
    );
  }

  /** Reads what is left of a file that was moved away, and lets it go when nobody writes it any more. */
  async function finish(key: string, entry: Followed, now: number): Promise<void> {
    const { tail, place } = entry;
    const bytes = await readOf(entry, now);
    entry.quiet = bytes === 0 ? entry.quiet + 1 : 0;
    if (entry.quiet < QUIET_LOOKS || !place.isSettled || settings.isEnding()) return;
    await tail.end(true);
    memory.remember(key, tail.mark());
    if (place.latest === key) place.left = tail.mark();
    await tail.close();
    followed.delete(key);
  }

  async function readOf({ tail, place }: Followed, now: number): Promise<number> {
    if (settings.isEnding()) return 0;
    try {
      const bytes = await tail.read(now);
      if (place.isSettled) raise(place, tail.writtenAt());
      return bytes;
    } catch (error) {
      if (!isOfFile(error)) throw error;
      fail(tail.path, error);
      return 0;
    }
  }

  function allMarks(): Mark[] {
    const left = [...places.all()].flatMap((place) => place.left ?? []);
    const open = [...followed.values()].map(({ tail, place }) => ({ ...tail.mark(), writtenAt: place.since }));
    return [...unopened(), ...left, ...open];
  }

  async function end(): Promise<void> {
    // A line without its end is read again at the next start.
    for (const { tail } of followed.values()) await tail.end(false);
    for (const { tail } of followed.values()) await tail.close();
  }
}

/** Whether it was the file that failed, and not whoever was given its content. */
const isOfFile = (error: unknown): error is Error => {
  const { code, syscall } = error as NodeJS.ErrnoException;
  return syscall === "read" || syscall === "fstat" || String(code).startsWith("Z_");
};
