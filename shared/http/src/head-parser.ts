// A strict, bounded parser of HTTP/1.1 heads (RFC 9112). One instance serves many connections: a head is parsed and used
// within one turn, so nothing is allocated for it. What is not exactly HTTP is refused, never repaired.
import { FIELD } from "./field-names.ts";
import { FieldSection, INCOMPLETE } from "./field-section.ts";
import type { Refusal } from "./refusals.ts";
import { REFUSALS } from "./refusals.ts";
import { CR, LF, SP, TARGET, TOKEN, isHost, equals } from "./syntax.ts";

/** A method is short: the longest registered has 17 letters (UPDATEREDIRECTREF). */
const MAX_METHOD = 32;
const VERSION = Buffer.from("HTTP/1.");
/** Of these, `HTTP/`: what differs already there is no version at all. */
const PROTOCOL_LENGTH = 5;
const ZERO = 48;
/** Never added to. */
const NONE: string[] = [];

const GET = Buffer.from("GET");

export class HeadParser extends FieldSection {
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
  nominated: string[] = NONE;

  /** Parses a request's head at `from`; gives the offset behind it, INCOMPLETE or REFUSED. */
  parseRequest(bytes: Buffer, from: number): number {
    this.bytes = bytes;
    this.#forget();
    this.start = this.#skipEmptyLines(from);
    const fields = this.#parseRequestLine(this.start);
    if (fields <= 0) return this.#bounded(fields, REFUSALS.targetTooLong);
    const end = this.parseFields(bytes, fields);
    return end <= 0 ? this.#bounded(end, REFUSALS.headTooLarge) : this.#checkRequest(end);
  }

  /** Parses a response's head at `from`; gives the offset behind it, INCOMPLETE or REFUSED. */
  parseResponse(bytes: Buffer, from: number): number {
    this.bytes = bytes;
    this.#forget();
    this.start = from;
    const fields = this.#parseStatusLine(from);
    if (fields <= 0) return this.#bounded(fields, REFUSALS.headTooLarge);
    const end = this.parseFields(bytes, fields);
    return end <= 0 ? this.#bounded(end, REFUSALS.headTooLarge) : this.#checkFraming(end);
  }

  get method(): string {
    // By far the most frequent one is recognised without making a string.
    if (equals(this.bytes, this.start, this.methodEnd, GET)) return "GET";
    return this.bytes.toString("latin1", this.start, this.methodEnd);
  }

  get target(): string {
    return this.bytes.toString("latin1", this.targetStart, this.targetEnd);
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
    return result === INCOMPLETE && size > this.limits.maxHeadBytes ? this.refuse(tooLarge) : result;
  }

