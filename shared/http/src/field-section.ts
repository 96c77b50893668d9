// The lines of fields that a head and a trailer section have in common: a strict, bounded parser (RFC 9110 section 5, RFC
// 9112 section 5) which takes note of what the framing and connection fields say.
import type { FieldNames } from "./field-names.ts";
import { FIELD, addToHash } from "./field-names.ts";
import type { Refusal } from "./refusals.ts";
import { REFUSALS } from "./refusals.ts";
import { COLON, CR, LF, SP, TAB, TOKEN, VALUE } from "./syntax.ts";

/** Bounds of a head. */
export type HeadLimits = {
  /** Bytes from the first to the last of a head. */
  readonly maxHeadBytes: number;
  readonly maxFields: number;
};

/** What is parsed is not complete yet. */
export const INCOMPLETE = 0;
/** It is refused; `refusal` says why. */
export const REFUSED = -1;

const ZERO = 48;
/** Never added to. */
const NONE: string[] = [];

export class FieldSection {
  readonly #names: FieldNames;
  protected readonly limits: HeadLimits;

  /** The bytes last parsed; all offsets are into them. */
  bytes: Buffer = Buffer.alloc(0);
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
  nominated: string[] = NONE;

  refusal: Refusal = REFUSALS.badFieldName;

  constructor(names: FieldNames, limits: HeadLimits) {
    this.#names = names;
    this.limits = limits;
    this.nameStart = new Int32Array(limits.maxFields + 1);
    this.nameEnd = new Int32Array(limits.maxFields + 1);
    this.valueStart = new Int32Array(limits.maxFields + 1);
    this.valueEnd = new Int32Array(limits.maxFields + 1);
    this.id = new Int32Array(limits.maxFields + 1);
  }

  /** Parses field lines at `from` up to the empty line; gives the offset behind that, INCOMPLETE or REFUSED. */
  parseFields(bytes: Buffer, from: number): number {
    this.bytes = bytes;
    this.fieldsStart = from;
    this.#forget();
    let at = from;
    for (;;) {
      if (at >= bytes.length) return INCOMPLETE;
      if (bytes[at] === CR) {
        this.fieldsEnd = at;
        return this.lineEnd(at, REFUSALS.controlCharacter);
      }
      if (this.count >= this.limits.maxFields) return this.refuse(REFUSALS.tooManyFields);
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

  protected refuse(refusal: Refusal): typeof REFUSED {
    this.refusal = refusal;
    return REFUSED;
  }

  /** Behind the CR LF at `at`; any other byte there is refused. */
  protected lineEnd(at: number, otherwise: Refusal): number {
    const { bytes } = this;
    if (at >= bytes.length) return INCOMPLETE;
    if (bytes[at] !== CR) return this.badByte(at, otherwise);
    if (at + 1 >= bytes.length) return INCOMPLETE;
    return bytes[at + 1] === LF ? at + 2 : this.refuse(REFUSALS.bareCr);
  }

  protected badByte(at: number, otherwise: Refusal): typeof REFUSED {
    return this.refuse(this.bytes[at] === LF ? REFUSALS.bareLf : otherwise);
  }

  protected skipValue(from: number): number {
    const { bytes } = this;
    const end = bytes.length;
    let at = from;
    while (at < end && VALUE[bytes[at]!] !== 0) at++;
    return at;
  }

  #forget(): void {
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
    return id > 0 ? this.#note(id, index, next) : next;
  }

  #parseValue(from: number, index: number): number {
    const { bytes } = this;
    let start = from;
    while (bytes[start] === SP || bytes[start] === TAB) start++;
    let end = this.skipValue(start);
    const next = this.lineEnd(end, REFUSALS.controlCharacter);
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

  /** Takes note of a field that the data plane acts on; gives `next`, or REFUSED. */
  #note(id: number, index: number, next: number): number {
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
