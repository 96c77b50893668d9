// Bytes into lines. A line is text without its line feed (and carriage return); what is too long is cut, what is not in
// its charset is replaced, and both are flagged.
import { isUtf8 } from "node:buffer";

import { createWideCutter } from "./wide-lines.ts";
import type { Wide } from "./wide-lines.ts";

/** `start` and `end` count bytes from where the cutter began, the line feed included. */
export type OnLine = (text: string, start: number, end: number, flags: readonly string[]) => void;

export type LineCutter = {
  push(bytes: Buffer): void;
  /** Gives what has come since the last line feed as a line, as at the end of a stream. */
  end(): void;
  /** Where the first line begins that has not been given yet. */
  readonly position: () => number;
};

const NONE: readonly string[] = [];
const INVALID: readonly string[] = ["invalid_utf8"];
const LF = 10;

export type LineSettings = {
  /** Where positions begin. */
  readonly startAt?: number;
  /**
   * How bytes are read, by a name of the Encoding Standard; one in which a line feed is that of ASCII, or UTF-16. What begins
   * with a byte order mark is read as that says.
   */
  readonly charset?: string;
  /** What was read begins with these bytes, where positions do not begin there. */
  readonly beginning?: Buffer;
};

export function createLineCutter(maxLine: number, onLine: OnLine, settings: LineSettings = {}): LineCutter {
  const { startAt = 0, charset = "utf-8", beginning = NOTHING } = settings;
  const wide = wideOf(charset) ?? wideAt(beginning);
  if (wide !== undefined) return createWideCutter(maxLine, onLine, { startAt, wide });
  if (startAt > 0) return createByteCutter(maxLine, onLine, { startAt, charset });
  return createCutterByMark(maxLine, onLine, charset);
}

const NOTHING = Buffer.alloc(0);

const wideOf = (charset: string): Wide | undefined =>
  charset === "utf-16le" ? "little" : charset === "utf-16be" ? "big" : undefined;

const wideAt = (bytes: Buffer): Wide | undefined =>
  bytes[0] === 0xff && bytes[1] === 0xfe ? "little" : bytes[0] === 0xfe && bytes[1] === 0xff ? "big" : undefined;

/** The first bytes tell how to go on; a byte order mark is no character of the first line. */
function createCutterByMark(maxLine: number, onLine: OnLine, charset: string): LineCutter {
  let first: Buffer = NOTHING;
  let cutter: LineCutter | undefined;
  return {
    push: (bytes) => {
      if (cutter !== undefined) return cutter.push(bytes);
      first = Buffer.concat([first, bytes]);
      // No line waits for what can be no mark.
      if (!MARKS.some((mark) => first.length < mark.length && first.equals(mark.subarray(0, first.length)))) begin();
    },
    end: () => {
      if (cutter === undefined) begin();
      cutter!.end();
    },
    position: () => cutter?.position() ?? 0,
  };

  function begin(): void {
    const wide = wideAt(first);
    const isMarked = charset === "utf-8" && first.subarray(0, 3).equals(UTF8_MARK);
    if (wide !== undefined) cutter = createWideCutter(maxLine, onLine, { startAt: 0, wide });
    else cutter = createByteCutter(maxLine, isMarked ? withoutMark(onLine) : onLine, { startAt: 0, charset });
    cutter.push(first);
    first = NOTHING;
  }
}

const UTF8_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const MARKS = [UTF8_MARK, Buffer.from([0xff, 0xfe]), Buffer.from([0xfe, 0xff])];

const withoutMark =
  (onLine: OnLine): OnLine =>
  (text, start, end, flags) =>
    onLine(start === 0 ? text.slice(1) : text, start, end, flags);

type Whole = { readonly startAt: number; readonly charset: string };

function createByteCutter(maxLine: number, onLine: OnLine, { startAt, charset }: Whole): LineCutter {
  const decode = charset === "utf-8" ? decodeUtf8 : decoderOf(charset);
  let rest: Buffer = Buffer.alloc(0);
  let position = startAt;
  return { push, end, position: () => position };

  function push(bytes: Buffer): void {
    const all = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    const last = all.lastIndexOf(LF);
    take(all.subarray(0, last + 1));
    // What stays must not be overwritten by whoever reads into the same memory again.
    rest = Buffer.from(all.subarray(last + 1));
    if (rest.length > maxLine) rest = giveLong(rest);
  }

  function end(): void {
    const last = rest;
    rest = Buffer.alloc(0);
    take(last);
  }

  function take(block: Buffer): void {
    if (decode === decodeUtf8 && isUtf8(block)) takeText(block.toString("utf8"), block.length);
    // The slow way, for blocks in which something is not UTF-8: line by line.
    else for (const line of linesIn(block)) giveWhole(line);
  }

  function takeText(text: string, bytes: number): void {
    const isAscii = text.length === bytes;
    for (let at = 0; at < text.length;) {
      const found = text.indexOf("\n", at);
      const next = found < 0 ? text.length : found + 1;
      const size = isAscii ? next - at : Buffer.byteLength(text.slice(at, next));
      if (size > maxLine) giveWhole(Buffer.from(text.slice(at, next)));
      else giveText(text, at, found < 0 ? next : found, size);
      at = next;
    }
  }

  function giveText(text: string, from: number, to: number, size: number): void {
    const start = position;
    position += size;
    onLine(text.slice(from, withoutReturn(text, from, to)), start, position, NONE);
  }

  function giveWhole(line: Buffer): void {
    const left = giveLong(line);
    give(left, left.length, left === line ? undefined : "truncated");
  }

  /** A line that is too long is given in pieces; of one that has not ended yet, what is left is not given. */
  function giveLong(line: Buffer): Buffer {
    let left = line;
    while (left.length > maxLine) {
      const end = wholeCharacters(left, maxLine);
      give(left.subarray(0, end), end, "truncated");
      left = left.subarray(end);
    }
    return left;
  }

  function give(bytes: Buffer, size: number, flag?: string): void {
    const start = position;
    position += size;
    const { text, isValid } = decode(bytes);
    const flags = isValid ? NONE : INVALID;
    onLine(text.replace(/\r?\n$/, ""), start, position, flag === undefined ? flags : [...flags, flag]);
  }
}

type Decode = (bytes: Buffer) => { readonly text: string; readonly isValid: boolean };

const decodeUtf8: Decode = (bytes) => ({ text: bytes.toString("utf8"), isValid: isUtf8(bytes) });

function decoderOf(charset: string): Decode {
  const decoder = new TextDecoder(charset);
  return (bytes) => {
    const text = decoder.decode(bytes);
    return { text, isValid: !text.includes("\uFFFD") };
  };
}

const withoutReturn = (text: string, from: number, to: number): number =>
  to > from && text.charCodeAt(to - 1) === 13 ? to - 1 : to;

/** The length up to `max` that does not cut a character in two. */
function wholeCharacters(bytes: Buffer, max: number): number {
  let end = max;
  while (end > max - 3 && (bytes[end]! & 0xc0) === 0x80) end--;
  return end > 0 ? end : max;
}

function* linesIn(block: Buffer): Generator<Buffer> {
  for (let at = 0; at < block.length;) {
    const found = block.indexOf(LF, at);
    const next = found < 0 ? block.length : found + 1;
    yield block.subarray(at, next);
    at = next;
  }
}