  #parseRequestLine(from: number): number {
    const { bytes } = this;
    const end = bytes.length;
    let at = from;
    while (at < end && TOKEN[bytes[at]!] !== 0) at++;
    if (at - from > MAX_METHOD) return this.refuse(REFUSALS.badRequestLine);
    if (at === end) return INCOMPLETE;
    // Perhaps the first half of an empty line.
    if (at === from && bytes[at] === CR && at + 1 === end) return INCOMPLETE;
    if (bytes[at] !== SP || at === from) return this.badByte(at, REFUSALS.badRequestLine);
    this.methodEnd = at;
    return this.#parseTarget(at + 1);
  }

  #parseTarget(from: number): number {
    const { bytes } = this;
    const end = bytes.length;
    let at = from;
    while (at < end && TARGET[bytes[at]!] !== 0) at++;
    if (at === end) return INCOMPLETE;
    // No target, or no version behind it, as in HTTP/0.9.
    if (at === from || bytes[at] === CR) return this.badByte(at, REFUSALS.badRequestLine);
    if (bytes[at] !== SP) return this.badByte(at, REFUSALS.badTarget);
    this.targetStart = from;
    this.targetEnd = at;
    const version = this.#parseVersion(at + 1);
    return version <= 0 ? version : this.lineEnd(version, REFUSALS.badRequestLine);
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
    return this.lineEnd(this.skipValue(at + 3), REFUSALS.controlCharacter);
  }

  #parseVersion(from: number): number {
    const { bytes } = this;
    const known = Math.min(VERSION.length, bytes.length - from);
    for (let i = 0; i < known; i++) {
      if (bytes[from + i] === VERSION[i]) continue;
      return this.badByte(from + i, i < PROTOCOL_LENGTH ? REFUSALS.badRequestLine : REFUSALS.badVersion);
    }
    if (bytes.length <= from + VERSION.length) return INCOMPLETE;
    this.minor = bytes[from + VERSION.length]! - ZERO;
    if (this.minor !== 0 && this.minor !== 1) return this.refuse(REFUSALS.badVersion);
    return from + VERSION.length + 1;
  }

  #checkRequest(end: number): number {
    if (this.host === -1 && this.minor === 1) return this.refuse(REFUSALS.noHost);
    if (this.host !== -1 && !isHost(this.bytes, this.valueStart[this.host]!, this.valueEnd[this.host]!)) {
      return this.refuse(REFUSALS.badHost);
    }
    return this.#checkFraming(end);
  }

  #checkFraming(end: number): number {
    // HTTP/1.0 has no transfer encodings: whoever sends one has not written it (RFC 9112 section 6.1).
    if (this.chunked && this.minor === 0) return this.refuse(REFUSALS.badTransferEncoding);
    if (this.chunked && this.contentLength !== -1) return this.refuse(REFUSALS.lengthAndEncoding);
    return end - this.start > this.limits.maxHeadBytes ? this.refuse(REFUSALS.headTooLarge) : end;
  }

  #forget(): void {
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

  /** Takes note of a field that the data plane acts on. */
  protected override note(id: number, index: number, next: number): number {
    switch (id) {
      case FIELD.host:
        if (this.host !== -1) return this.refuse(REFUSALS.severalHosts);
        this.host = index;
        return next;
      case FIELD.contentLength:
        return this.#noteLength(index, next);
      case FIELD.transferEncoding:
        if (this.chunked || this.value(index).toLowerCase() !== "chunked") {
          return this.refuse(REFUSALS.badTransferEncoding);
        }
        this.chunked = true;
        return next;
      case FIELD.connection:
        return this.#noteConnection(this.value(index).toLowerCase()) ? next : this.refuse(REFUSALS.tooManyFields);
      case FIELD.upgrade:
        this.upgrade = index;
        return next;
      case FIELD.te:
        this.te = index;
        return next;
      case FIELD.expect:
        this.expect = index;
        return next;
      default:
        return next;
    }
  }

  #noteLength(index: number, next: number): number {
    const [start, end] = [this.valueStart[index]!, this.valueEnd[index]!];
    let length = 0;
    for (let at = start; at < end; at++) {
      const digit = this.bytes[at]! - ZERO;
      if (digit < 0 || digit > 9) return this.refuse(REFUSALS.badContentLength);
      length = length * 10 + digit;
    }
    if (end === start || !Number.isSafeInteger(length)) return this.refuse(REFUSALS.badContentLength);
    if (this.contentLength !== -1) return this.refuse(REFUSALS.severalLengths);
    this.contentLength = length;
    return next;
  }

  /** False when more fields are nominated than a message can have. */
  #noteConnection(value: string): boolean {
    if (value === "keep-alive") this.keepAlive = true;
    else if (value === "close") this.close = true;
    else for (const option of value.split(",")) this.#noteOption(option.trim());
    return this.nominated.length <= this.limits.maxFields;
  }

  #noteOption(option: string): void {
    if (option === "close") this.close = true;
    else if (option === "keep-alive") this.keepAlive = true;
    else if (option === "upgrade") this.upgradeToken = true;
    else if (option !== "" && option !== "te") {
      if (this.nominated === NONE) this.nominated = [];
      this.nominated.push(option);
    }
  }
}

/** The Host field; empty when an HTTP/1.0 client sent none. */
export const hostOf = (head: HeadParser): string => (head.host === -1 ? "" : head.value(head.host));
