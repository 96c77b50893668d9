// A `get` of keys on several shards: split into one for each, and the values merged in the order of the keys.
import type { Locate } from "../placement/node.ts";
import { END, isError, serverError } from "./replies.ts";
import type { RequestParser } from "./request-parser.ts";

/** What goes to one shard. */
export type Part = { readonly shard: number; readonly bytes: Buffer };

/** One value as it stands on the wire, with its key. */
type Value = { readonly key: string; readonly bytes: Buffer };

/** Collects the replies to the parts of one command. */
export class Merge {
  readonly #keys: readonly string[];
  readonly #partOfKey: readonly number[];
  readonly #replies: Buffer[] = [];
  #waiting: number;

  constructor(keys: readonly string[], partOfKey: readonly number[], parts: number) {
    this.#keys = keys;
    this.#partOfKey = partOfKey;
    this.#waiting = parts;
  }

  /** Takes the reply to a part; gives the whole reply after the last one. */
  add(part: number, reply: Buffer): Buffer | undefined {
    this.#replies[part] = reply;
    this.#waiting--;
    return this.#waiting > 0 ? undefined : this.#merged();
  }

  /** The values that there are. If a shard has failed its error ends the reply, so that no key of it seems to be a miss. */
  #merged(): Buffer {
    const values = this.#replies.map(valuesOf);
    const next = values.map(() => 0);
    const found: Buffer[] = [];
    for (const [i, key] of this.#keys.entries()) {
      const part = this.#partOfKey[i]!;
      const value = values[part]![next[part]!];
      if (value?.key !== key) continue;
      next[part]!++;
      found.push(value.bytes);
    }
    const ends = this.#replies.map(endOf);
    return Buffer.concat([...found, ends.find((end) => !end.equals(END)) ?? END]);
  }
}

const HEAD = /^VALUE (?<key>\S+) \d+ (?<length>\d+)/;

function valuesOf(reply: Buffer): Value[] {
  const values: Value[] = [];
  let at = 0;
  while (at < reply.length) {
    const line = reply.indexOf("\r\n", at);
    const head = HEAD.exec(reply.toString("latin1", at, line));
    if (head === null) return values;
    const { key = "", length } = head.groups!;
    const end = line + 2 + Number(length) + 2;
    values.push({ key, bytes: reply.subarray(at, end) });
    at = end;
  }
  return values;
}

/** The line that ends a reply. */
function endOf(reply: Buffer): Buffer {
  const at = valuesOf(reply).reduce((sum, { bytes }) => sum + bytes.length, 0);
  const end = reply.subarray(at);
  return end.equals(END) || isError(end, 0) ? end : serverError("a shard answered something other than values");
}

export type Split = { readonly parts: readonly Part[]; readonly merge: Merge };

/** Splits a command whose keys begin at word `first`; the keys of a shard keep their order. */
export function split(request: RequestParser, first: number, locate: Locate): Split {
  const keys: string[] = [];
  const partOfKey: number[] = [];
  const partOfShard = new Map<number, number>();
  const words: string[][] = [];
  for (let i = first; i < request.count; i++) {
    const shard = locate(request.bytes, request.argumentStart(i), request.argumentEnd(i));
    const part = partOfShard.get(shard) ?? partOfShard.size;
    partOfShard.set(shard, part);
    partOfKey.push(part);
    keys.push(request.text(i));
    (words[part] ??= []).push(request.text(i));
  }
  const head = Array.from({ length: first }, (_, i) => request.text(i)).join(" ");
  const parts = [...partOfShard.keys()].map((shard, part) => ({
    shard,
    bytes: Buffer.from(`${head} ${words[part]!.join(" ")}\r\n`, "latin1"),
  }));
  return { parts, merge: new Merge(keys, partOfKey, parts.length) };
}
