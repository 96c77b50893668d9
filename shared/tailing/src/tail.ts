// One file that is followed: read to its end again and again, through being cut back and written anew.
import type { Mark } from "./checkpoint.ts";
import type { Sink } from "./sink.ts";
import { openSource } from "./source.ts";
import type { Source } from "./source.ts";

/** So many bytes of a file's beginning tell it from another. */
export const HEAD = 256;
/** So many bytes at the end of a copy are compared. */
const LAST = 64;
/** What is read of one file before others have their turn. */
const TURN = 8 * 1024 * 1024;

export type Tail = {
  readonly path: string;
  readonly device: number;
  readonly inode: number;
  /** Reads what is new, at the time `now`, until it is another file's turn; says how many bytes that were. */
  read(now: number): Promise<number>;
  /** Nothing more will come; `whole` as for a sink. */
  end(whole: boolean): Promise<void>;
  mark(): Mark;
  /** When the file was last written, as it was last looked at. */
  writtenAt(): number;
  /** Whether the other file looks like a copy of what has been read of this one, be it whole yet or not. */
  isCopiedBy(other: Source): Promise<boolean>;
  close(): Promise<void>;
};

export type TailSettings = {
  /** The input that the file belongs to, as the user wrote it. */
  readonly input: string;
  /** Makes the sink for the file from a position on. */
  readonly sinkAt: (path: string, position: number) => Sink;
  /** Is told when the file is read from its beginning again. */
  restarted(reason: "truncated" | "replaced"): void;
  /** Whether to stop between two pieces. */
  isEnding(): boolean;
  /** Gives what a copy of the file has after the mark, for one that was cut back before all of it had been read. */
  restOf(mark: Mark): AsyncGenerator<Buffer>;
  /** Gives the content of each copy that was made after that one: the file was cut back more than once. */
  laterOf(mark: Mark): AsyncGenerator<AsyncGenerator<Buffer>>;
};

/** Opens the file at the mark if it is of this very file, or of one that this is a copy of, else at its beginning. */
export async function openTail(path: string, settings: TailSettings, mark?: Mark): Promise<Tail> {
  const source = await openSource(path);
  try {
    const isSame = mark !== undefined && (await continues(source, mark));
    return createTail({ path, source }, settings, isSame ? mark : undefined);
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** Whether the content is that of the mark's file, and has got as far. */
export async function continues(source: Source, { head, position }: Mark): Promise<boolean> {
  if (!(await beginsWith(source, head))) return false;
  if (!source.isCompressed) return (await source.look()).size >= position;
  return position === 0 || (await source.read(position - 1, 1)).length === 1;
}

async function beginsWith(source: Source, head: string): Promise<boolean> {
  return head === "" || (await source.read(0, head.length / 2)).toString("hex") === head;
}

/** The beginning of a file, of which more has been read. */
export const headWith = (head: string, bytes: Buffer): string =>
  head.length < HEAD * 2 ? (head + bytes.toString("hex", 0, HEAD)).slice(0, HEAD * 2) : head;

async function looksCopied(
  source: Source,
  other: Source,
  { offset, head }: { offset: number; head: string },
): Promise<boolean> {
  if (offset < HEAD || !(await beginsWith(other, head))) return false;
  const end = other.isCompressed ? offset : Math.min(offset, (await other.look()).size);
  const [own, others] = [await source.read(end - LAST, LAST), await other.read(end - LAST, LAST)];
  // What has just been cut back has nothing to compare, and will ask for the rest of it at once.
  return own.length < others.length || own.equals(others);
}

function createTail({ path, source }: { path: string; source: Source }, settings: TailSettings, mark?: Mark): Tail {
  const { device, inode } = source;
  let offset = mark?.position ?? 0;
  let head = mark?.head.slice(0, offset * 2) ?? "";
  let sink = settings.sinkAt(path, offset);
  let seen = Number.NaN;
  const finishLook = (total: number, now: number): Promise<number> => sink.tick(now).then(() => total);
  return {
    path,
    device,
    inode,
    read,
    end: (whole) => sink.end(whole),
    mark: markOf,
    writtenAt: () => seen,
    isCopiedBy: (other) => looksCopied(source, other, { offset, head }),
    close: () => source.close(),
  };

  function markOf(): Mark {
    return { input: settings.input, path, device, inode, position: sink.position(), head, writtenAt: seen || 0 };
  }

  async function read(now: number): Promise<number> {
    const { size, mtimeMs } = await source.look();
    const isTouched = mtimeMs !== seen;
    seen = mtimeMs;
    // Of what is compressed it cannot be seen from outside how long it is.
    if (source.isCompressed && !isTouched) return finishLook(0, now);
    if (size < offset && !source.isCompressed) await restart("truncated");
    else if (isTouched && !(await beginsWith(source, head))) await restart("replaced");
    let total = 0;
    for await (const bytes of source.pieces(offset)) {
      await take(bytes);
      total += bytes.length;
      if (settings.isEnding() || (total >= TURN && !source.isCompressed)) break;
    }
    return finishLook(total, now);
  }

  async function take(bytes: Buffer): Promise<void> {
    head = headWith(head, bytes);
    offset += bytes.length;
    await sink.push(bytes);
  }

  /** What is in a file that was cut back, or begins otherwise, is new; what it had before may be left in a copy. */
  async function restart(reason: "truncated" | "replaced"): Promise<void> {
    const mark = { ...markOf(), position: offset };
    for await (const bytes of settings.restOf(mark)) await take(bytes);
    await beginAnew();
    for await (const content of settings.laterOf(mark)) {
      for await (const bytes of content) await take(bytes);
      await beginAnew();
    }
    settings.restarted(reason);
  }

  async function beginAnew(): Promise<void> {
    await sink.end(true);
    offset = 0;
    head = "";
    sink = settings.sinkAt(path, 0);
  }
}
