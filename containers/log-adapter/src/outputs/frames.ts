// Texts as frames of a file: a mark, a length, a checksum, the number of lines, and the text.
import { crc32 } from "node:zlib";

export type Buffered = { readonly text: string; readonly lines: number };

const HEADER = 16;
const MARK = 0x4f425546;

export function frameOf({ text, lines }: Buffered): Buffer {
  const body = Buffer.from(text);
  const header = Buffer.alloc(HEADER);
  header.writeUInt32BE(MARK, 0);
  header.writeUInt32BE(body.length, 4);
  header.writeUInt32BE(crc32(body), 8);
  header.writeUInt32BE(lines, 12);
  return Buffer.concat([header, body]);
}

/** The frames up to the first that is not whole, and whether that is all. */
export function parseFrames(bytes: Buffer): { entries: Buffered[]; isWhole: boolean } {
  const entries: Buffered[] = [];
  let at = 0;
  while (at + HEADER <= bytes.length && bytes.readUInt32BE(at) === MARK) {
    const end = at + HEADER + bytes.readUInt32BE(at + 4);
    const body = bytes.subarray(at + HEADER, end);
    if (end > bytes.length || crc32(body) !== bytes.readUInt32BE(at + 8)) break;
    entries.push({ text: body.toString("utf8"), lines: bytes.readUInt32BE(at + 12) });
    at = end;
  }
  return { entries, isWhole: at === bytes.length };
}
