// Reads a whole file that somebody else provides, without trusting what it is or how large it is.
import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { open, stat } from "node:fs/promises";

const CHUNK_BYTES = 64 * 1024;

type Kinds = {
  isFile(): boolean;
  isDirectory(): boolean;
  isFIFO(): boolean;
  isSocket(): boolean;
};

function kindOf(stats: Kinds): string {
  if (stats.isDirectory()) return "a directory";
  if (stats.isFIFO()) return "a FIFO";
  return stats.isSocket() ? "a socket" : "a device";
}

function refuseUnlessFile(path: string, stats: Kinds): void {
  if (!stats.isFile()) throw new Error(`${path}: expected a regular file, got ${kindOf(stats)}`);
}

/**
 * The content of a regular file of at most `maxBytes` bytes; symbolic links are followed. Anything else is refused
 * with `<path>: expected ..., got ...`, also a file that grows beyond the bound while it is read. What the system
 * refuses (ENOENT, EACCES ...) is its own error, with its `code`.
 */
export async function readBounded(path: string, maxBytes: number): Promise<Buffer> {
  // Opening a device or a FIFO can have effects of its own, so look first. What is opened may already be something
  // else: O_NONBLOCK keeps open() from waiting for a FIFO's writer, and the second look refuses it.
  refuseUnlessFile(path, await stat(path));
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    refuseUnlessFile(path, stats);
    if (stats.size > maxBytes) throw new Error(`${path}: expected at most ${maxBytes} bytes, got ${stats.size}`);
    // One byte more than it says shows the end at once; a file of /proc says nothing.
    const chunkBytes = stats.size === 0 ? CHUNK_BYTES : Math.min(CHUNK_BYTES, stats.size + 1);
    const content = await readUpTo(file, maxBytes + 1, chunkBytes);
    if (content.length > maxBytes) throw new Error(`${path}: expected at most ${maxBytes} bytes, got more`);
    return content;
  } finally {
    await file.close();
  }
}

/** Reads to the end, however large the file said it was (those of /proc say 0), but no more than `limit` bytes. */
async function readUpTo(file: FileHandle, limit: number, chunkBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let total = 0;
  while (total < limit) {
    const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, limit - total));
    const { bytesRead } = await file.read(chunk, 0, chunk.length, null);
    if (bytesRead === 0) break;
    chunks.push(chunk.subarray(0, bytesRead));
    total += bytesRead;
  }
  return Buffer.concat(chunks, total);
}
