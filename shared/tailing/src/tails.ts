// The files of one input that are open.
import type { Mark } from "./checkpoint.ts";
import type { Memory } from "./memory.ts";
import type { Place } from "./places.ts";
import { keyOf } from "./siblings.ts";
import type { Found } from "./siblings.ts";
import { openSource } from "./source.ts";
import type { Source } from "./source.ts";
import { createTail } from "./tail.ts";
import type { Tail, TailSettings } from "./tail.ts";

export type OpeningSettings = Omit<TailSettings, "restOf" | "laterCopies"> & {
  readonly pattern: string;
  /** Is told of a file that cannot be read, once until it can. */
  failed(path: string, error: Error): void;
};

export type Followed = { readonly tail: Tail; readonly place: Place; quiet: number };

export type Tails = {
  /** By device and inode. */
  readonly followed: Map<string, Followed>;
  /** Says whether the file was there still; one that cannot be read is told, and can be tried again. */
  open(place: Place, found: Found, mark?: Mark): Promise<boolean>;
  /** Tells that a file cannot be read. */
  fail(path: string, error: Error): void;
};

export function createTails(settings: OpeningSettings, memory: Memory): Tails {
  const followed = new Map<string, Followed>();
  const failing = new Set<string>();
  return { followed, open, fail };

  async function open(place: Place, { path, key }: Found, mark?: Mark): Promise<boolean> {
    try {
      const source = await openSource(path);
      const isOther = keyOf(source) !== key;
      if (isOther) await source.close();
      else followed.set(key, { tail: await tailOf(place, source, mark), place, quiet: 0 });
      failing.delete(path);
      if (isOther) place.missed = key;
      return !isOther;
    } catch (error) {
      const isGone = (error as NodeJS.ErrnoException).code === "ENOENT";
      if (isGone) place.missed = key;
      else fail(path, error as Error);
      return !isGone;
    }
  }

  async function tailOf(place: Place, source: Source, mark: Mark | undefined): Promise<Tail> {
    const copies = {
      restOf: (of: Mark) => memory.restOf(place, of),
      laterCopies: () => memory.copiesOf(place),
    };
    try {
      return await createTail(place.path, source, { ...settings, ...copies }, mark);
    } catch (error) {
      await source.close();
      throw error;
    }
  }

  function fail(path: string, error: Error): void {
    if (!failing.has(path)) settings.failed(path, error);
    failing.add(path);
  }
}
