// The commands of Redis: where their keys are, and what an ambassador can do with them.

/** How the parts of a command that was split over shards become one reply. */
export type MergeKind = "values" | "sum" | "ok";

export type Command = {
  /** In lower case. */
  readonly name: string;
  readonly kind:
    | "keys" // from `first` to `last`, each `step`
    | "numkeys" // the number of keys is argument `first`, they follow it; `extra` is another key, or 0
    | "store" // key 1, and one after STORE or STOREDIST
    | "streams" // the first half of what follows STREAMS
    | "local" // answered by the ambassador
    | "transaction" // MULTI and what belongs to it
    | "subscription" // SUBSCRIBE and what belongs to it: arguments are channels
    | "blocking"
    | "whole"; // concerns a whole server or its connection
  readonly first: number;
  /** -1 for the last argument. */
  readonly last: number;
  readonly step: number;
  readonly extra: number;
  /** Changes nothing, so that a replica can answer it. */
  readonly isRead: boolean;
  /** Set where the command can be split over shards. */
  readonly merge: MergeKind | undefined;
};

/** By the flag `readonly` that `COMMAND` tells of them. */
const READS = new Set(
  `bitcount bitfield_ro bitpos dump eval_ro evalsha_ro exists expiretime fcall_ro geodist geohash geopos georadius_ro
  georadiusbymember_ro geosearch get getbit getrange hexists hget hgetall hkeys hlen hmget hrandfield hscan hstrlen hvals
  lcs lindex llen lpos lrange mget object pexpiretime pttl scard sdiff sinter sintercard sismember smembers smismember
  sort_ro srandmember sscan strlen substr sunion ttl type xinfo xlen xpending xrange xread xrevrange zcard zcount zdiff
  zinter zintercard zlexcount zmscore zrandmember zrange zrangebylex zrangebyscore zrank zrevrange zrevrangebylex
  zrevrangebyscore zrevrank zscan zscore zunion`.split(/\s+/),
);

type Spec = Partial<Omit<Command, "name" | "isRead">> & { readonly names: string };

const SPECS: readonly Spec[] = [
  {
    names: `append bitcount bitfield bitfield_ro bitpos decr decrby dump expire expireat expiretime geoadd geodist
      geohash geopos georadius_ro georadiusbymember_ro geosearch get getbit getdel getex getrange getset hdel hexists
      hget hgetall hincrby hincrbyfloat hkeys hlen hmget hmset hrandfield hscan hset hsetnx hstrlen hvals incr incrby
      incrbyfloat lindex linsert llen lpop lpos lpush lpushx lrange lrem lset ltrim move persist pexpire pexpireat
      pexpiretime pfadd psetex pttl restore rpop rpush rpushx sadd scard set setbit setex setnx setrange sismember
      smembers smismember sort_ro spop srandmember srem sscan strlen substr ttl type xack xadd xautoclaim xclaim xdel
      xlen xpending xrange xrevrange xsetid xtrim zadd zcard zcount zincrby zlexcount zmscore zpopmax zpopmin
      zrandmember zrange zrangebylex zrangebyscore zrank zrem zremrangebylex zremrangebyrank zremrangebyscore zrevrange
      zrevrangebylex zrevrangebyscore zrevrank zscan zscore`,
  },
  { names: "mget", last: -1, merge: "values" },
  { names: "del unlink exists touch", last: -1, merge: "sum" },
  { names: "mset", last: -1, step: 2, merge: "ok" },
  { names: "msetnx", last: -1, step: 2 },
  { names: "pfcount pfmerge sdiff sdiffstore sinter sinterstore sunion sunionstore", last: -1 },
  { names: "copy geosearchstore lcs lmove rename renamenx rpoplpush smove zrangestore", last: 2 },
  { names: "object memory xgroup xinfo", first: 2, last: 2 },
  { names: "bitop", first: 2, last: -1 },
  { names: "lmpop sintercard zdiff zinter zintercard zmpop zunion", kind: "numkeys" },
  { names: "eval eval_ro evalsha evalsha_ro fcall fcall_ro", kind: "numkeys", first: 2 },
  { names: "zdiffstore zinterstore zunionstore", kind: "numkeys", first: 2, extra: 1 },
  { names: "sort georadius georadiusbymember", kind: "store" },
  { names: "xread xreadgroup", kind: "streams" },
  { names: "publish spublish" },
  { names: "multi exec discard unwatch", kind: "transaction" },
  { names: "watch", kind: "transaction", last: -1 },
  { names: "subscribe ssubscribe", kind: "subscription", last: -1 },
  { names: "unsubscribe sunsubscribe", kind: "subscription" },
  { names: "auth ping echo select command client hello quit info outrigger", kind: "local" },
  { names: "blmove blmpop blpop brpop brpoplpush bzmpop bzpopmax bzpopmin wait waitaof", kind: "blocking" },
  {
    names: `acl asking bgrewriteaof bgsave cluster config dbsize debug failover flushall flushdb function keys
      lastsave latency lolwut migrate module monitor psubscribe psync pubsub punsubscribe randomkey readonly readwrite
      replicaof reset role save scan script shutdown slaveof slowlog swapdb sync time`,
    kind: "whole",
  },
];

export const COMMANDS: readonly Command[] = SPECS.flatMap(({ names, ...given }) =>
  names.split(/\s+/).map((name) => ({
    name,
    kind: "keys" as const,
    first: 1,
    last: given.first ?? 1,
    step: 1,
    extra: 0,
    isRead: READS.has(name),
    merge: undefined,
    ...given,
  })),
);

/** A number for a name, whatever its case. */
function nameHash(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + (bytes[i]! | 0x20)) | 0;
  return hash & 0x3fffffff;
}

const byHash = new Map<number, Command>();
const codes = new Map<Command, Buffer>();
for (const command of COMMANDS) {
  const bytes = Buffer.from(command.name);
  const hash = nameHash(bytes, 0, bytes.length);
  if (byHash.has(hash)) throw new Error(`command ${command.name}: expected a hash of its own`);
  byHash.set(hash, command);
  codes.set(command, bytes);
}

/** The command of a name in any case, or undefined; allocates nothing. */
export function commandOf(bytes: Uint8Array, start: number, end: number): Command | undefined {
  const command = byHash.get(nameHash(bytes, start, end));
  return command !== undefined && isWord(bytes, start, end, codes.get(command)!) ? command : undefined;
}

/** Whether the range is this word (in lower case), in any case. */
export function isWord(bytes: Uint8Array, start: number, end: number, word: Uint8Array): boolean {
  if (end - start !== word.length) return false;
  for (let i = 0; i < word.length; i++) {
    const byte = bytes[start + i]!;
    const lower = byte >= 65 && byte <= 90 ? byte | 0x20 : byte;
    if (lower !== word[i]) return false;
  }
  return true;
}
