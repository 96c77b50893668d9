// Messages of PostgreSQL's protocol, version 3: a type, a length, and what the type says.
import type { Socket } from "node:net";

export type Message = { readonly type: string; readonly body: Buffer };

/** A message to the server; the first one of a connection has no type. */
export function encode(type: string, ...parts: readonly (string | Buffer)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part)));
  const head = Buffer.alloc(type.length + 4, type);
  head.writeInt32BE(body.length + 4, type.length);
  return Buffer.concat([head, body]);
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

/** The server's messages as they come. Throws for one that is longer than allowed, and when the connection ends. */
export async function* messagesOf(socket: Socket, maxLength: number): AsyncGenerator<Message, never> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= 5) {
      const length = rest.readInt32BE(1);
      if (length < 4 || length > maxLength)
        throw new Error(`expected messages of at most ${maxLength} bytes, got ${length}`);
      if (rest.length <= length) break;
      yield { type: String.fromCharCode(rest[0]!), body: rest.subarray(5, length + 1) };
      rest = rest.subarray(length + 1);
    }
  }
  throw new Error("expected an answer, got the end of the connection");
}

/** Reads what a message holds, from its beginning. Throws a RangeError for one that ends too early. */
export function readerOf(body: Buffer) {
  let at = 0;
  const advance = (size: number): number => (at += size) - size;
  return {
    int16: () => body.readInt16BE(advance(2)),
    int32: () => body.readInt32BE(advance(4)),
    text: (size: number): string => {
      if (at + size > body.length) throw new RangeError("expected a whole message, got a part of one");
      return body.toString("utf8", advance(size), at);
    },
    /** A text that ends with a zero. */
    string: (): string => {
      const end = body.indexOf(0, at);
      if (end < 0) throw new RangeError("expected the end of a text, got none");
      const text = body.toString("utf8", at, end);
      at = end + 1;
      return text;
    },
    rest: () => body.subarray(at),
    skip: (size: number) => void advance(size),
    isAtEnd: () => at >= body.length,
  };
}

/** What the server complains of: the message, and its code (SQLSTATE). */
export class PostgresError extends Error {
  override readonly name = "PostgresError";
  readonly code: string;
  constructor(body: Buffer) {
    const fields = new Map<string, string>();
    const reader = readerOf(body);
    for (let type = reader.text(1); type !== "\0"; type = reader.text(1)) fields.set(type, reader.string());
    super(`${fields.get("M") ?? "an error"} (${fields.get("C") ?? "no code"})`);
    this.code = fields.get("C") ?? "";
  }
}
