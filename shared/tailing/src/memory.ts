// Where files were left off, by device and inode: those of the last run, and copies of which everything has been read.
import type { Mark } from "./checkpoint.ts";
import { contentAfter, findContinuation, findLater, keyOf } from "./siblings.ts";
import type { Found } from "./siblings.ts";
import { headWith } from "./tail.ts";

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
    const found = await findContinuation(mark);
    if (found === undefined || found.key === keyOf(mark)) return;
    let { position } = mark;
    for await (const bytes of contentAfter(found.path, mark)) {
      position += bytes.length;
      yield bytes;
    }
    remember(found.key, { ...mark, position });
  }

  async function* laterOf(mark: Mark, isFollowed: (key: string) => boolean): AsyncGenerator<AsyncGenerator<Buffer>> {
    const found = await findContinuation(mark);
    if (found === undefined || found.key === keyOf(mark)) return;
    for (const later of await findLater(mark, found)) {
      if (!known.has(later.key) && !isFollowed(later.key)) yield wholeOf(later, mark);
    }
  }

  /** A copy's content from its beginning; then all of it has been read. */
  async function* wholeOf({ path, key }: Found, mark: Mark): AsyncGenerator<Buffer> {
    let position = 0;
    let head = "";
    for await (const bytes of contentAfter(path, { position: 0 })) {
      head = headWith(head, bytes);
      position += bytes.length;
      yield bytes;
    }
    remember(key, { ...mark, path, position, head });
  }

  async function letGo(mark: Mark): Promise<void> {
    const found = await findContinuation(mark);
    if (found !== undefined && found.key !== keyOf(mark)) remember(found.key, mark);
  }
}
