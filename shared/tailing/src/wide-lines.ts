// Bytes of UTF-16 into lines: as for other charsets, but that each unit has two bytes.
import type { LineCutter, OnLine } from "./lines.ts";

/** Which byte of a unit comes first. */
export type Wide = "little" | "big";

const NONE: readonly string[] = [];
const LINE_FEED = { little: Buffer.from([0x0a, 0]), big: Buffer.from([0, 0x0a]) };

export function createWideCutter(
  maxLine: number,
  onLine: OnLine,
  { startAt, wide }: { startAt: number; wide: Wide },
): LineCutter {
  const most = Math.max(4, maxLine - (maxLine % 2));
  let rest: Buffer = Buffer.alloc(0);
  let position = startAt;
  return { push, end, position: () => position };

  function push(bytes: Buffer): void {
    const all = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    let at = 0;
    for (let next = endOfLine(all, at); next > 0; next = endOfLine(all, at)) {
      const left = giveLong(all.subarray(at, next));
      give(left, left.length === next - at ? NONE : ["truncated"]);
      at = next;
    }
    // What stays must not be overwritten by whoever reads into the same memory again.
    rest = Buffer.from(giveLong(all.subarray(at)));
  }

  function end(): void {
    const last = rest;
    rest = Buffer.alloc(0);
    if (last.length > 0) give(last, NONE);
  }

  /** Behind the next line feed; 0 where there is none. */
  function endOfLine(bytes: Buffer, from: number): number {
    let found = bytes.indexOf(LINE_FEED[wide], from);
    // The second byte of one unit and the first of the next may look like it.
    while (found >= 0 && (found - from) % 2 === 1) found = bytes.indexOf(LINE_FEED[wide], found + 1);
    return found < 0 ? 0 : found + 2;
  }

  function giveLong(line: Buffer): Buffer {
    let left = line;
    while (left.length > most + 2) {
      const end = isFirstOfPair(left, most - 2) ? most - 2 : most;
      give(left.subarray(0, end), ["truncated"]);
      left = left.subarray(end);
    }
    return left;
  }

  function isFirstOfPair(bytes: Buffer, at: number): boolean {
    const high = bytes[wide === "little" ? at + 1 : at]!;
    return high >= 0xd8 && high < 0xdc;
  }

  function give(bytes: Buffer, flags: readonly string[]): void {
    const start = position;
    position += bytes.length;
    const text = textOf(bytes);
    const line = (start === 0 && text.charCodeAt(0) === 0xfeff ? text.slice(1) : text).replace(/\r?\n$/, "");
    const isValid = line.isWellFormed() && bytes.length % 2 === 0;
    onLine(isValid ? line : line.toWellFormed(), start, position, isValid ? flags : ["invalid_utf8", ...flags]);
  }

  function textOf(bytes: Buffer): string {
    if (wide === "little") return bytes.toString("utf16le");
    return Buffer.from(bytes.subarray(0, bytes.length - (bytes.length % 2)))
      .swap16()
      .toString("utf16le");
  }
}
