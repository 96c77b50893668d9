// HPACK's decompression (RFC 7541) with bounds: what a message may hold is limited after decompression, and whatever is
// beyond the limit is still decoded, because the table has to stay the same as the peer's.
import type { Field } from "./field.ts";
import { fieldOf } from "./field.ts";
import { decodeHuffman } from "./huffman.ts";
import { STATIC_TABLE } from "./static-table.ts";

/** The table that we allow the peer, which is the protocol's default (RFC 9113 section 6.5.2). */
export const TABLE_BYTES = 4096;
/** What an entry counts beside its text (RFC 7541 section 4.1). */
const ENTRY_BYTES = 32;
/** Nothing that we have to do with is longer; an integer of the format could be of any length. */
const MAX_INTEGER = 2 ** 28;

export type FieldLimits = { readonly maxListBytes: number; readonly maxFields: number };

const STATIC: readonly Field[] = STATIC_TABLE.map(([name, value]) => fieldOf(name, value));
const sizeOf = ({ name, value }: Field): number => name.length + value.length + ENTRY_BYTES;

/** What is compressed cannot be understood any more: the connection is lost (COMPRESSION_ERROR). */
class CompressionError extends Error {}

export class HpackDecoder {
  readonly #limits: FieldLimits;
  /** The dynamic table, the oldest entry first; those before `#first` are gone. */
  #entries: Field[] = [];
  #first = 0;
  #size = 0;
  #maxSize = TABLE_BYTES;
  #scratch: Buffer = Buffer.allocUnsafeSlow(1024);
  #bytes: Buffer = this.#scratch;
  #at = 0;
  #end = 0;
  /** The fields of the block last decoded; those beyond the limits are missing. */
  fields: Field[] = [];
  /** Whether there were more than the limits allow. */
  tooLarge = false;

  constructor(limits: FieldLimits) {
    this.#limits = limits;
  }

  /** Decodes one whole block into `fields`; false when it is not HPACK. */
  decode(block: Buffer): boolean {
    this.#bytes = block;
    this.#at = 0;
    this.#end = block.length;
    this.fields = [];
    this.tooLarge = false;
    let listBytes = 0;
    try {
      while (this.#at < this.#end) {
        const field = this.#next();
        if (field === undefined) continue;
        listBytes += sizeOf(field);
        if (listBytes > this.#limits.maxListBytes || this.fields.length >= this.#limits.maxFields) this.tooLarge = true;
        else this.fields.push(field);
      }
    } catch (error) {
      if (error instanceof CompressionError) return false;
      throw error;
    }
    return true;
  }

  #next(): Field | undefined {
    const byte = this.#bytes[this.#at]!;
    if (byte >= 0x80) return this.#entry(this.#integer(7));
    if (byte >= 0x40) return this.#remember(this.#literal(6));
    if (byte < 0x20) return this.#literal(4);
    // The size of the table changes at the beginning of a block only (RFC 7541 section 4.2).
    if (this.fields.length > 0 || this.tooLarge) throw new CompressionError();
    const size = this.#integer(5);
    if (size > TABLE_BYTES) throw new CompressionError();
    this.#maxSize = size;
    this.#evict(0);
    return undefined;
  }

  #literal(prefix: number): Field {
    const index = this.#integer(prefix);
    const name = index === 0 ? this.#text() : this.#entry(index).name;
    return fieldOf(name, this.#text());
  }

  #entry(index: number): Field {
    const field =
      index <= STATIC.length ? STATIC[index - 1] : this.#entries[this.#entries.length - (index - STATIC.length)];
    const dead = index > STATIC.length && index - STATIC.length > this.#entries.length - this.#first;
    if (field === undefined || dead) throw new CompressionError();
    return field;
  }

  #remember(field: Field): Field {
    const size = sizeOf(field);
    this.#evict(size);
    if (size <= this.#maxSize) {
      this.#entries.push(field);
      this.#size += size;
    }
    return field;
  }

  /** Drops the oldest until there is room for `more`. */
  #evict(more: number): void {
    while (this.#size + more > this.#maxSize && this.#first < this.#entries.length) {
      this.#size -= sizeOf(this.#entries[this.#first++]!);
    }
    if (this.#first < 128 && this.#first < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#first);
    this.#first = 0;
  }

  /** An integer with a prefix of so many bits (RFC 7541 section 5.1). */
  #integer(prefix: number): number {
    const mask = (1 << prefix) - 1;
    let value = this.#byte() & mask;
    if (value < mask) return value;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#byte();
      value += (byte & 0x7f) * factor;
      if (value > MAX_INTEGER || factor > MAX_INTEGER) throw new CompressionError();
      if (byte < 0x80) return value;
    }
  }

  #text(): string {
    const coded = this.#at < this.#end && this.#bytes[this.#at]! >= 0x80;
    const length = this.#integer(7);
    const start = this.#at;
    if (length > this.#end - start) throw new CompressionError();
    this.#at += length;
    if (!coded) return this.#bytes.toString("latin1", start, this.#at);
    const room = Math.ceil((length * 8) / 5);
    if (room > this.#scratch.length) this.#scratch = Buffer.allocUnsafeSlow(2 * room);
    const decoded = decodeHuffman(this.#bytes, start, this.#at, this.#scratch);
    if (decoded < 0) throw new CompressionError();
    return this.#scratch.toString("latin1", 0, decoded);
  }

  #byte(): number {
    if (this.#at >= this.#end) throw new CompressionError();
    return this.#bytes[this.#at++]!;
  }
}
