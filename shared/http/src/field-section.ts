// The lines of fields that a head and a trailer section have in common: a strict, bounded parser of them (RFC 9110 section
// 5, RFC 9112 section 5). Of a trailer section that is all: what its fields say, nobody acts on.
import type { FieldNames } from "./field-names.ts";
import { addToHash } from "./field-names.ts";
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
    this.count = 0;
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
    return id > 0 ? this.note(id, index, next) : next;
  }

  /** Takes note of a field with a known name; gives `next`, or REFUSED. */
  protected note(_id: number, _index: number, next: number): number {
    return next;
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
}
