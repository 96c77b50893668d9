// The files of one input: finds those that the pattern names, follows each, and finishes those that were moved away.
import { readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

import type { Mark } from "./checkpoint.ts";
import { pathsOf } from "./glob.ts";
import { openTail } from "./tail.ts";
import type { Tail, TailSettings } from "./tail.ts";

export type Follower = {
  /**
   * Looks once at everything, and reads what is new. `now` is the time for all files of this look: what was written before
   * a rotation has then waited long enough whenever what was written after it has.
   */
  poll(now: number): Promise<void>;
  /** Delivers what waits, and closes the files. */
  end(): Promise<void>;
  marks(): Mark[];
};

export type FollowSettings = Omit<TailSettings, "pumpAt"> & {
  readonly pattern: string;
  readonly pumpAt: (path: string, position: number) => ReturnType<TailSettings["pumpAt"]>;
  /** Is told of a file that cannot be read, once until it can. */
  failed(path: string, error: Error): void;
};

/** After so many looks at which a file that was moved away had nothing new, nobody writes it any more. */
const QUIET_LOOKS = 8;

type Followed = { readonly tail: Tail; quiet: number };

export function createFollower(settings: FollowSettings, marks: readonly Mark[]): Follower {
  const followed = new Map<string, Followed>();
  const failing = new Set<string>();
  let unopened: readonly Mark[] = marks;
  let isFirst = true;
  return { poll, end, marks: () => [...unopened, ...[...followed.values()].map(({ tail }) => tail.mark())] };

  async function poll(now: number): Promise<void> {
    const paths = await pathsOf(settings.pattern);
    if (isFirst) await openMoved(paths);
    const current = new Set<string>();
    // Those that were moved away come first: what is in them was written before.
    const found = await Promise.all(paths.map(async (path) => ({ path, key: await keyOf(path) })));
    for (const { key } of found) if (key !== undefined) current.add(key);
    for (const [key, entry] of followed) if (!current.has(key)) await finish(key, entry, now);
    for (const { path, key } of found) if (key !== undefined && !followed.has(key)) await openAt(path, key);
    // A mark whose file is gone has served.
    if (isFirst) unopened = [];
    isFirst = false;
    for (const key of current) await readOf(key, now);
  }

  async function readOf(key: string, now: number): Promise<void> {
    const entry = followed.get(key);
    if (entry !== undefined && !settings.isEnding()) await entry.tail.read(now);
  }

  /** Files that have been renamed while nobody looked: they lie beside where they were. */
  async function openMoved(paths: readonly string[]): Promise<void> {
    for (const mark of marks) {
      const folder = dirname(mark.path);
      const names = await readdir(folder).catch(() => [] as string[]);
      for (const name of names) {
        const path = join(folder, name);
        if (!paths.includes(path) && (await keyOf(path)) === keyOfMark(mark)) await openAt(path, keyOfMark(mark), true);
      }
    }
  }

  /** With `mustBe`, only a file that is the mark's own is opened. */
  async function openAt(path: string, key: string, mustBe = false): Promise<void> {
    const mark = marks.find((one) => keyOfMark(one) === key);
    try {
      const tail = await openTail(path, { ...settings, pumpAt: (position) => settings.pumpAt(path, position) }, mark);
      failing.delete(path);
      if (mustBe && tail.mark().position !== mark?.position) return await tail.close();
      followed.set(key, { tail, quiet: 0 });
    } catch (error) {
      if (!failing.has(path)) settings.failed(path, error as Error);
      failing.add(path);
    }
  }

  async function finish(key: string, entry: Followed, now: number): Promise<void> {
    const bytes = await entry.tail.read(now);
    entry.quiet = bytes === 0 ? entry.quiet + 1 : 0;
    if (entry.quiet < QUIET_LOOKS || settings.isEnding()) return;
    await entry.tail.end(true);
    await entry.tail.close();
    followed.delete(key);
  }

  async function end(): Promise<void> {
    // A line without its end is read again when the adapter is started again.
    for (const { tail } of followed.values()) await tail.end(false);
    for (const { tail } of followed.values()) await tail.close();
  }
}

async function keyOf(path: string): Promise<string | undefined> {
  try {
    const stats = await stat(path);
    return stats.isFile() ? `${stats.dev}:${stats.ino}` : undefined;
  } catch {
    return undefined;
  }
}

const keyOfMark = ({ device, inode }: Mark): string => `${device}:${inode}`;
