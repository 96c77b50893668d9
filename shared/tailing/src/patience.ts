// Which new files are not opened yet: copies of files that are followed.
import { dirname } from "node:path";

import { withSource } from "./siblings.ts";
import type { Found } from "./siblings.ts";
import type { Followed } from "./tails.ts";

export type Patience = {
  /**
   * A copy of a file that is followed tells what was not read before that is cut back, so it waits; but not for long, as it
   * may be the file of another that happens to write the same.
   */
  waits(found: Found): Promise<boolean>;
  /** Whether it is what a file that is followed has been compressed to. */
  isCompressed(found: Found): Promise<boolean>;
  forgetAllBut(current: ReadonlySet<string>): void;
};

/** So many looks a copy waits for its original to be cut back. */
const PATIENT_LOOKS = 40;

export function createPatience(followed: ReadonlyMap<string, Followed>): Patience {
  const looks = new Map<string, number>();
  return {
    waits: async ({ path, key }) => {
      const count = looks.get(key) ?? 0;
      const isWaiting = count < PATIENT_LOOKS && (await isCopy(path, followed.values()));
      if (isWaiting) looks.set(key, count + 1);
      else looks.delete(key);
      return isWaiting;
    },
    isCompressed: async ({ path }) => path.endsWith(".gz") && isCopy(path, followed.values()),
    forgetAllBut: (current) => {
      for (const key of looks.keys()) if (!current.has(key)) looks.delete(key);
    },
  };
}

async function isCopy(path: string, followed: Iterable<Followed>): Promise<boolean> {
  const near = [...followed].filter(({ tail }) => dirname(tail.path) === dirname(path));
  if (near.length === 0) return false;
  return withSource(path, async (source) => {
    for (const { tail } of near) if (await tail.isCopiedBy(source)) return true;
    return false;
    // What is still being compressed cannot be compared yet.
  }).catch(() => path.endsWith(".gz"));
}
