// Puts messages together: the lines of a head that are kept, lines that are added, and the data of a body in new
// framing - as one buffer, because each write costs more than a copy of a few kilobytes.
import type { BodyDecoder } from "./body-decoder.ts";
import type { HeadParser } from "./head-parser.ts";
import { CRLF } from "./syntax.ts";

const LAST_CHUNK = "0\r\n";

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

  /** What has been written, as a buffer of its own. */
  take(): Buffer {
    const message = Buffer.allocUnsafe(this.#length);
    this.#bytes.copy(message, 0, 0, this.#length);
    return message;
  }

  /**
   * The same, and behind it the data that `body` has just decoded from `bytes`: as one chunk where `chunked`, with the
   * end where it is done. The data are copied once.
   */
  takeWith(body: BodyDecoder, bytes: Buffer, chunked: boolean): Buffer {
    const { ranges, size } = body;
    const before = chunked && size > 0 ? size.toString(16) + CRLF : "";
    const after = chunked ? endOfChunk(body) : "";
    const message = Buffer.allocUnsafe(this.#length + before.length + size + after.length);
    let at = this.#bytes.copy(message, 0, 0, this.#length);
    if (before !== "") at += message.write(before, at, "latin1");
    for (let i = 0; i < ranges.length; i += 2) at += bytes.copy(message, at, ranges[i], ranges[i + 1]);
    if (after !== "") message.write(after, at, "latin1");
    return message;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

/** The data that `body` has just decoded from `bytes`; as one chunk where `chunked`, else without a copy where it can be. */
export function framedData(
  body: BodyDecoder,
  bytes: Buffer,
  { writer, chunked }: { writer: MessageWriter; chunked: boolean },
): Buffer {
  const { ranges } = body;
  if (!chunked && ranges.length === 2) return bytes.subarray(ranges[0], ranges[1]);
  return writer.begin().takeWith(body, bytes, chunked);
}

const endOfChunk = ({ size, done, trailers }: BodyDecoder): string =>
  `${size > 0 ? CRLF : ""}${done ? LAST_CHUNK + trailers + CRLF : ""}`;

/** Host and the framing are not the sender's to remove: what they say has been taken care of already. */
function isNominated(head: HeadParser, index: number): boolean {
  return head.id[index] === 0 && head.nominated.includes(head.name(index));
}
