// What is at a path, in a form that can be compared: two fingerprints differ when a reader would find something else.
import { createHash } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { opendir, stat } from "node:fs/promises";
import { join } from "node:path";

import { readBounded } from "./read-bounded.ts";

/** Files up to this size are compared by content, larger ones by their stamp. */
const MAX_HASHED_BYTES = 1024 ** 2;
/** Folders with up to this many entries are compared entry by entry, larger ones by their stamp. */
const MAX_ENTRIES = 10_000;
/** Time stamps are coarse: a second write may leave the same stamp as the first. An older stamp can be trusted. */
const SETTLED_MS = 2000;

export type Fingerprint = {
  /** What decides: missing, the hash of a file's content, the hash of a folder's entries, ... */
  readonly identity: string;
  /** Device, inode, times and size: where they are as they were, and settled, the content need not be read again. */
  readonly stamp?: string;
  readonly settled?: boolean;
  readonly entries?: ReadonlyMap<string, Fingerprint>;
};

const MISSING: Fingerprint = { identity: "missing" };
const UNKNOWN: Fingerprint = { identity: "unknown" };

const sha256 = (data: Buffer | string): string => createHash("sha256").update(data).digest("hex");

const stampOf = ({ dev, ino, mtimeNs, ctimeNs, size }: BigIntStats): string =>
  [dev, ino, mtimeNs, ctimeNs, size].join(":");

/**
 * The fingerprint of a path, symbolic links followed. Given the last one, only what may have changed is read again. What
 * cannot be examined now (no permission, no descriptors, an I/O error) counts as unchanged: nobody can read it anyway.
 */
export async function fingerprintOf(path: string, last: Fingerprint | undefined): Promise<Fingerprint> {
  return examine(path, last, ofFolder);
}

type OfFolder = (path: string, stats: BigIntStats, last: Fingerprint | undefined) => Promise<Fingerprint> | Fingerprint;

async function examine(path: string, last: Fingerprint | undefined, ofFolder: OfFolder): Promise<Fingerprint> {
  try {
    const stats = await stat(path, { bigint: true });
    if (stats.isFile()) return await ofFile(path, stats, last);
    if (stats.isDirectory()) return await ofFolder(path, stats, last);
    return { identity: `special ${stats.dev}:${stats.ino}` };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ENOENT" || code === "ENOTDIR" ? MISSING : (last ?? UNKNOWN);
  }
}

async function ofFile(path: string, stats: BigIntStats, last: Fingerprint | undefined): Promise<Fingerprint> {
  const stamp = stampOf(stats);
  if (last?.stamp === stamp && last.settled === true) return last;
  if (stats.size > MAX_HASHED_BYTES) return { identity: `file ${stamp}` };
  // Judged before the content is read: whatever is written after that gets another stamp.
  const settled = Date.now() - Number(stats.ctimeMs) > SETTLED_MS;
  return { identity: `file ${sha256(await readBounded(path, MAX_HASHED_BYTES))}`, stamp, settled };
}

/** One level deep: of a folder inside, only its stamp counts. Kubernetes' own entries (`..data`, `..2026_...`) do not. */
async function ofFolder(path: string, stats: BigIntStats, last: Fingerprint | undefined): Promise<Fingerprint> {
  const names: string[] = [];
  for await (const { name } of await opendir(path)) {
    if (!name.startsWith("..")) names.push(name);
    if (names.length > MAX_ENTRIES) return ofInnerFolder(path, stats);
  }
  const entries = new Map<string, Fingerprint>();
  for (const name of names.sort()) {
    entries.set(name, await examine(join(path, name), last?.entries?.get(name), ofInnerFolder));
  }
  const identities = [...entries].map(([name, { identity }]) => [name, identity]);
  return { identity: `folder ${sha256(JSON.stringify(identities))}`, entries };
}

const ofInnerFolder = (_path: string, stats: BigIntStats): Fingerprint => ({ identity: `folder ${stampOf(stats)}` });
