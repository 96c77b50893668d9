// Finds where replies end in the bytes of a shard, RESP2 and RESP3, without looking into them.

/** How deep aggregates may be nested. */
const MAX_DEPTH = 32;
/** Digits of a length, its sign included. */
const MAX_DIGITS = 16;

const CR = 13;
const LF = 10;
const MINUS = 45;
const ZERO = 48;

const TYPE = 0;
const LINE = 1;
const LINE_LF = 2;
const LENGTH = 3;
const LENGTH_LF = 4;
const DATA = 5;

/** What follows a type byte: a line, data of a length, or so many elements. */
const IS_LINE = 1;
const IS_BULK = 2;
const IS_AGGREGATE = 3;
const FORMS = new Uint8Array(256);
for (const byte of Buffer.from("+-:_,#(")) FORMS[byte] = IS_LINE;
for (const byte of Buffer.from("$!=")) FORMS[byte] = IS_BULK;
for (const byte of Buffer.from("*~>%|")) FORMS[byte] = IS_AGGREGATE;
const PERCENT = 37;
const BAR = 124;

export class ReplyParser {
  /** Whether the last read() ended a reply. */
  complete = false;
  problem: string | undefined;
  /** The first byte of the reply at work. */
  type = 0;

  #state = TYPE;
  #element = 0;
  #number = 0;
  #digits = 0;
  #negative = false;
  #remaining = 0;
  #size = 0;
  #depth = 0;
  readonly #left = new Float64Array(MAX_DEPTH);
  readonly #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Reads on from `at`; gives where it stopped: after a reply (`complete`), at a `problem`, or at the end of the chunk. */
  read(chunk: Uint8Array, from: number): number {
    this.complete = false;
    let at = from;
    while (at < chunk.length) {
      if (this.#state === DATA) {
        const taken = Math.min(this.#remaining, chunk.length - at);
        this.#remaining -= taken;
        at += taken;
        if (this.#remaining === 0) this.#endElement();
      } else this.#step(chunk[at++]!);
      if (this.complete || this.problem !== undefined) break;
    }
    this.#size = this.complete ? 0 : this.#size + at - from;
    if (this.#size > this.#maxBytes) this.problem = "the reply is too large";
    return at;
  }

  #step(byte: number): void {
    switch (this.#state) {
      case TYPE:
        return this.#start(byte);
      case LINE:
        if (byte === CR) this.#state = LINE_LF;
        else if (byte === LF) this.problem = "a line ends without CR";
        return;
      case LENGTH:
        return this.#digit(byte);
      default:
        if (byte !== LF) this.problem = "CR without LF";
        else if (this.#state === LINE_LF) this.#endElement();
        else this.#startContent();
    }
  }

  #start(byte: number): void {
    const form = FORMS[byte]!;
    if (form === 0) {
      this.problem = `byte ${byte} begins no reply`;
      return;
    }
    if (this.#depth === 0) this.type = byte;
    this.#element = byte;
    this.#number = 0;
    this.#digits = 0;
    this.#negative = false;
    this.#state = form === IS_LINE ? LINE : LENGTH;
  }

  #digit(byte: number): void {
    const digit = byte - ZERO;
    if (digit >= 0 && digit <= 9 && this.#digits < MAX_DIGITS) {
      this.#number = this.#number * 10 + digit;
      this.#digits++;
    } else if (byte === CR && this.#digits > 0) this.#state = LENGTH_LF;
    else if (byte === MINUS && this.#digits === 0 && !this.#negative) this.#negative = true;
    else this.problem = "a length is not a number";
  }

  #startContent(): void {
    // -1 stands for null.
    if (this.#negative) return this.#endElement();
    if (FORMS[this.#element] === IS_BULK) {
      this.#remaining = this.#number + 2;
      this.#state = DATA;
      return;
    }
    const doubled = this.#element === PERCENT || this.#element === BAR;
    // Attributes are followed by what they belong to.
    const elements = this.#number * (doubled ? 2 : 1) + (this.#element === BAR ? 1 : 0);
    if (elements === 0) return this.#endElement();
    if (this.#depth === MAX_DEPTH) {
      this.problem = "the reply is nested too deep";
      return;
    }
    this.#left[this.#depth++] = elements;
    this.#state = TYPE;
  }

  #endElement(): void {
    this.#state = TYPE;
    while (this.#depth > 0) {
      const left = this.#left[this.#depth - 1]! - 1;
      this.#left[this.#depth - 1] = left;
      if (left > 0) return;
      this.#depth--;
    }
    this.complete = true;
  }
}
