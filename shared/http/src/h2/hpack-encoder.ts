// HPACK's compression, without memory (RFC 7541): fields of the static table by index, names by index where they are in
// it, all else as it is. Nothing that one client sees can then be told from the size of what another gets (CRIME), and no
// table has to be kept for each connection.
import { staticIndexOf } from "./static-table.ts";

const STATUS = 8;
/** Status codes that are in the static table whole. */
const STATUS_INDEX = new Map([200, 204, 206, 304, 400, 404, 500].map((status, index) => [status, STATUS + index]));

/** Builds one block after another; `take` gives each as a buffer of its own. */
export class HpackEncoder {
  #bytes = Buffer.allocUnsafeSlow(1024);
  #length = 0;
  /** The first block says that no table is used; the peer may then change its size as it likes (section 4.2). */
  #begun = false;

  begin(): this {
    this.#length = 0;
    if (!this.#begun) this.#byte(0x20);
    this.#begun = true;
    return this;
  }

  status(status: number): this {
    const index = STATUS_INDEX.get(status);
    if (index !== undefined) return this.#byte(0x80 | index);
    return this.#integer(0, 4, STATUS).text(String(status));
  }

  /** A field whose name is at a static index, or follows as text in lower case. */
  field(name: number | string, value: string): this {
    if (typeof name === "number") this.#integer(0, 4, name);
    else this.#byte(0).text(name);
    return this.text(value);
  }

  /** A field whose name and value are ranges of bytes; the name may have capitals. `index` is its static index, or 0. */
  copy(
    index: number,
    bytes: Buffer,
    { name, value }: { name: readonly [number, number]; value: readonly [number, number] },
  ): this {
    this.#integer(0, 4, index);
    if (index === 0) {
      const start = this.#copyText(bytes, name[0], name[1]);
      for (let at = start; at < this.#length; at++) this.#bytes[at] = lower(this.#bytes[at]!);
    }
    this.#copyText(bytes, value[0], value[1]);
    return this;
  }

  take(): Buffer {
    const block = Buffer.allocUnsafe(this.#length);
    this.#bytes.copy(block, 0, 0, this.#length);
    return block;
  }

  text(text: string): this {
    this.#integer(0, 7, text.length);
    this.#reserve(text.length);
    this.#length += this.#bytes.write(text, this.#length, "latin1");
    return this;
  }

  #copyText(bytes: Buffer, start: number, end: number): number {
    this.#integer(0, 7, end - start);
    this.#reserve(end - start);
    const from = this.#length;
    this.#length += bytes.copy(this.#bytes, from, start, end);
    return from;
  }

  #integer(flags: number, prefix: number, value: number): this {
    const mask = (1 << prefix) - 1;
    if (value < mask) return this.#byte(flags | value);
    this.#byte(flags | mask);
    let rest = value - mask;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.#byte((rest % 128) | 0x80);
    return this.#byte(rest);
  }

  #byte(byte: number): this {
    this.#reserve(1);
    this.#bytes[this.#length++] = byte;
    return this;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.#length + more));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

const lower = (byte: number): number => (byte >= 65 && byte <= 90 ? byte + 32 : byte);

export const STATIC_INDEX = {
  authority: staticIndexOf(":authority"),
  method: staticIndexOf(":method"),
  path: staticIndexOf(":path"),
  scheme: staticIndexOf(":scheme"),
} as const;
