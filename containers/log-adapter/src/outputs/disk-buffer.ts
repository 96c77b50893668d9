// A queue on disk, in segments of frames: each frame has its length, a checksum and the number of its lines. What is torn or
// changed is recognised and left out; a segment is deleted when all that is in it has been delivered.
import { mkdir, open, readdir, readFile, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";

import { frameOf, parseFrames } from "./frames.ts";
import type { Buffered } from "./frames.ts";

export type Left = { readonly entries: number; readonly lines: number; readonly damaged: number };

export type DiskBuffer = {
  /** Loads what an earlier run has left; says how much that is, and how many segments were damaged. */
  load(): Promise<Left>;
  /** Whether so many bytes more are within the limit. */
  hasRoom(bytes: number): boolean;
  /** Resolves when it is on disk. */
  append(entry: Buffered): Promise<void>;
  /** The first one, again and again until it is shifted; undefined where there is none. */
  first(): Promise<Buffered | undefined>;
  shift(): Promise<void>;
  readonly bytes: () => number;
  close(): Promise<void>;
};

const SEGMENT = 1024 * 1024;

type Segment = { readonly path: string; size: number; entries: number; taken: number };

type State = {
  readonly folder: string;
  readonly segments: Segment[];
  /** The number of the next segment. */
  next: number;
  total: number;
  /** The last segment, while it is written. */
  writing: { readonly segment: Segment; readonly handle: FileHandle } | undefined;
  /** What has been read of the first segment. */
  reading: { readonly segment: Segment; readonly entries: readonly Buffered[] } | undefined;
};

export function createDiskBuffer(folder: string, maxBytes: number): DiskBuffer {
  const state: State = { folder, segments: [], next: 0, total: 0, writing: undefined, reading: undefined };
  let last: Promise<unknown> = Promise.resolve();
  /** One after the other: a segment is not to be deleted while it is written. */
  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const turn = last.then(act);
    last = turn.catch(() => undefined);
    return turn;
  };
  return {
    load: () => inTurn(() => load(state)),
    hasRoom: (bytes) => state.total + bytes <= maxBytes,
    append: (entry) => inTurn(() => append(state, entry)),
    first: () => inTurn(() => first(state)),
    shift: () => inTurn(() => shift(state)),
    bytes: () => state.total,
    close: () => inTurn(() => endWriting(state)),
  };
}

async function load(state: State): Promise<Left> {
  const { folder, segments } = state;
  await mkdir(folder, { recursive: true });
  const names = (await readdir(folder)).filter((name) => /^\d{12}\.buffer$/.test(name)).sort();
  let [lines, entries, damaged] = [0, 0, 0];
  for (const name of names) {
    const path = join(folder, name);
    const bytes = await readFile(path);
    const found = parseFrames(bytes);
    if (!found.isWhole) damaged++;
    for (const entry of found.entries) lines += entry.lines;
    entries += found.entries.length;
    segments.push({ path, size: bytes.length, entries: found.entries.length, taken: 0 });
    state.total += bytes.length;
    state.next = Number(name.slice(0, 12)) + 1;
  }
  for (const empty of segments.filter((segment) => segment.entries === 0)) await drop(state, empty);
  return { entries, lines, damaged };
}

async function append(state: State, entry: Buffered): Promise<void> {
  const frame = frameOf(entry);
  if (state.writing === undefined || state.writing.segment.size >= SEGMENT) await begin(state);
  const { segment, handle } = state.writing!;
  try {
    await handle.write(frame, 0, frame.length, segment.size);
    await handle.datasync();
  } catch (error) {
    // Half a frame would hide what comes after it.
    await handle.truncate(segment.size).catch(() => undefined);
    throw error;
  }
  segment.size += frame.length;
  segment.entries++;
  state.total += frame.length;
  // What was read of it before did not have this.
  if (state.reading?.segment === segment) state.reading = undefined;
}

async function begin(state: State): Promise<void> {
  await endWriting(state);
  const path = join(state.folder, `${String(state.next).padStart(12, "0")}.buffer`);
  const handle = await open(path, "w");
  const segment = { path, size: 0, entries: 0, taken: 0 };
  state.next++;
  state.segments.push(segment);
  state.writing = { segment, handle };
}

async function endWriting(state: State): Promise<void> {
  const { writing } = state;
  state.writing = undefined;
  await writing?.handle.close();
}

async function first(state: State): Promise<Buffered | undefined> {
  const [segment] = state.segments;
  if (segment === undefined || segment.taken === segment.entries) return undefined;
  if (state.reading?.segment !== segment) {
    state.reading = { segment, entries: parseFrames(await readFile(segment.path)).entries };
  }
  return state.reading.entries[segment.taken];
}

async function shift(state: State): Promise<void> {
  const [segment] = state.segments;
  if (segment === undefined) return;
  segment.taken++;
  if (segment.taken === segment.entries) await drop(state, segment);
}

async function drop(state: State, segment: Segment): Promise<void> {
  state.segments.splice(state.segments.indexOf(segment), 1);
  state.total -= segment.size;
  if (state.reading?.segment === segment) state.reading = undefined;
  if (state.writing?.segment === segment) await endWriting(state);
  await unlink(segment.path).catch(() => undefined);
}
