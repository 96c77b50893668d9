// Cuts the bytes of a client into commands (RESP arrays of bulk strings). Strict and bounded: nothing is allocated from a
// size that the client declares, and whatever is not exactly a command is a problem, after which nothing is read any more.

export type RequestLimits = {
  /** Bytes of one command. */
  readonly maxBytes: number;
  /** Arguments of one command, its name included. */
  readonly maxArguments: number;
};

const CR = 13;
const LF = 10;
const STAR = 42;
const DOLLAR = 36;
const ZERO = 48;
const NONE = Buffer.alloc(0);

/** What the next byte belongs to. */
const BEGIN = 0;
const COUNT = 1;
const COUNT_LF = 2;
const BULK = 3;
const LENGTH = 4;
const LENGTH_LF = 5;
const DATA = 6;
const DATA_CR = 7;
const DATA_LF = 8;

/** Parsers start with room for so many arguments, and take more as they come. */
const ROOM = 16;

export class RequestParser {
  /** Whether the last read() ended a command; its arguments can be asked for until the next read(). */
  complete = false;
  /** Why the bytes are no command. */
  problem: string | undefined;
  /** Where the command is: from `start` to `end` in `bytes`. */
  bytes: Buffer = NONE;
  start = 0;
  end = 0;
  /** How many arguments it has, its name included. */
  count = 0;
  /** Bytes of an incomplete command that are kept. */
  held = 0;

  readonly #limits: RequestLimits;
  #pieces: Buffer[] = [];
  #state = BEGIN;
  #number = 0;
  #digits = 0;
  #expected = 0;
  #remaining = 0;
  #firstHead = 0;
  // Relative to the command's first byte.
  #starts = new Int32Array(ROOM);
  #ends = new Int32Array(ROOM);

  constructor(limits: RequestLimits) {
    this.#limits = limits;
  }

  /** Where the bytes of argument `i` begin and end, in `bytes`. */
  argumentStart(i: number): number {
    return this.start + this.#starts[i]!;
  }
  argumentEnd(i: number): number {
    return this.start + this.#ends[i]!;
  }
  /** Where its form on the wire begins (`$<length>`) and ends (after CR LF). */
  wireStart(i: number): number {
    return this.start + (i === 0 ? this.#firstHead : this.#ends[i - 1]! + 2);
  }
  wireEnd(i: number): number {
    return this.argumentEnd(i) + 2;
  }
  text(i: number): string {
    return this.bytes.toString("latin1", this.argumentStart(i), this.argumentEnd(i));
  }

  /**
   * Reads on from `at`; gives where it stopped. That is the end of a command (`complete`), a `problem`, or the end of the
   * chunk, whose bytes are kept then. The chunk must not change until its commands have been dealt with.
   */
  read(chunk: Buffer, at: number): number {
    this.complete = false;
    // Position in the command = index in the chunk + shift.
    const shift = this.held - at;
    const stop = this.#scan(chunk, at, shift);
    if (this.problem !== undefined) return stop;
    if (this.complete) {
      this.#finish(chunk, at, stop);
      return stop;
    }
    if (this.#state === BEGIN) return stop;
    const piece = at === 0 ? chunk : chunk.subarray(at);
    this.#pieces.push(piece);
    this.held += piece.length;
    return stop;
  }

  #finish(chunk: Buffer, at: number, stop: number): void {
    this.#state = BEGIN;
    this.count = this.#expected;
    if (this.held === 0) {
      this.bytes = chunk;
      this.start = at;
      this.end = stop;
      return;
    }
    this.#pieces.push(chunk.subarray(at, stop));
    this.bytes = Buffer.concat(this.#pieces);
    this.start = 0;
    this.end = this.bytes.length;
    this.#pieces = [];
    this.held = 0;
  }

  /** Lets go of what a large command needed. */
  release(): void {
    this.bytes = NONE;
    if (this.#starts.length > 1024) {
      this.#starts = new Int32Array(ROOM);
      this.#ends = new Int32Array(ROOM);
    }
  }

  #scan(chunk: Buffer, from: number, shift: number): number {
    let at = from;
    while (at < chunk.length) {
      if (this.#state === DATA) {
        const taken = Math.min(this.#remaining, chunk.length - at);
        this.#remaining -= taken;
        at += taken;
        if (this.#remaining === 0) this.#state = DATA_CR;
        continue;
      }
      this.#step(chunk[at]!, at + shift);
      at++;
      if (this.complete || this.problem !== undefined) return at;
    }
    return at;
  }

  /** One byte that is not data; `position` is relative to the command. */
  #step(byte: number, position: number): void {
    switch (this.#state) {
      case BEGIN:
        return this.#expect(byte, STAR, COUNT);
      case COUNT:
      case LENGTH:
        return this.#digit(byte);
      case COUNT_LF:
        return this.#startArguments(byte, position);
      case BULK:
        return this.#expect(byte, DOLLAR, LENGTH);
      case LENGTH_LF:
        return this.#startData(byte, position);
      case DATA_CR:
        return this.#expect(byte, CR, DATA_LF);
      default:
        return this.#endArgument(byte, position);
    }
  }

  #expect(byte: number, expected: number, next: number): void {
    if (byte !== expected) {
      this.problem = `expected ${show(expected)}, got ${show(byte)}`;
      return;
    }
    this.#state = next;
    this.#number = 0;
    this.#digits = 0;
  }

  #digit(byte: number): void {
    const digit = byte - ZERO;
    if (digit >= 0 && digit <= 9 && this.#digits < 10) {
      this.#number = this.#number * 10 + digit;
      this.#digits++;
    } else if (byte === CR && this.#digits > 0) this.#state++;
    else this.problem = `expected a length, got ${show(byte)}`;
  }

  #startArguments(byte: number, position: number): void {
    if (byte !== LF || this.#number === 0 || this.#number > this.#limits.maxArguments) {
      this.problem = "invalid multibulk length";
      return;
    }
    this.#firstHead = position + 1;
    this.#expected = this.#number;
    this.count = 0;
    this.#state = BULK;
  }

  #startData(byte: number, position: number): void {
    if (byte !== LF || position + this.#number > this.#limits.maxBytes) {
      this.problem = "invalid bulk length";
      return;
    }
    const index = this.count++;
    if (index === this.#starts.length) this.#grow();
    this.#starts[index] = position + 1;
    this.#ends[index] = position + 1 + this.#number;
    this.#remaining = this.#number;
    this.#state = this.#number === 0 ? DATA_CR : DATA;
  }

  #endArgument(byte: number, position: number): void {
    if (byte !== LF) this.problem = `expected ${show(LF)}, got ${show(byte)}`;
    else if (this.count === this.#expected) this.complete = true;
    else if (position > this.#limits.maxBytes) this.problem = "command too long";
    else this.#state = BULK;
  }

  #grow(): void {
    const grow = (array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> => {
      const larger = new Int32Array(array.length * 2);
      larger.set(array);
      return larger;
    };
    this.#starts = grow(this.#starts);
    this.#ends = grow(this.#ends);
  }
}

function show(byte: number): string {
  if (byte === CR) return "CR";
  if (byte === LF) return "LF";
  return byte > 32 && byte < 127 ? `'${String.fromCharCode(byte)}'` : `byte ${byte}`;
}
