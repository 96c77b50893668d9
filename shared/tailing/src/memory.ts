// Where files were left off, by device and inode: those of the last run, those that were let go, and copies that were read.
import type { Mark } from "./checkpoint.ts";
import { raise } from "./places.ts";
import type { Place } from "./places.ts";
import { MAX_TRIES, contentAfter, findContinuation, findLater, keyOf, withSource } from "./siblings.ts";
import type { Found } from "./siblings.ts";
import { continues, headWith } from "./tail.ts";

/** Files that are remembered; the oldest are forgotten first. */
const MAX_MARKS = 4096;

export type Memory = {
  has(key: string): boolean;
  /** Where the file at a path was left off; one that is compressed by now is known by its content. */
  markOf(path: string, key: string): Promise<Mark | undefined>;
  remember(key: string, mark: Mark): void;
  /** What a copy of the mark's file has after the mark; then all of the copy has been read. */
  restOf(place: Place, mark: Mark): AsyncGenerator<Buffer>;
  /** The content of each copy of a file at the place that has not been read, the oldest first. */
  copiesOf(place: Place): AsyncGenerator<AsyncGenerator<Buffer>>;
};

/** `isFollowed` tells the files that are read anyway. */
export function createMemory(marks: readonly Mark[], isFollowed: (key: string) => boolean): Memory {
  const known = new Map(marks.map((mark) => [keyOf(mark), mark]));
  return { has: (key) => known.has(key), markOf, remember, restOf, copiesOf };

  async function markOf(path: string, key: string): Promise<Mark | undefined> {
    const own = known.get(key);
    if (own !== undefined || !path.endsWith(".gz")) return own;
    const marks = [...known.values()].filter((mark) => mark.head !== "" && path.startsWith(mark.path));
    return withSource(path, async (source) => {
      for (const mark of marks.toReversed()) if (await continues(source, mark)) return mark;
      return undefined;
    }).catch(() => undefined);
  }

  function remember(key: string, mark: Mark): void {
    known.delete(key);
    known.set(key, mark);
    if (known.size > MAX_MARKS) known.delete(known.keys().next().value!);
  }

  async function* restOf(place: Place, mark: Mark): AsyncGenerator<Buffer> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const found = await findContinuation(mark);
      if (found === undefined || found.key === keyOf(mark) || isFollowed(found.key)) return;
      if (yield* readCopy(place, found, mark)) return;
    }
  }

  async function* copiesOf(place: Place): AsyncGenerator<AsyncGenerator<Buffer>> {
    for (let misses = 0; misses < MAX_TRIES;) {
      const later = await findLater(place);
      const unread = later.filter(({ key }) => !isFollowed(key));
      if (unread.length === 0) return;
      for (const found of unread) {
        yield readCopy(place, found);
        // Those after one that was not there any more would hide it.
        if (place.since >= found.mtimeMs) continue;
        misses++;
        break;
      }
    }
  }

  /** Reads a copy to its end, from the mark or its beginning on; says whether it was still there. */
  async function* readCopy(place: Place, found: Found, mark?: Mark): AsyncGenerator<Buffer, boolean> {
    let { position, head } = mark ?? { position: 0, head: "" };
    const isThere = yield* contentAfter(found, position, (length, bytes) => {
      head = headWith(head, position, bytes);
      position += length;
    });
    if (!isThere) return false;
    const [device, inode] = found.key.split(":").map(Number) as [number, number];
    remember(found.key, { input: "", path: place.path, device, inode, position, head, writtenAt: found.mtimeMs });
    raise(place, found.mtimeMs);
    return true;
  }
}
