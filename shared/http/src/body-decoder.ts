// Where a message body ends (RFC 9112 section 6) and which of the bytes that arrive are its data. Chunked framing is
// checked strictly and dropped; whoever sends the data on frames it anew.
import type { FieldSection } from "./field-section.ts";
import { INCOMPLETE, REFUSED } from "./field-section.ts";
import { CR, HEX, LF, SP, TAB, VALUE } from "./syntax.ts";

/** How a body is framed. */
export const BODY = { none: 0, length: 1, chunked: 2, untilClose: 3 } as const;
export type BodyFraming = (typeof BODY)[keyof typeof BODY];

const STATE = { size: 0, padding: 1, extension: 2, sizeLf: 3, data: 4, dataCr: 5, dataLf: 6, trailers: 7 } as const;
const SEMICOLON = 59;
/** Thirteen hexadecimal digits are the most that a safe integer can have. */
const MAX_SIZE_DIGITS = 13;
/** Extensions mean nothing to us; so many more of them than of data are an attack (CVE-2024-22019). */
const MAX_EXTENSION_BYTES = 4096;
const MAX_TRAILER_BYTES = 8192;

/** Decodes one body after another: `begin`, then `decode` for each piece that arrives until `done`. */
export class BodyDecoder {
  readonly #trailerParser: FieldSection;
  framing: BodyFraming = BODY.none;
  done = true;
  failed = false;
  /** Ranges of data in the bytes last decoded: start, end, start, end ... */
  readonly ranges: number[] = [];
  /** Their total. */
  size = 0;
  /** Trailer lines that may be passed on, each with its CR LF. */
  trailers = "";

  #remaining = 0;
  #state: number = STATE.size;
  #digits = 0;
  #extensionBytes = 0;
  #trailerBytes: Buffer | undefined;

  /** `trailerParser` only needs to be free during calls of `decode`. */
  constructor(trailerParser: FieldSection) {
    this.#trailerParser = trailerParser;
  }

  begin(framing: BodyFraming, length: number): void {
    this.framing = framing;
    this.#remaining = framing === BODY.length ? length : 0;
    this.#state = STATE.size;
    this.#digits = 0;
    this.#extensionBytes = 0;
    this.#trailerBytes = undefined;
    this.trailers = "";
    this.failed = false;
    this.ranges.length = 0;
    this.size = 0;
    this.done = framing === BODY.none || (framing === BODY.length && length === 0);
  }

  /** Takes bytes from `from` on; gives the offset behind what belongs to the body. Check `failed` afterwards. */
  decode(bytes: Buffer, from: number): number {
    this.ranges.length = 0;
    this.size = 0;
    if (this.framing === BODY.chunked) return this.#decodeChunked(bytes, from);
    const available = bytes.length - from;
    const taken = this.framing === BODY.length ? Math.min(available, this.#remaining) : available;
    this.#addRange(from, from + taken);
    if (this.framing === BODY.length) {
      this.#remaining -= taken;
      this.done = this.#remaining === 0;
    }
    return from + taken;
  }

  /** The peer has ended its side, which is how a body without framing ends. */
  endByClose(): void {
    this.ranges.length = 0;
    this.size = 0;
    this.done = true;
  }

  #addRange(start: number, end: number): void {
    if (end === start) return;
    this.ranges.push(start, end);
    this.size += end - start;
  }

  #decodeChunked(bytes: Buffer, from: number): number {
    let at = from;
    while (at < bytes.length && !this.done && !this.failed) {
      if (this.#state === STATE.data) at = this.#takeData(bytes, at);
      else if (this.#state === STATE.trailers) at = this.#takeTrailers(bytes, at);
      else this.#takeFraming(bytes[at++]!);
    }
    return at;
  }

  #takeData(bytes: Buffer, from: number): number {
    const end = Math.min(bytes.length, from + this.#remaining);
    this.#addRange(from, end);
    this.#remaining -= end - from;
    if (this.#remaining === 0) this.#state = STATE.dataCr;
    return end;
  }

  #takeFraming(byte: number): void {
    switch (this.#state) {
      case STATE.size:
        this.#takeSize(byte);
        break;
      case STATE.padding:
      case STATE.extension:
        this.#takeExtension(byte);
        break;
      case STATE.sizeLf:
        this.#expect(byte, LF, this.#remaining === 0 ? STATE.trailers : STATE.data);
        this.#extensionBytes = Math.max(0, this.#extensionBytes - this.#remaining);
        this.#digits = 0;
        break;
      case STATE.dataCr:
        this.#expect(byte, CR, STATE.dataLf);
        break;
      default:
        this.#expect(byte, LF, STATE.size);
        this.#remaining = 0;
    }
  }

  #expect(byte: number, expected: number, next: number): void {
    if (byte === expected) this.#state = next;
    else this.failed = true;
  }

  #takeSize(byte: number): void {
    const digit = HEX[byte]!;
    if (digit !== 255) {
      this.#remaining = this.#remaining * 16 + digit;
      if (++this.#digits > MAX_SIZE_DIGITS) this.failed = true;
      return;
    }
    if (this.#digits === 0) this.failed = true;
    else this.#takeExtension(byte);
  }

  /** What may follow a size: the line's end, padding (old servers have it), or an extension. */
  #takeExtension(byte: number): void {
    if (byte === CR) this.#state = STATE.sizeLf;
    else if (++this.#extensionBytes > MAX_EXTENSION_BYTES || VALUE[byte] === 0) this.failed = true;
    else if (this.#state === STATE.extension || byte === SEMICOLON) this.#state = STATE.extension;
    else if (byte === SP || byte === TAB) this.#state = STATE.padding;
    else this.failed = true;
  }

  /** Trailers are rare and small: gathered, then parsed like a head's fields. */
  #takeTrailers(bytes: Buffer, from: number): number {
    const before = this.#trailerBytes?.length ?? 0;
    const part = bytes.subarray(from);
    const gathered = this.#trailerBytes === undefined ? Buffer.from(part) : Buffer.concat([this.#trailerBytes, part]);
    const parser = this.#trailerParser;
    // Only a line's end can complete them, or make them wrong.
    const end = part.includes(LF) ? parser.parseFields(gathered, 0) : INCOMPLETE;
    if (end > 0) {
      this.trailers = trailerLines(parser);
      this.done = true;
      this.#trailerBytes = undefined;
      return from + end - before;
    }
    this.failed = end === REFUSED || gathered.length > MAX_TRAILER_BYTES;
    this.#trailerBytes = gathered;
    return bytes.length;
  }
}

/** Only fields that mean nothing to a proxy pass: a trailer must not change framing, routing or identity. */
export function trailerLines(parser: FieldSection): string {
  let lines = "";
  for (let i = 0; i < parser.count; i++) {
    if (parser.id[i] !== 0) continue;
    lines += `${parser.bytes.toString("latin1", parser.nameStart[i], parser.nameEnd[i])}: ${parser.value(i)}\r\n`;
  }
  return lines;
}
