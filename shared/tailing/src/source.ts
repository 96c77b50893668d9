// The content of an open file from a place on, whether it is compressed or not.
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";

const CHUNK = 32 * 1024;

export type Look = { readonly size: number; readonly mtimeMs: number };

export type Source = {
  readonly device: number;
  readonly inode: number;
  readonly isCompressed: boolean;
  look(): Promise<Look>;
  /** The bytes of the content from `from` on, at most `length`; what is given is overwritten by the next reading. */
  read(from: number, length: number): Promise<Buffer>;
  /** The content from `from` on, piece by piece, as far as it is there. */
  pieces(from: number): AsyncGenerator<Buffer>;
  close(): Promise<void>;
};

/** Opens a file; what is compressed by gzip is known by its beginning. */
export async function openSource(path: string): Promise<Source> {
  const handle = await open(path, "r");
  try {
    const { dev: device, ino: inode } = await handle.stat();
    const magic = Buffer.alloc(3);
    await handle.read(magic, 0, 3, 0);
    const isCompressed = magic[0] === 0x1f && magic[1] === 0x8b && magic[2] === 8;
    const pieces = (from: number): AsyncGenerator<Buffer> =>
      isCompressed ? decompressed(handle, from) : plain(handle, from);
    return {
      device,
      inode,
      isCompressed,
      look: () => handle.stat(),
      read: async (from, length) => (isCompressed ? take(pieces(from), length) : readAt(handle, from, length)),
      pieces,
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function readAt(handle: FileHandle, from: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await handle.read(buffer, 0, length, from);
  return buffer.subarray(0, bytesRead);
}

async function* plain(handle: FileHandle, from: number): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(CHUNK);
  for (let at = from; ;) {
    const { bytesRead } = await handle.read(buffer, 0, CHUNK, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** A file that is still being compressed ends too early: what is whole of it is given before that is told. */
async function* decompressed(handle: FileHandle, from: number): AsyncGenerator<Buffer> {
  const gunzip = createGunzip();
  pipeline(Readable.from(copies(handle)), gunzip, () => undefined);
  let at = 0;
  for await (const piece of gunzip as AsyncIterable<Buffer>) {
    const skipped = Math.min(piece.length, Math.max(0, from - at));
    at += piece.length;
    if (skipped < piece.length) yield piece.subarray(skipped);
  }
}

/** A stream keeps what it is given. */
async function* copies(handle: FileHandle): AsyncGenerator<Buffer> {
  for await (const piece of plain(handle, 0)) yield Buffer.from(piece);
}

async function take(pieces: AsyncGenerator<Buffer>, length: number): Promise<Buffer> {
  let taken: Buffer = Buffer.alloc(0);
  for await (const piece of pieces) {
    taken = Buffer.concat([taken, piece.subarray(0, length - taken.length)]);
    if (taken.length >= length) break;
  }
  return taken;
}
