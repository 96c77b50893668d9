// A strict, bounded parser of HTTP/1.1 heads (RFC 9112). One instance serves many connections: a head is parsed and used
// within one turn, so nothing is allocated for it. What is not exactly HTTP is refused, never repaired.
import type { FieldNames } from "./field-names.ts";
import { FIELD, addToHash } from "./field-names.ts";
import type { Refusal } from "./refusals.ts";
import { REFUSALS } from "./refusals.ts";
import { COLON, CR, LF, SP, TAB, TARGET, TOKEN, VALUE, isHost } from "./syntax.ts";

/** Bounds of a head. */
export type HeadLimits = {
  /** Bytes from the first to the last of a head. */
  readonly maxHeadBytes: number;
  readonly maxFields: number;
};

/** The head is not complete yet. */
export const INCOMPLETE = 0;
/** The head is refused; `refusal` says why. */
export const REFUSED = -1;

/** A method is short: the longest registered has 17 letters (UPDATEREDIRECTREF). */
const MAX_METHOD = 32;
const VERSION = Buffer.from("HTTP/1.");
const ZERO = 48;

export class HeadParser {
  readonly #names: FieldNames;
  readonly #limits: HeadLimits;

  /** The bytes last parsed; all offsets are into them. */
  bytes: Buffer = Buffer.alloc(0);
  /** Where the head begins, after empty lines that the peer may have sent before it. */
  start = 0;
  methodEnd = 0;
  targetStart = 0;
  targetEnd = 0;
  /** Where the status code of a response begins. */
  statusStart = 0;
  status = 0;
  /** Minor version: 0 or 1. */
  minor = 1;
  /** Where the fields begin; each field's line goes on to where the next begins. */
  fieldsStart = 0;
  fieldsEnd = 0;

  /** Fields: names, values and identities by index. */
  count = 0;
  readonly nameStart: Int32Array;
  readonly nameEnd: Int32Array;
  readonly valueStart: Int32Array;
  readonly valueEnd: Int32Array;
  readonly id: Int32Array;

  /** What the framing and connection fields say; -1 and false where they are absent. */
  contentLength = -1;
  chunked = false;
  host = -1;
  upgrade = -1;
  te = -1;
  expect = -1;
  close = false;
  keepAlive = false;
  upgradeToken = false;
  /** Names in Connection other than those above, in lower case; usually empty. */
  nominated: readonly string[] = NONE;

  refusal: Refusal = REFUSALS.badRequestLine;

  constructor(names: FieldNames, limits: HeadLimits) {
    this.#names = names;
    this.#limits = limits;
    this.nameStart = new Int32Array(limits.maxFields + 1);
    this.nameEnd = new Int32Array(limits.maxFields + 1);
    this.valueStart = new Int32Array(limits.maxFields + 1);
    this.valueEnd = new Int32Array(limits.maxFields + 1);
    this.id = new Int32Array(limits.maxFields + 1);
  }

  /** Parses a request's head at `from`; gives the offset behind it, INCOMPLETE or REFUSED. */
  parseRequest(bytes: Buffer, from: number): number {
    this.#reset(bytes);
    this.start = this.#skipEmptyLines(from);
    const fields = this.#parseRequestLine(this.start);
    if (fields <= 0) return this.#bounded(fields, REFUSALS.targetTooLong);
    const end = this.parseFields(bytes, fields);
    return end <= 0 ? this.#bounded(end, REFUSALS.headTooLarge) : this.#checkRequest(end);
  }

  /** Parses a response's head at `from`; gives the offset behind it, INCOMPLETE or REFUSED. */
  parseResponse(bytes: Buffer, from: number): number {
    this.#reset(bytes);
    this.start = from;
    const fields = this.#parseStatusLine(from);
    if (fields <= 0) return this.#bounded(fields, REFUSALS.headTooLarge);
    const end = this.parseFields(bytes, fields);
    return end <= 0 ? this.#bounded(end, REFUSALS.headTooLarge) : this.#checkFraming(end);
  }

