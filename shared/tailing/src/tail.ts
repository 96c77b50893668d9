// One file that is followed: read to its end again and again, through being cut back and written anew.
import type { Mark } from "./checkpoint.ts";
import type { Sink } from "./sink.ts";
import type { Source } from "./source.ts";

/** So many bytes of a file's beginning tell it from another. */
export const HEAD = 256;
/** So many bytes at the end of a copy are compared. */
const LAST = 64;
/** What is read of one file before others have their turn, in bytes and in milliseconds: sinks may wait for long. */
const TURN = 8 * 1024 * 1024;
const TURN_MS = 500;

export type Tail = {
  readonly path: string;
  readonly device: number;
  readonly inode: number;
  /** Whether it goes on where its content was left off. */
  readonly isContinued: boolean;
  /** Reads what is new, at the time `now`, until it is another file's turn; says how many bytes that were. */
  read(now: number): Promise<number>;
  /** Nothing more will come; `whole` as for a sink. */
  end(whole: boolean): Promise<void>;
  mark(): Mark;
  /** When the file was last written, as it was last looked at. */
  writtenAt(): number;
  /** When it was last written, looked at now. */
  lastWrite(): Promise<number>;
  /** Whether more is there than could be read in its turn. */
  isBehind(): boolean;
  /** Whether the other file looks like a copy of what has been read of this one, be it whole yet or not. */
  isCopiedBy(other: Source): Promise<boolean>;
  close(): Promise<void>;
};

export type TailSettings = {
  /** The input that the file belongs to, as the user wrote it. */
  readonly input: string;
  /** Makes the sink for the file from a position on; a file that is not read from there begins with these bytes. */
  readonly sinkAt: (path: string, position: number, beginning: Buffer) => Sink;
  /** Is told when the file is read from its beginning again. */
  restarted(reason: "truncated" | "replaced"): void;
  /** Whether to stop between two pieces. */
  isEnding(): boolean;
  /** Gives what a copy of the file has after the mark, for one that was cut back before all of it had been read. */
  restOf(mark: Mark): AsyncGenerator<Buffer>;
  /** Gives the content of each later copy that has not been read: the file was cut back more than once. */
  laterCopies(): AsyncGenerator<AsyncGenerator<Buffer>>;
};

/**
 * Goes on at the mark if it is of this very file, or of one that this is a copy of, else at the beginning. From now on it is
 * seen when the file is cut back, however long it is until it is read first.
 */
export async function createTail(path: string, source: Source, settings: TailSettings, mark?: Mark): Promise<Tail> {
  const isSame = mark !== undefined && (await continues(source, mark));
  const { mtimeMs } = await source.look();
  const offset = isSame ? mark.position : 0;
  const head = isSame ? mark.head : (await source.read(0, HEAD)).toString("hex");
  const sink = settings.sinkAt(path, offset, Buffer.from(head, "hex"));
  return tailOf(
    { source, settings, path, offset, head, sink, writtenAt: mtimeMs, isUnseen: true, isBehind: false },
    isSame && head !== "",
  );
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

/** The beginning of a file, of which more has been read from a place on. */
export function headWith(head: string, from: number, bytes: Buffer): string {
  const known = head.length / 2;
  return known < HEAD && from <= known ? head + bytes.toString("hex", known - from, HEAD - from) : head;
}

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

type State = {
  readonly source: Source;
  readonly settings: TailSettings;
  readonly path: string;
  /** What has been read, and its beginning. */
  offset: number;
  head: string;
  sink: Sink;
  /** As it was looked at last. */
  writtenAt: number;
  /** It has been opened, but not read yet. */
  isUnseen: boolean;
  /** It was another's turn before it had been read to its end. */
  isBehind: boolean;
};

function tailOf(state: State, isContinued: boolean): Tail {
  const { path, source } = state;
  const { device, inode } = source;
  return {
    path,
    device,
    inode,
    isContinued,
    read: (now) => read(state, now),
    end: (whole) => state.sink.end(whole),
    mark: () => markOf(state),
    writtenAt: () => state.writtenAt,
    lastWrite: () => source.look().then(({ mtimeMs }) => mtimeMs),
    isBehind: () => state.isBehind,
    isCopiedBy: (other) => looksCopied(source, other, state),
    close: () => source.close(),
  };
}

const markOf = ({ source: { device, inode }, settings: { input }, path, sink, head, writtenAt }: State): Mark => ({
  input,
  path,
  device,
  inode,
  position: sink.position(),
  head,
  writtenAt,
});

async function read(state: State, now: number): Promise<number> {
  const { source } = state;
  const { mtimeMs, size } = await source.look();
  const isTouched = state.isUnseen || mtimeMs !== state.writtenAt;
  state.isUnseen = false;
  state.writtenAt = mtimeMs;
  // Of what is compressed it cannot be seen from outside how long it is.
  const isRead = source.isCompressed && !isTouched;
  if (!isRead) await followCuts(state, size, isTouched);
  const total = isRead ? 0 : await readOn(state);
  await state.sink.tick(now);
  return total;
}

/** Begins anew, if the file was cut back. */
async function followCuts(state: State, size: number, isTouched: boolean): Promise<void> {
  const { source, offset, head } = state;
  if (size < offset && !source.isCompressed) await restart(state, "truncated");
  else if (isTouched && !(await beginsWith(source, head))) await restart(state, "replaced");
  if (state.head === "" && isTouched) await learnHead(state);
}

async function readOn(state: State): Promise<number> {
  const { source, settings } = state;
  const began = performance.now();
  let total = 0;
  state.isBehind = false;
  for await (const bytes of source.pieces(state.offset)) {
    if (!(await isStill(state, state.offset + bytes.length))) break;
    await take(state, bytes);
    total += bytes.length;
    // What is compressed would have to be read from its beginning again.
    state.isBehind = !source.isCompressed && (total >= TURN || performance.now() - began >= TURN_MS);
    if (settings.isEnding() || state.isBehind) break;
  }
  return total;
}

/** Whether what was just read, up to there, is of the same content as all before: it may have been cut back meanwhile. */
async function isStill({ source, head, writtenAt }: State, end: number): Promise<boolean> {
  if (source.isCompressed) return true;
  const { size, mtimeMs } = await source.look();
  return mtimeMs === writtenAt || (size >= end && (await beginsWith(source, head)));
}

async function take(state: State, bytes: Buffer): Promise<void> {
  state.head = headWith(state.head, state.offset, bytes);
  state.offset += bytes.length;
  await state.sink.push(bytes);
}

/** What is in a file that was cut back, or begins otherwise, is new; what it had before may be left in a copy. */
async function restart(state: State, reason: "truncated" | "replaced"): Promise<void> {
  const { settings, offset } = state;
  for await (const bytes of settings.restOf({ ...markOf(state), position: offset })) await take(state, bytes);
  await beginAnew(state);
  settings.restarted(reason);
}

async function beginAnew(state: State): Promise<void> {
  await state.sink.end(true);
  state.offset = 0;
  state.head = "";
  state.sink = state.settings.sinkAt(state.path, 0, Buffer.alloc(0));
}

/** What was copied and cut back before the beginning could be read is in a copy, and comes first. */
async function learnHead(state: State): Promise<void> {
  const { source, settings } = state;
  for (let isAlone = false; !isAlone && !settings.isEnding();) {
    const first = await source.read(0, HEAD);
    isAlone = true;
    for await (const content of settings.laterCopies()) {
      isAlone = false;
      for await (const bytes of content) await take(state, bytes);
      await beginAnew(state);
    }
    if (isAlone) state.head = first.toString("hex");
  }
}
