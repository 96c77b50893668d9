// POSIX tar (ustar, pax) with GNU's long names. Only files and folders: links are refused, whatever they lead to.
import type { Entry } from "./bundle.ts";

const BLOCK = 512;

type Header = { readonly name: string; readonly size: number; readonly mode: number; readonly type: string };

const wrong = (got: string): Error => new Error(`bundle: expected a tar, got ${got}`);

/** Throws at the first thing that is not as it should be; what came before has been given. */
export function* readTar(body: Buffer): Iterable<Entry> {
  let longName: string | undefined;
  for (let at = 0; ;) {
    if (at + BLOCK > body.length) throw wrong("one that ends without its end");
    const header = readHeader(body.subarray(at, at + BLOCK));
    if (header === undefined) return;
    const start = at + BLOCK;
    const end = start + header.size;
    if (end > body.length) throw wrong("one that ends within a file");
    const content = body.subarray(start, end);
    at = start + Math.ceil(header.size / BLOCK) * BLOCK;
    if (header.type === "L") longName = textOf(content);
    else if (header.type === "x") longName = paxPath(content) ?? longName;
    else if (header.type !== "g") {
      const path = (longName ?? header.name).replace(/^(\.\/)+/, "");
      longName = undefined;
      if (isFile(header, path)) yield { path, content, executable: (header.mode & 0o100) !== 0 };
    }
  }
}

function isFile({ type }: Header, path: string): boolean {
  if (type === "0" || type === "\0" || type === "7") return !path.endsWith("/");
  if (type === "5") return false;
  const kind = type === "1" || type === "2" ? "a link" : `something of type ${JSON.stringify(type)}`;
  throw new Error(`bundle: ${path}: expected a file or a folder, got ${kind}`);
}

/** Undefined for the block of zeros that ends a tar. */
function readHeader(block: Buffer): Header | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  const checksum = octal(block, 148, 8);
  const sum = block.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
  if (checksum !== sum) throw wrong("a header whose checksum is wrong");
  const prefix = block.toString("latin1", 257, 262) === "ustar" ? textOf(block.subarray(345, 500)) : "";
  const name = textOf(block.subarray(0, 100));
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    size: octal(block, 124, 12),
    mode: octal(block, 100, 8),
    type: String.fromCharCode(block[156]!),
  };
}

/** Up to the first zero byte. */
function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString("utf8", 0, end === -1 ? bytes.length : end);
}

function octal(block: Buffer, at: number, length: number): number {
  const text = textOf(block.subarray(at, at + length)).trim();
  if (!/^[0-7]{0,12}$/.test(text)) throw wrong("a header with a number that is none");
  return text === "" ? 0 : Number.parseInt(text, 8);
}

/** The path among the records of a pax header, each `<length> <key>=<value>\n`. */
function paxPath(content: Buffer): string | undefined {
  let path: string | undefined;
  for (let at = 0; at < content.length;) {
    const space = content.indexOf(32, at);
    const length = Number(content.toString("latin1", at, space === -1 ? at : space));
    if (!Number.isSafeInteger(length) || length < 5 || at + length > content.length)
      throw wrong("a pax record that is none");
    const record = content.toString("utf8", space + 1, at + length - 1);
    if (record.startsWith("path=")) path = record.slice("path=".length);
    if (record.startsWith("size=")) throw wrong("a file of more than 8 GiB");
    at += length;
  }
  return path;
}
