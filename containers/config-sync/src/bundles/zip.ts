// ZIP by its central directory: stored and deflated files. Links are refused, and so is whatever ZIP64 or encryption is needed for.
import { crc32, inflateRawSync } from "node:zlib";

import { LimitError } from "@outrigger/files";
import type { TreeLimits } from "@outrigger/files";

import type { Entry } from "./bundle.ts";

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const END_BYTES = 22;
const MAX_COMMENT = 65_535;
const LINK = 0o120000;

const wrong = (got: string): Error => new Error(`bundle: expected a ZIP, got ${got}`);

type Described = {
  readonly path: string;
  readonly method: number;
  readonly flags: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly mode: number;
  readonly at: number;
};

/** What a file says of its size is what it may have: a bomb that lies is found at its first byte too many. */
export function* readZip(body: Buffer, { maxFiles, maxBytes }: TreeLimits): Iterable<Entry> {
  const end = findEnd(body);
  const count = body.readUInt16LE(end + 10);
  let at = body.readUInt32LE(end + 16);
  let left = maxBytes;
  if (count > 2 * maxFiles) throw new LimitError(`bundle: expected at most ${maxFiles} files, got ${count}`, "files");
  for (let i = 0; i < count; i++) {
    const { file, next } = readCentral(body, at);
    at = next;
    if (file.path.endsWith("/")) continue;
    if ((file.mode & 0o170000) === LINK)
      throw new Error(`bundle: ${file.path}: expected a file or a folder, got a link`);
    if (file.size > left) throw new LimitError(`bundle: expected at most ${maxBytes} bytes, got more`, "bytes");
    left -= file.size;
    yield { path: file.path, content: contentOf(body, file), executable: (file.mode & 0o100) !== 0 };
  }
}

function findEnd(body: Buffer): number {
  for (let at = body.length - END_BYTES; at >= Math.max(0, body.length - END_BYTES - MAX_COMMENT); at--) {
    if (body.readUInt32LE(at) === END) return at;
  }
  throw wrong("one without its end");
}

function readCentral(body: Buffer, at: number): { file: Described; next: number } {
  if (at + 46 > body.length || body.readUInt32LE(at) !== CENTRAL) throw wrong("a directory that is none");
  const nameEnd = at + 46 + body.readUInt16LE(at + 28);
  const next = nameEnd + body.readUInt16LE(at + 30) + body.readUInt16LE(at + 32);
  if (next > body.length) throw wrong("a directory that ends too early");
  const file = {
    path: body.toString("utf8", at + 46, nameEnd),
    flags: body.readUInt16LE(at + 8),
    method: body.readUInt16LE(at + 10),
    crc: body.readUInt32LE(at + 16),
    packed: body.readUInt32LE(at + 20),
    size: body.readUInt32LE(at + 24),
    mode: body.readUInt32LE(at + 38) >>> 16,
    at: body.readUInt32LE(at + 42),
  };
  return { file, next };
}

function contentOf(body: Buffer, { path, flags, method, crc, packed, size, at }: Described): Buffer {
  if ((flags & 1) !== 0) throw wrong(`${path}, which is encrypted`);
  if (at + 30 > body.length || body.readUInt32LE(at) !== LOCAL) throw wrong(`${path}, which is not where it should be`);
  const start = at + 30 + body.readUInt16LE(at + 26) + body.readUInt16LE(at + 28);
  if (start + packed > body.length) throw wrong(`${path}, which ends too early`);
  const content = inflate(body.subarray(start, start + packed), { path, method, size });
  if (content.length !== size || crc32(content) !== crc) throw wrong(`${path}, whose size or checksum is wrong`);
  return content;
}

function inflate(packed: Buffer, { path, method, size }: Pick<Described, "path" | "method" | "size">): Buffer {
  if (method === 0) return packed;
  if (method !== 8) throw wrong(`${path}, which is packed by method ${method}`);
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, size) });
  } catch (error) {
    throw new Error(`bundle: ${path}: expected ${size} bytes, got ${(error as Error).message}`, { cause: error });
  }
}
