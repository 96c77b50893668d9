// Where files were left off, by device and inode: those of the last run, and copies of which everything has been read.
import type { Mark } from "./checkpoint.ts";
import { contentAfter, findContinuation, findLater, keyOf } from "./siblings.ts";
import type { Found } from "./siblings.ts";
import { headWith } from "./tail.ts";

/** So often is looked for files whose names change, as those of a rotation that goes on meanwhile. */
export const MAX_TRIES = 5;
/** Files that are remembered; the oldest are forgotten first. */
const MAX_MARKS = 4096;

export type Memory = {
  /** Where the file at a path was left off; one that is compressed by now is known by its beginning. */
  markOf(path: string, key: string): Promise<Mark | undefined>;
  remember(key: string, mark: Mark): void;
  /** What a copy of the mark's file has after the mark; then that is where the copy was left off. */
  restOf(mark: Mark): AsyncGenerator<Buffer>;
  /** The content of each copy that was made after the mark's; `isFollowed` tells those that are read anyway. */
  laterOf(mark: Mark, isFollowed: (key: string) => boolean): AsyncGenerator<AsyncGenerator<Buffer>>;
  /** Remembers where the content of a file that is let go lies now, if it is another file. */
  letGo(mark: Mark): Promise<void>;
};

export function createMemory(marks: readonly Mark[]): Memory {
  const known = new Map(marks.map((mark) => [keyOf(mark), mark]));
  return { markOf, remember, restOf, laterOf, letGo };

  async function markOf(path: string, key: string): Promise<Mark | undefined> {
    const own = known.get(key);
    if (own !== undefined || !path.endsWith(".gz")) return own;
    for (const mark of known.values()) {
      if (mark.head !== "" && (await findContinuation(mark))?.path === path) return mark;
    }
    return undefined;
  }

  function remember(key: string, mark: Mark): void {
    known.set(key, mark);
    if (known.size > MAX_MARKS) known.delete(known.keys().next().value!);
  }

  async function* restOf(mark: Mark): AsyncGenerator<Buffer> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const found = await findContinuation(mark);
      if (found === undefined || found.key === keyOf(mark)) return;
      let { position } = mark;
      const isThere = yield* contentAfter(found, position, (bytes) => (position += bytes));
      if (!isThere) continue;
      remember(found.key, { ...mark, position });
      return;
    }
  }

  async function* laterOf(mark: Mark, isFollowed: (key: string) => boolean): AsyncGenerator<AsyncGenerator<Buffer>> {
    const found = await findContinuation(mark);
    if (found === undefined || found.key === keyOf(mark)) return;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const unread = (await findLater(mark, found)).filter(({ key }) => !known.has(key) && !isFollowed(key));
      if (unread.length === 0) return;
      for (const later of unread) yield wholeOf(later, mark);
    }
  }

  /** A copy's content from its beginning; then all of it has been read. */
  async function* wholeOf(found: Found, mark: Mark): AsyncGenerator<Buffer> {
    let position = 0;
    let head = "";
    const isThere = yield* contentAfter(found, 0, (length, bytes) => {
      position += length;
      head = headWith(head, bytes);
    });
    if (isThere) remember(found.key, { ...mark, path: found.path, position, head });
  }

  async function letGo(mark: Mark): Promise<void> {
    const found = await findContinuation(mark);
    if (found !== undefined && found.key !== keyOf(mark)) remember(found.key, mark);
  }
}
