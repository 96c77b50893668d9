// What differs between the protocols, on the way to a shard and on the way to a client.
import * as memcached from "../memcached/replies.ts";
import { ReplyParser as MemcachedReplyParser } from "../memcached/reply-parser.ts";
import { errorReply, reply } from "../redis/replies.ts";
import { ReplyParser } from "../redis/reply-parser.ts";

/** Finds where replies end. */
export type ReplyReader = Pick<ReplyParser, "complete" | "problem" | "type"> & {
  read(chunk: Buffer, from: number): number;
};

export type Wire = {
  createReplyParser(maxBytes: number): ReplyReader;
  /** A reply that says why a shard, or the ambassador, cannot do it. */
  error(text: string): Buffer;
  /** A reply that says why what was sent is no command. */
  protocolError(text: string): Buffer;
  /** What a client gets that is one too many. */
  readonly tooMany: Buffer;
  /** Whether a reply is an error. */
  isError(bytes: Buffer, start: number): boolean;
  /** What a connection to a shard begins with; an error to any of it ends the connection. */
  greeting(protocol: 2 | 3, given: { password: string | undefined; database: number }): Buffer[];
};

const MINUS = 45;

/**
 * The password, the protocol and the database if they are not what there is anyway, and a probe: a server that hangs still accepts
 * connections, and one that loads its data answers with an error.
 */
const redisGreeting: Wire["greeting"] = (protocol, { password, database }) => [
  ...(password === undefined ? [] : [reply(["AUTH", password])]),
  ...(protocol === 2 ? [] : [reply(["HELLO", "3"])]),
  ...(database === 0 ? [] : [reply(["SELECT", String(database)])]),
  reply(["PING"]),
];

export const WIRES: Readonly<Record<"redis" | "memcached", Wire>> = {
  redis: {
    createReplyParser: (maxBytes) => new ReplyParser(maxBytes),
    error: (text) => errorReply(text),
    protocolError: (text) => errorReply(`Protocol error: ${text}`),
    tooMany: errorReply("max number of clients reached"),
    isError: (bytes, start) => bytes[start] === MINUS,
    greeting: redisGreeting,
  },
  memcached: {
    createReplyParser: (maxBytes) => new MemcachedReplyParser(maxBytes),
    error: memcached.serverError,
    protocolError: memcached.clientError,
    tooMany: memcached.serverError("too many open connections"),
    isError: memcached.isError,
    greeting: () => [Buffer.from("version\r\n")],
  },
};