  /** Parses field lines at `from` up to the empty line; also used for trailers. */
  parseFields(bytes: Buffer, from: number): number {
    this.bytes = bytes;
    this.fieldsStart = from;
    this.count = 0;
    let at = from;
    for (;;) {
      if (at >= bytes.length) return INCOMPLETE;
      const first = bytes[at]!;
      if (first === CR) {
        this.fieldsEnd = at;
        return this.#lineEnd(at);
      }
      if (this.count >= this.#limits.maxFields) return this.refuse(REFUSALS.tooManyFields);
      at = this.#parseField(at);
      if (at <= 0) return at;
    }
  }

  /** A field's value as text, each byte one character. */
  value(index: number): string {
    return this.bytes.toString("latin1", this.valueStart[index], this.valueEnd[index]);
  }

  /** The value of the first field with this name in lower case, or undefined. For names outside the hot path. */
  find(name: string): string | undefined {
    for (let i = 0; i < this.count; i++) {
      if (this.name(i) === name) return this.value(i);
    }
    return undefined;
  }

  /** A field's name in lower case. */
  name(index: number): string {
    return this.bytes.toString("latin1", this.nameStart[index], this.nameEnd[index]).toLowerCase();
  }

  get method(): string {
    return this.bytes.toString("latin1", this.start, this.methodEnd);
  }

  get target(): string {
    return this.bytes.toString("latin1", this.targetStart, this.targetEnd);
  }

  refuse(refusal: Refusal): typeof REFUSED {
    this.refusal = refusal;
    return REFUSED;
  }

  #reset(bytes: Buffer): void {
    this.bytes = bytes;
    this.count = 0;
    this.contentLength = -1;
    this.chunked = false;
    this.host = -1;
    this.upgrade = -1;
    this.te = -1;
    this.expect = -1;
    this.close = false;
    this.keepAlive = false;
    this.upgradeToken = false;
    this.nominated = NONE;
  }

