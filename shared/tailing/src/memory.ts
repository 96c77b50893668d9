// Where files were left off, by device and inode: those of the last run, and copies of which everything has been read.
import type { Mark } from "./checkpoint.ts";
import { contentAfter, findContinuation, keyOf } from "./siblings.ts";

/** Files that are remembered; the oldest are forgotten first. */
const MAX_MARKS = 4096;

export type Memory = {
  /** Where the file at a path was left off; one that is compressed by now is known by its beginning. */
  markOf(path: string, key: string): Promise<Mark | undefined>;
  remember(key: string, mark: Mark): void;
  /** What a copy of the mark's file has after the mark; then that is where the copy was left off. */
  restOf(mark: Mark): AsyncGenerator<Buffer>;
  /** Remembers where the content of a file that is let go lies now, if it is another file. */
  letGo(mark: Mark): Promise<void>;
};

export function createMemory(marks: readonly Mark[]): Memory {
  const known = new Map(marks.map((mark) => [keyOf(mark), mark]));
  return { markOf, remember, restOf, letGo };

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

  async function letGo(mark: Mark): Promise<void> {
    const found = await findContinuation(mark);
    if (found !== undefined && found.key !== keyOf(mark)) remember(found.key, mark);
  }
}
