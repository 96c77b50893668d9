// Turns bytes into replies, of RESP2 and RESP3 (redis.io/docs/reference/protocol-spec), however they are cut into chunks.
// Memory is bounded: a reply larger than the limit is an error as soon as that is known.
import type { AggregateKind } from "./assembler.ts";
import { INCOMPLETE, createAssembler } from "./assembler.ts";
import type { Reply } from "./reply.ts";
import { RedisError } from "./reply.ts";

export type ReplyReader = {
  /** Takes bytes, and gives the replies that they complete. Throws when they are no protocol, or too much. */
  push(chunk: Buffer): Reply[];
};

/** A line that is a length, a number or a status; errors may quote arguments. */
const MAX_LINE = 64 * 1024;

const AGGREGATES: Readonly<Record<string, AggregateKind>> = {
  "*": "array",
  "~": "array",
  "%": "map",
  "|": "attribute",
  ">": "push",
};

function malformed(expected: string, got: string): Error {
  return new Error(`redis reply: expected ${expected}, got ${JSON.stringify(got.slice(0, 80))}`);
}

function lengthIn(text: string): number {
  if (!/^(0|[1-9]\d{0,9})$/.test(text)) throw malformed("a length", text);
  return Number(text);
}

function integerIn(text: string): number | bigint {
  if (!/^[+-]?\d{1,400}$/.test(text)) throw malformed("an integer", text);
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text.replace(/^\+/, ""));
}

function doubleIn(text: string): number {
  const words: Readonly<Record<string, number>> = { inf: Infinity, "-inf": -Infinity, nan: NaN };
  const value = words[text] ?? (/^[-+]?\d+(\.\d*)?([eE][-+]?\d+)?$/.test(text) ? Number(text) : undefined);
  if (value === undefined) throw malformed("a double", text);
  return value;
}

function booleanIn(text: string): boolean {
  if (text !== "t" && text !== "f") throw malformed("t or f", text);
  return text === "t";
}

/** Replies that are one line. */
const LINES: Readonly<Record<string, (text: string) => Reply>> = {
  "+": (text) => text,
  "-": (text) => new RedisError(text),
  ":": integerIn,
  "(": integerIn,
  ",": doubleIn,
  "#": booleanIn,
  _: () => null,
};

const BULKS: Readonly<Record<string, (text: string) => Reply>> = {
  $: (text) => text,
  "!": (text) => new RedisError(text),
  // Its first four bytes say what it is: `txt:`.
  "=": (text) => text.slice(4),
};

type Element = { readonly end: number; readonly value: Reply | typeof INCOMPLETE };

/** The first line of an element: its type, what follows that, and where the line ends. */
function lineAt(buffer: Buffer, at: number): { type: string; text: string; end: number } | undefined {
  const lineEnd = buffer.indexOf("\r\n", at);
  const length = (lineEnd < 0 ? buffer.length : lineEnd) - at;
  if (length > MAX_LINE) throw malformed(`a line of at most ${MAX_LINE} bytes`, "more");
  if (lineEnd < 0) return undefined;
  return {
    type: String.fromCharCode(buffer[at]!),
    text: buffer.toString("utf8", at + 1, lineEnd),
    end: lineEnd + 2,
  };
}

export function createReplyReader({ maxReplyBytes }: { maxReplyBytes: number }): ReplyReader {
  const assembler = createAssembler();
  let chunks: Buffer[] = [];
  let held = 0;
  /** Nothing can be read before so many bytes are there. */
  let needed = 1;
  /** Bytes consumed of the reply that is being read. */
  let size = 0;

  const refuseAbove = (bytes: number): void => {
    if (bytes > maxReplyBytes) throw new Error(`redis reply: expected at most ${maxReplyBytes} bytes, got more`);
  };

  const beginAggregate = (kind: AggregateKind, length: number): Reply | typeof INCOMPLETE => {
    // Each value is three bytes at least, so a length tells early what is too much.
    refuseAbove(size + length * 3);
    return assembler.begin(kind, length);
  };

  /** Reads one element at `at`; undefined, and `needed` set, when it is not there as a whole. */
  const readElement = (buffer: Buffer, at: number): Element | undefined => {
    const line = lineAt(buffer, at);
    if (line === undefined) {
      needed = buffer.length - at + 1;
      return undefined;
    }
    const { type, text, end } = line;
    if (Object.hasOwn(LINES, type)) return { end, value: assembler.add(LINES[type]!(text)) };
    if ((type === "$" || type === "*") && text === "-1") return { end, value: assembler.add(null) };
    const kind = AGGREGATES[type];
    if (kind !== undefined) return { end, value: beginAggregate(kind, lengthIn(text)) };
    const bulk = BULKS[type];
    if (bulk === undefined) throw malformed("a type of RESP2 or RESP3", type);
    const bodyEnd = end + lengthIn(text);
    refuseAbove(size + bodyEnd - at);
    if (buffer.length < bodyEnd + 2) {
      needed = bodyEnd + 2 - at;
      return undefined;
    }
    if (buffer[bodyEnd] !== 13 || buffer[bodyEnd + 1] !== 10) throw malformed("CR LF after a bulk string", "");
    return { end: bodyEnd + 2, value: assembler.add(bulk(buffer.toString("utf8", end, bodyEnd))) };
  };

  const readAll = (buffer: Buffer): Reply[] => {
    const replies: Reply[] = [];
    let at = 0;
    needed = 1;
    while (at < buffer.length) {
      const element = readElement(buffer, at);
      if (element === undefined) break;
      size += element.end - at;
      at = element.end;
      refuseAbove(size);
      if (element.value !== INCOMPLETE) replies.push(element.value);
      if (assembler.isIdle()) size = 0;
    }
    held = buffer.length - at;
    chunks = held > 0 ? [buffer.subarray(at)] : [];
    return replies;
  };

  return {
    push: (chunk) => {
      chunks.push(chunk);
      held += chunk.length;
      return held < needed ? [] : readAll(chunks.length === 1 ? chunk : Buffer.concat(chunks, held));
    },
  };
}