  /** An empty line before a request is ignored (RFC 9112 section 2.2); two at most. */
  #skipEmptyLines(from: number): number {
    let at = from;
    for (let skipped = 0; skipped < 2 && this.bytes[at] === CR && this.bytes[at + 1] === LF; skipped++) at += 2;
    return at;
  }

  /** A head that has not ended may still be too large; so may one that has. */
  #bounded(result: number, tooLarge: Refusal): number {
    const size = this.bytes.length - this.start;
    return result === INCOMPLETE && size > this.#limits.maxHeadBytes ? this.refuse(tooLarge) : result;
  }

  #parseRequestLine(from: number): number {
    const { bytes } = this;
    const end = bytes.length;
    let at = from;
    while (at < end && TOKEN[bytes[at]!] !== 0) at++;
    if (at - from > MAX_METHOD) return this.refuse(REFUSALS.badRequestLine);
    if (at === end) return INCOMPLETE;
    if (bytes[at] !== SP || at === from) return this.#badByte(at, REFUSALS.badRequestLine);
    this.methodEnd = at;
    return this.#parseTarget(at + 1);
  }

  #parseTarget(from: number): number {
    const { bytes } = this;
    const end = bytes.length;
    let at = from;
    while (at < end && TARGET[bytes[at]!] !== 0) at++;
    if (at === end) return INCOMPLETE;
    if (bytes[at] !== SP || at === from) return this.#badByte(at, REFUSALS.badTarget);
    this.targetStart = from;
    this.targetEnd = at;
    const version = this.#parseVersion(at + 1);
    return version <= 0 ? version : this.#lineEnd(version);
  }

  #parseStatusLine(from: number): number {
    const version = this.#parseVersion(from);
    if (version <= 0) return version;
    const { bytes } = this;
    // A space, three digits, and one byte more, which has to be a space or the end of the line.
    if (bytes.length < version + 5) return INCOMPLETE;
    const at = version + 1;
    const [a, b, c] = [bytes[at]! - ZERO, bytes[at + 1]! - ZERO, bytes[at + 2]! - ZERO];
    const digits = a >= 1 && a <= 5 && b >= 0 && b <= 9 && c >= 0 && c <= 9;
    if (bytes[version] !== SP || !digits) return this.refuse(REFUSALS.badStatusLine);
    this.statusStart = at;
    this.status = a * 100 + b * 10 + c;
    if (bytes[at + 3] !== SP && bytes[at + 3] !== CR) return this.refuse(REFUSALS.badStatusLine);
    return this.#lineEnd(this.#skipValue(at + 3));
  }

  #parseVersion(from: number): number {
    const { bytes } = this;
    const known = Math.min(VERSION.length, bytes.length - from);
    for (let i = 0; i < known; i++) {
      if (bytes[from + i] !== VERSION[i]) return this.refuse(REFUSALS.badVersion);
    }
    if (bytes.length <= from + VERSION.length) return INCOMPLETE;
    this.minor = bytes[from + VERSION.length]! - ZERO;
    if (this.minor !== 0 && this.minor !== 1) return this.refuse(REFUSALS.badVersion);
    return from + VERSION.length + 1;
  }

  /** Behind the CR LF at `at`. */
  #lineEnd(at: number): number {
    const { bytes } = this;
    if (at >= bytes.length) return INCOMPLETE;
    if (bytes[at] !== CR) return this.#badByte(at, REFUSALS.controlCharacter);
    if (at + 1 >= bytes.length) return INCOMPLETE;
    return bytes[at + 1] === LF ? at + 2 : this.refuse(REFUSALS.bareCr);
  }

  #badByte(at: number, otherwise: Refusal): typeof REFUSED {
    return this.refuse(this.bytes[at] === LF ? REFUSALS.bareLf : otherwise);
  }

  #skipValue(from: number): number {
    const { bytes } = this;
    const end = bytes.length;
    let at = from;
    while (at < end && VALUE[bytes[at]!] !== 0) at++;
    return at;
  }

  /** One field line: name, colon, value between optional white space, CR LF. */
  #parseField(from: number): number {
    const { bytes } = this;
    const end = bytes.length;
    let at = from;
    let hash = 0;
    for (let normal = 0; at < end && (normal = TOKEN[bytes[at]!]!) !== 0; at++) hash = addToHash(hash, normal);
    if (at === end) return INCOMPLETE;
    if (bytes[at] !== COLON || at === from) return this.#badFieldName(from, at);
    const index = this.count;
    const next = this.#parseValue(at + 1, index);
    if (next <= 0) return next;
    this.count++;
    this.nameStart[index] = from;
    this.nameEnd[index] = at;
    const id = this.#names.find(bytes, from, at, hash);
    this.id[index] = id;
    return id > 0 && !this.#note(id, index) ? REFUSED : next;
  }

  #parseValue(from: number, index: number): number {
    const { bytes } = this;
    let start = from;
    while (bytes[start] === SP || bytes[start] === TAB) start++;
    let end = this.#skipValue(start);
    const next = this.#lineEnd(end);
    while (end > start && (bytes[end - 1] === SP || bytes[end - 1] === TAB)) end--;
    this.valueStart[index] = start;
    this.valueEnd[index] = end;
    return next;
  }

  #badFieldName(from: number, at: number): typeof REFUSED {
    const byte = this.bytes[at];
    if (byte === LF) return this.refuse(REFUSALS.bareLf);
    if (byte !== SP && byte !== TAB) return this.refuse(REFUSALS.badFieldName);
    return this.refuse(at === from ? REFUSALS.foldedField : REFUSALS.spaceBeforeColon);
  }

  /** Takes note of a field that the data plane acts on; false when it is refused. */
  #note(id: number, index: number): boolean {
    switch (id) {
      case FIELD.host:
        if (this.host !== -1) return this.refuse(REFUSALS.severalHosts) !== REFUSED;
        this.host = index;
        return true;
      case FIELD.contentLength:
        return this.#noteLength(index);
      case FIELD.transferEncoding:
        if (this.chunked || this.value(index).toLowerCase() !== "chunked") {
          return this.refuse(REFUSALS.badTransferEncoding) !== REFUSED;
        }
        this.chunked = true;
        return true;
      case FIELD.connection:
        this.#noteConnection(this.value(index).toLowerCase());
        return true;
      case FIELD.upgrade:
        this.upgrade = index;
        return true;
      case FIELD.te:
        this.te = index;
        return true;
      case FIELD.expect:
        this.expect = index;
        return true;
      default:
        return true;
    }
  }

  #noteLength(index: number): boolean {
    const [start, end] = [this.valueStart[index]!, this.valueEnd[index]!];
    let length = 0;
    for (let at = start; at < end; at++) {
      const digit = this.bytes[at]! - ZERO;
      if (digit < 0 || digit > 9) return this.refuse(REFUSALS.badContentLength) !== REFUSED;
      length = length * 10 + digit;
    }
    if (end === start || !Number.isSafeInteger(length)) return this.refuse(REFUSALS.badContentLength) !== REFUSED;
    if (this.contentLength !== -1) return this.refuse(REFUSALS.severalLengths) !== REFUSED;
    this.contentLength = length;
    return true;
  }

  #noteConnection(value: string): void {
    for (const part of value === "keep-alive" || value === "close" ? [value] : value.split(",")) {
      const name = part.trim();
      if (name === "close") this.close = true;
      else if (name === "keep-alive") this.keepAlive = true;
      else if (name === "upgrade") this.upgradeToken = true;
      else if (name !== "" && name !== "te") this.nominated = [...this.nominated, name];
    }
  }

  #checkRequest(end: number): number {
    if (this.host === -1 && this.minor === 1) return this.refuse(REFUSALS.noHost);
    if (this.host !== -1 && !isHost(this.bytes, this.valueStart[this.host]!, this.valueEnd[this.host]!)) {
      return this.refuse(REFUSALS.badHost);
    }
    if (this.chunked && this.minor === 0) return this.refuse(REFUSALS.badTransferEncoding);
    return this.#checkFraming(end);
  }

  #checkFraming(end: number): number {
    if (this.chunked && this.contentLength !== -1) return this.refuse(REFUSALS.lengthAndEncoding);
    return end - this.start > this.#limits.maxHeadBytes ? this.refuse(REFUSALS.headTooLarge) : end;
  }
}

const NONE: readonly string[] = [];
