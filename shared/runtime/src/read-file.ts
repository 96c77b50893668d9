// Reads the files that options name, while nothing else can run: so it must not wait, nor take more than it should.
import { closeSync, constants, fstatSync, openSync, readSync, statSync } from "node:fs";
import type { Stats } from "node:fs";

/** Options, a token: anything larger is a mistake. */
const MAX_BYTES = 1024 ** 2;

/**
 * The text of a regular file of at most 1 MiB; symbolic links are followed. Throws the system's own error with its
 * `code`, or one whose message says what is wrong with the file.
 */
export function readTextFile(path: string): string {
  // Opening a device or a FIFO can have effects of its own, so look first. What is opened may already be something
  // else: O_NONBLOCK keeps open() from waiting for a FIFO's writer, and the second look refuses it.
  refuseUnlessFile(statSync(path));
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    refuseUnlessFile(fstatSync(file));
    return readUpTo(file, MAX_BYTES).toString("utf8");
  } finally {
    closeSync(file);
  }
}

function refuseUnlessFile(stats: Stats): void {
  if (!stats.isFile()) throw new Error("not a regular file");
}

/** To the end, however large the file said it was: those of /proc say 0. */
function readUpTo(file: number, limit: number): Buffer {
  const chunks: Buffer[] = [];
  for (let total = 0; ;) {
    const chunk = Buffer.allocUnsafe(64 * 1024);
    const length = readSync(file, chunk);
    if (length === 0) return Buffer.concat(chunks, total);
    total += length;
    if (total > limit) throw new Error(`more than ${limit} bytes`);
    chunks.push(chunk.subarray(0, length));
  }
}
