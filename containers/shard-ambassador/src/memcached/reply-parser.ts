// Finds where replies end in the bytes of a memcached server, text and meta, without looking into the values.

const CR = 13;
const LF = 10;

const MAX_LINE = 4096;
/** A line of text, or the data that it has announced. */
const LINE = 0;
const LINE_LF = 1;
const DATA = 2;

const VALUES = /^VALUE \S+ \d+ (?<length>\d{1,10})(?: \d+)?$/;
const VALUE = /^VA (?<length>\d{1,10})(?: |$)/;

export class ReplyParser {
  /** Whether the last read() ended a reply. */
  complete = false;
  problem: string | undefined;
  /** Of no meaning here: there is nothing that nobody has asked for. */
  readonly type = 0;

  #state = LINE;
  #line = "";
  #remaining = 0;
  /** Whether lines follow until one that is no `VALUE`. */
  #isList = false;
  #size = 0;
  readonly #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Reads on from `from`; gives where it stopped: after a reply (`complete`), at a `problem`, or at the end of the chunk. */
  read(chunk: Buffer, from: number): number {
    this.complete = false;
    let at = from;
    while (at < chunk.length && !this.complete && this.problem === undefined) {
      if (this.#state === LINE) at = this.#readLine(chunk, at);
      else if (this.#state === LINE_LF) this.#endLine(chunk[at++]!);
      else at = this.#readData(chunk, at);
    }
    this.#size = this.complete ? 0 : this.#size + at - from;
    if (this.#size > this.#maxBytes) this.problem = "the reply is too large";
    return at;
  }

  #readLine(chunk: Buffer, from: number): number {
    const found = chunk.indexOf(CR, from);
    const to = found === -1 ? chunk.length : found;
    if (this.#line.length + to - from > MAX_LINE) {
      this.problem = "a line is too long";
      return from;
    }
    this.#line += chunk.toString("latin1", from, to);
    if (found === -1) return to;
    this.#state = LINE_LF;
    return to + 1;
  }

  #endLine(byte: number): void {
    if (byte !== LF || this.#line.includes("\n") || this.#line === "") {
      this.problem = "a line does not end with CR LF";
      return;
    }
    const line = this.#line;
    this.#line = "";
    this.#state = LINE;
    const length = (VALUES.exec(line) ?? VALUE.exec(line))?.groups?.["length"];
    if (length === undefined) {
      this.#isList = false;
      this.complete = true;
      return;
    }
    this.#isList = line.startsWith("VALUE");
    this.#remaining = Number(length) + 2;
    this.#state = DATA;
  }

  #readData(chunk: Buffer, from: number): number {
    const taken = Math.min(this.#remaining, chunk.length - from);
    this.#remaining -= taken;
    if (this.#remaining === 0) {
      this.#state = LINE;
      this.complete = !this.#isList;
    }
    return from + taken;
  }
}
