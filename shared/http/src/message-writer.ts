// Puts messages together: the lines of a head that are kept, lines that are added, and the data of a body in new
// framing - as one buffer, because each write costs more than a copy of a few kilobytes.
import type { BodyDecoder } from "./body-decoder.ts";
import type { HeadParser } from "./head-parser.ts";
import { CRLF } from "./syntax.ts";

const LAST_CHUNK = "0\r\n";
/** A chunk's size line: at most 13 digits, and CR LF. */
const MAX_SIZE_LINE = 15;

/** Which fields of a head are not passed on. */
export type FieldRule = {
  /** 1 for each identity that is dropped. */
  readonly dropped: Uint8Array;
  /**
   * Whether names go that are spelt with `_` or the like for `-` of a known one: to some applications `content_length` is
   * Content-Length.
   */
  readonly dropAliases: boolean;
};

export class MessageWriter {
  #bytes: Buffer = Buffer.allocUnsafeSlow(64 * 1024);
  #length = 0;

  begin(): this {
    this.#length = 0;
    return this;
  }

  text(text: string): this {
    this.#reserve(text.length);
    this.#length += this.#bytes.write(text, this.#length, "latin1");
    return this;
  }

  copy(from: Buffer, start: number, end: number): this {
    this.#reserve(end - start);
    from.copy(this.#bytes, this.#length, start, end);
    this.#length += end - start;
    return this;
  }

  /** Copies the field lines that the rule lets pass and that Connection does not nominate. */
  fields(head: HeadParser, { dropped, dropAliases }: FieldRule): this {
    const { bytes, count, nameStart, id, nominated } = head;
    let kept = head.fieldsStart;
    for (let i = 0; i < count; i++) {
      const identity = id[i]!;
      const drop = identity < 0 ? dropAliases : dropped[identity] === 1;
      if (!drop && (nominated.length === 0 || !isNominated(head, i))) continue;
      this.copy(bytes, kept, nameStart[i]!);
      kept = i + 1 < count ? nameStart[i + 1]! : head.fieldsEnd;
    }
    return this.copy(bytes, kept, head.fieldsEnd);
  }

  /** The data that `body` has just decoded from `bytes`: as one chunk where `chunked`, with the end where it is done. */
  body(body: BodyDecoder, bytes: Buffer, chunked: boolean): this {
    const { ranges, size } = body;
    if (chunked && size > 0) this.text(size.toString(16) + CRLF);
    for (let i = 0; i < ranges.length; i += 2) this.copy(bytes, ranges[i]!, ranges[i + 1]!);
    if (!chunked) return this;
    if (size > 0) this.text(CRLF);
    return body.done ? this.text(LAST_CHUNK + body.trailers + CRLF) : this;
  }

  /** What has been written, as a buffer of its own. */
  take(): Buffer {
    const message = Buffer.allocUnsafe(this.#length);
    this.#bytes.copy(message, 0, 0, this.#length);
    return message;
  }

  #reserve(more: number): void {
    const needed = this.#length + more + MAX_SIZE_LINE;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

/** Host and the framing are not the sender's to remove: what they say has been taken care of already. */
function isNominated(head: HeadParser, index: number): boolean {
  return head.id[index] === 0 && head.nominated.includes(head.name(index));
}
