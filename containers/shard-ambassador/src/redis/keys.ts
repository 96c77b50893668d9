// Where the keys of a command are, and which shard owns all of them.
import type { Locate } from "../placement/node.ts";
import { isWord } from "./commands.ts";
import type { Command } from "./commands.ts";
import type { RequestParser } from "./request-parser.ts";

/** The keys are on more than one shard. */
export const CROSS_SHARD = -1;
/** The arguments are not those of the command. */
export const BAD_ARGUMENTS = -2;
/** It would wait, and everyone behind it on the connection with it. */
export const WOULD_BLOCK = -3;

/** The shard that owns all keys of a command, or one of the negative numbers above. */
export function shardOf(command: Command, request: RequestParser, locate: Locate): number {
  switch (command.kind) {
    case "keys": {
      const last = command.last === -1 ? request.count - 1 : command.last;
      if (last >= request.count || command.first >= request.count) return BAD_ARGUMENTS;
      return last === command.first ? locateKey(request, last, locate) : common(request, command, last, locate);
    }
    case "numkeys":
      return shardOfCounted(command, request, locate);
    case "store":
      return shardOfStored(request, locate);
    case "streams":
      return shardOfStreams(request, locate);
    default:
      return BAD_ARGUMENTS;
  }
}

const locateKey = (request: RequestParser, i: number, locate: Locate): number =>
  locate(request.bytes, request.argumentStart(i), request.argumentEnd(i));

/** Two answers about keys of one command: equal, or across shards. */
const both = (one: number, other: number): number => (one === other ? one : CROSS_SHARD);

function common(
  request: RequestParser,
  { first, step }: Pick<Command, "first" | "step">,
  last: number,
  locate: Locate,
): number {
  let shard = locateKey(request, first, locate);
  for (let i = first + step; i <= last && shard >= 0; i += step) shard = both(shard, locateKey(request, i, locate));
  return shard;
}

function shardOfCounted({ first, extra }: Command, request: RequestParser, locate: Locate): number {
  const count = first < request.count ? Number(request.text(first)) : Number.NaN;
  const last = first + count;
  if (!Number.isInteger(count) || count < 1 || last >= request.count) return BAD_ARGUMENTS;
  const shard = common(request, { first: first + 1, step: 1 }, last, locate);
  return extra === 0 || shard < 0 ? shard : both(shard, locateKey(request, extra, locate));
}

const STORE = Buffer.from("store");
const STOREDIST = Buffer.from("storedist");
const STREAMS = Buffer.from("streams");
const BLOCK = Buffer.from("block");

const isArgument = (request: RequestParser, i: number, word: Uint8Array): boolean =>
  isWord(request.bytes, request.argumentStart(i), request.argumentEnd(i), word);

function shardOfStored(request: RequestParser, locate: Locate): number {
  if (request.count < 2) return BAD_ARGUMENTS;
  let shard = locateKey(request, 1, locate);
  for (let i = 2; i < request.count - 1 && shard >= 0; i++) {
    const stores = isArgument(request, i, STORE) || isArgument(request, i, STOREDIST);
    if (stores) shard = both(shard, locateKey(request, i + 1, locate));
  }
  return shard;
}

function shardOfStreams(request: RequestParser, locate: Locate): number {
  let streams = 1;
  for (; streams < request.count && !isArgument(request, streams, STREAMS); streams++) {
    if (isArgument(request, streams, BLOCK)) return WOULD_BLOCK;
  }
  const rest = request.count - streams - 1;
  if (rest < 2 || rest % 2 !== 0) return BAD_ARGUMENTS;
  return common(request, { first: streams + 1, step: 1 }, streams + rest / 2, locate);
}
