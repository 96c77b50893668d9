// A command over keys of several shards: split into one command for each shard, and the replies merged into one.
import type { Locate } from "../placement/node.ts";
import type { Command, MergeKind } from "./commands.ts";
import { errorReply, integerReply, OK } from "./replies.ts";
import { ReplyParser } from "./reply-parser.ts";
import type { RequestParser } from "./request-parser.ts";

/** What goes to one shard. */
export type Part = { readonly shard: number; readonly bytes: Buffer };

const MINUS = 45;
const COLON = 58;
const ELEMENTS = Buffer.from("*~");

/** Collects the replies to the parts of one command. */
export class Merge {
  readonly kind: MergeKind;
  /** Which part each key went to, in the order of the keys. */
  readonly #partOfKey: Uint32Array;
  readonly #replies: (Buffer | undefined)[];
  #waiting: number;

  constructor(kind: MergeKind, partOfKey: Uint32Array, parts: number) {
    this.kind = kind;
    this.#partOfKey = partOfKey;
    this.#replies = Array.from({ length: parts });
    this.#waiting = parts;
  }

  /** Takes the reply to a part; gives the whole reply after the last one. */
  add(part: number, reply: Buffer): Buffer | undefined {
    this.#replies[part] = reply;
    this.#waiting--;
    return this.#waiting > 0 ? undefined : this.#merged(this.#replies as Buffer[]);
  }

  #merged(replies: readonly Buffer[]): Buffer {
    if (this.kind === "values") return this.#values(replies);
    const failed = replies.find((reply) => reply[0] === MINUS);
    if (failed !== undefined) return failed;
    return this.kind === "ok" ? OK : sumOf(replies);
  }

  /** The values in the order of the keys; keys whose part failed have its error in their place. */
  #values(replies: readonly Buffer[]): Buffer {
    const keys = new Uint32Array(replies.length);
    for (const part of this.#partOfKey) keys[part]!++;
    const elements = replies.map((reply, part) => elementsOf(reply, keys[part]!));
    const next = new Uint32Array(replies.length);
    const values = Array.from(this.#partOfKey, (part) => elements[part]![next[part]!++]!);
    return Buffer.concat([Buffer.from(`*${values.length}\r\n`), ...values]);
  }
}

function sumOf(replies: readonly Buffer[]): Buffer {
  let sum = 0;
  for (const reply of replies) {
    if (reply[0] !== COLON) return errorReply("a shard answered something other than a number");
    sum += Number(reply.toString("latin1", 1, reply.length - 2));
  }
  return integerReply(sum);
}

/** The elements of an array as they stand on the wire; an error stands for each of them. */
function elementsOf(reply: Buffer, count: number): Buffer[] {
  const same = (error: Buffer): Buffer[] => Array.from({ length: count }, () => error);
  if (reply[0] === MINUS) return same(reply);
  const head = reply.indexOf("\r\n") + 2;
  if (!ELEMENTS.includes(reply[0]!) || Number(reply.toString("latin1", 1, head - 2)) !== count) {
    return same(errorReply("a shard answered something other than its values"));
  }
  const parser = new ReplyParser(reply.length);
  let at = head;
  return Array.from({ length: count }, () => {
    const start = at;
    at = parser.read(reply, at);
    return reply.subarray(start, at);
  });
}

export type Split = { readonly parts: readonly Part[]; readonly merge: Merge };

/** Splits a command that can be; the keys of a shard keep their order. */
export function split(command: Command, kind: MergeKind, request: RequestParser, locate: Locate): Split {
  const { first, step } = command;
  const keys = (request.count - first) / step;
  const partOfKey = new Uint32Array(keys);
  const partOfShard = new Map<number, number>();
  const pieces: Buffer[][] = [];
  for (let key = 0; key < keys; key++) {
    const i = first + key * step;
    const shard = locate(request.bytes, request.argumentStart(i), request.argumentEnd(i));
    const part = partOfShard.get(shard) ?? partOfShard.size;
    partOfShard.set(shard, part);
    partOfKey[key] = part;
    (pieces[part] ??= []).push(request.bytes.subarray(request.wireStart(i), request.wireEnd(i + step - 1)));
  }
  const name = request.bytes.subarray(request.wireStart(0), request.wireEnd(0));
  const parts = [...partOfShard.keys()].map((shard, part) => {
    const count = pieces[part]!.length * step + 1;
    return { shard, bytes: Buffer.concat([Buffer.from(`*${count}\r\n`), name, ...pieces[part]!]) };
  });
  return { parts, merge: new Merge(kind, partOfKey, parts.length) };
}
