// Cuts the bytes of a memcached client into commands: a line, and the data block that some have. Strict and bounded: where
// it is in doubt what the next bytes are, that is a problem, after which nothing is read any more.

export type RequestLimits = {
  /** Bytes of one command, its data included. */
  readonly maxBytes: number;
};

/** A line, of which a `get` with many keys is the longest. */
export const MAX_LINE = 256 * 1024;

const CR = 13;
const LF = 10;
const SPACE = 32;
const DELETE = 127;
const NONE = Buffer.alloc(0);

/** What the next byte belongs to. */
const LINE = 0;
const LINE_LF = 1;
const DATA = 2;
const DATA_CR = 3;
const DATA_LF = 4;
const LINE_ENDED = 5;

/** Which argument says how long the data is. */
const LENGTH_AT: Readonly<Record<string, number>> = {
  set: 4,
  add: 4,
  replace: 4,
  append: 4,
  prepend: 4,
  cas: 4,
  ms: 2,
};

export class RequestParser {
  /** Whether the last read() ended a command; its arguments can be asked for until the next read(). */
  complete = false;
  /** Why the bytes are no command. */
  problem: string | undefined;
  /** Where the command is: from `start` to `end` in `bytes`. */
  bytes: Buffer = NONE;
  start = 0;
  end = 0;
  /** How many words its line has, its name included. */
  count = 0;
  /** Bytes of an incomplete command that are kept. */
  held = 0;

  readonly #maxBytes: number;
  #pieces: Buffer[] = [];
  #state = LINE;
  #position = 0;
  #isInWord = false;
  #remaining = 0;
  // Relative to the command's first byte.
  #lineEnd = 0;
  #starts: number[] = [];
  #ends: number[] = [];

  constructor({ maxBytes }: RequestLimits) {
    this.#maxBytes = maxBytes;
  }

  /** Where word `i` begins and ends, in `bytes`. */
  argumentStart(i: number): number {
    return this.start + this.#starts[i]!;
  }
  argumentEnd(i: number): number {
    return this.start + this.#ends[i]!;
  }
  /** Where the line ends, before CR LF. */
  get lineEnd(): number {
    return this.start + this.#lineEnd;
  }
  text(i: number): string {
    return this.bytes.toString("latin1", this.argumentStart(i), this.argumentEnd(i));
  }

  /** Reads on from `at`; gives where it stopped: after a command (`complete`), at a `problem`, or at the end of the chunk. */
  read(chunk: Buffer, from: number): number {
    if (this.#position === 0) this.#begin();
    this.complete = false;
    let at = from;
    while (at < chunk.length && !this.complete && this.problem === undefined) {
      if (this.#state === DATA) {
        const taken = Math.min(this.#remaining, chunk.length - at);
        this.#remaining -= taken;
        this.#position += taken;
        at += taken;
        if (this.#remaining === 0) this.#state = DATA_CR;
      } else {
        this.#step(chunk[at++]!, this.#position++);
        if (this.#state === LINE_ENDED) this.#endLine(this.#joined(chunk, from, at));
      }
    }
    if (this.complete) this.#finish(chunk, from, at);
    else if (this.problem === undefined) this.#keep(chunk, from);
    return at;
  }

  /** Lets go of the command's bytes. */
  release(): void {
    this.bytes = NONE;
  }

  #begin(): void {
    this.#starts = [];
    this.#ends = [];
    this.#isInWord = false;
  }

  #keep(chunk: Buffer, from: number): void {
    const piece = from === 0 ? chunk : chunk.subarray(from);
    this.#pieces.push(piece);
    this.held += piece.length;
  }

  #joined(chunk: Buffer, from: number, to: number): Buffer {
    const piece = chunk.subarray(from, to);
    return this.#pieces.length === 0 ? piece : Buffer.concat([...this.#pieces, piece]);
  }

  #finish(chunk: Buffer, from: number, to: number): void {
    this.count = this.#starts.length;
    this.bytes = this.held === 0 ? chunk : this.#joined(chunk, from, to);
    this.start = this.held === 0 ? from : 0;
    this.end = this.start + this.#position;
    this.#pieces = [];
    this.held = 0;
    this.#position = 0;
    this.#state = LINE;
  }

  /** One byte that is not data; `position` is relative to the command. */
  #step(byte: number, position: number): void {
    if (this.#state === LINE) return this.#readLine(byte, position);
    const wanted = this.#state === DATA_CR ? CR : LF;
    if (byte !== wanted) this.problem = this.#state === LINE_LF ? "CR without LF" : "bad data chunk";
    else if (this.#state === LINE_LF) this.#state = LINE_ENDED;
    else if (this.#state === DATA_CR) this.#state = DATA_LF;
    else this.complete = true;
  }

  #readLine(byte: number, position: number): void {
    if (byte > SPACE && byte !== DELETE) {
      if (!this.#isInWord) this.#starts.push(position);
      this.#isInWord = true;
    } else if (byte === SPACE || byte === CR) {
      if (this.#isInWord) this.#ends.push(position);
      this.#isInWord = false;
      this.#lineEnd = position;
      if (byte === CR) this.#state = LINE_LF;
    } else this.problem = byte === LF ? "a line ends without CR" : "a line has a control character";
    if (position >= MAX_LINE) this.problem = "line too long";
  }

  #endLine(line: Buffer): void {
    const word = (i: number): string => line.toString("latin1", this.#starts[i], this.#ends[i]);
    const name = this.#starts.length === 0 ? "" : word(0);
    // What another protocol's text says must never be carried out.
    if (!/^[a-z_]{1,32}$/.test(name)) {
      this.problem = "this is no command of memcached";
      return;
    }
    const lengthAt = Object.hasOwn(LENGTH_AT, name) ? LENGTH_AT[name] : undefined;
    if (lengthAt === undefined) {
      this.complete = true;
      return;
    }
    const length = lengthAt < this.#starts.length ? word(lengthAt) : "";
    if (!/^\d{1,10}$/.test(length)) this.problem = "bad command line format";
    else if (Number(length) + line.length + 2 > this.#maxBytes) this.problem = "object too large";
    this.#remaining = Number(length);
    this.#state = this.#remaining === 0 ? DATA_CR : DATA;
  }
}
