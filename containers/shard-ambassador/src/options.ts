// The options of the shard ambassador: the only place where they are described.
import {
  address,
  boolean,
  bytes,
  choice,
  duration,
  integer,
  list,
  option,
  ratio,
  secret,
  structured,
  text,
} from "@outrigger/options";
import type { ValuesOf } from "@outrigger/options";

import { KEY_FORM } from "./http/key.ts";
import { discovery, replication, tls } from "./options/shards.ts";
import { HASH_NAMES } from "./placement/hashes.ts";
import { DISTRIBUTIONS } from "./placement/placement.ts";
import { poolsSchema } from "./twemproxy/pools.ts";

export const SHARD_FORM = "host:port[:weight] [name]";

const traffic = {
  protocol: option({
    kind: choice(["redis", "memcached", "http"]),
    default: "redis",
    section: "Traffic",
    summary:
      "What clients and shards speak: Redis (RESP2 and RESP3), memcached's text protocol with meta commands, or HTTP/1.1.",
  }),
  listen: option({
    kind: address("127.0.0.1"),
    section: "Traffic",
    summary:
      "Where clients connect: `127.0.0.1:6379` unless given, `127.0.0.1:11211` with `--protocol memcached`, `127.0.0.1:8080` with `--protocol http`. Whoever can connect can use the shards: on loopback that is the pod; `0.0.0.0` makes the ambassador a router for many.",
  }),
  shards: option({
    kind: list(text(SHARD_FORM)),
    section: "Traffic",
    summary:
      "The shards, as `host:port[:weight] [name]` with commas between them. A shard is known by its name, which decides what it owns and must not change; the address may. Without a name the address is the name.",
  }),
  connections: option({
    kind: integer(1, 64),
    default: "1",
    section: "Traffic",
    summary:
      "Connections to each shard of Redis or memcached, for each version of the protocol in use. A client always uses the same one.",
  }),
  database: option({
    kind: integer(0, 100_000),
    default: "0",
    section: "Traffic",
    summary: "The database of Redis that every connection to a shard selects. Clients know it as database 0.",
  }),
  backlog: option({
    kind: integer(1, 65_535),
    default: "511",
    section: "Traffic",
    summary: "How many clients may wait to be accepted.",
  }),
  keepAlive: option({
    kind: boolean(),
    default: "false",
    section: "Traffic",
    summary: "TCP keep-alive on the connections of clients, which finds those whose machine is gone.",
  }),
  reusePort: option({
    kind: boolean(),
    default: "false",
    section: "Traffic",
    summary:
      "Lets several ambassadors listen on the same port (SO_REUSEPORT); the kernel shares clients out among them.",
  }),
};

const twemproxy = {
  pools: option({
    kind: structured(poolsSchema, "pools as in twemproxy's nutcracker.yaml"),
    section: "twemproxy",
    summary:
      "The pools of twemproxy's `nutcracker.yaml` by name, in its keys and units. A whole `nutcracker.yaml` may be given as `--config` in place of our own file. What a pool's keys say goes before all other options.",
  }),
  statsListen: option({
    kind: address("127.0.0.1"),
    section: "twemproxy",
    summary:
      "Where the statistics that twemproxy tells are told, in its JSON: to whoever connects. `127.0.0.1:22222` with `pools`, unless given; nowhere otherwise.",
  }),
};

const placement = {
  distribution: option({
    kind: choice(DISTRIBUTIONS),
    default: "rendezvous",
    section: "Placement",
    summary:
      "How keys are shared out. `rendezvous`, `maglev` and `jump` are for new shards; `ketama`, `modula` and `random` are twemproxy's, `nginx` is its `hash ... consistent`, `redis-cluster` has the slots of a new Redis Cluster.",
  }),
  hash: option({
    kind: choice(HASH_NAMES),
    section: "Placement",
    summary: "The hash of `ketama` and `modula`: `fnv1a_64` unless given, as in twemproxy. The others have their own.",
  }),
  hashTag: option({
    kind: text("two characters, or none"),
    section: "Placement",
    summary:
      "Two characters: if a key has something between them, only that decides, so that such keys stay together. `none` switches it off, as it is in twemproxy without `hash_tag`. `{}` unless given, and `none` with `--protocol http`.",
  }),
};

const http = {
  key: option({
    kind: list(text(KEY_FORM)),
    default: "path",
    section: "HTTP",
    summary:
      "Where the key of a request is: `path` (without the query), `uri` (with it), `header:NAME`, `query:NAME`, `cookie:NAME`, `client-ip`, or `path-regex:...`, what its first group matches in the path. The first of the list that the request has counts; one that has none of them is refused. Keys are taken as they are written, nothing is decoded.",
  }),
  trustedProxies: option({
    kind: list(text("an address or a CIDR block")),
    default: "127.0.0.0/8,::1/128",
    section: "HTTP",
    summary:
      "Who may say for whom it speaks: addresses and CIDR blocks whose `X-Forwarded-For` counts, for `client-ip`, and is added to rather than replaced.",
  }),
  retryBudget: option({
    kind: ratio(),
    default: "0.2",
    section: "HTTP",
    summary:
      "How many requests may be sent a second time, as a share of all, because their shard could not be reached or did not answer: those without a body that are idempotent, or that were never sent. With `--on-failure next` the second time goes to the next shard, otherwise to the same one.",
  }),
  probePath: option({
    kind: text("a path"),
    default: "/",
    section: "HTTP",
    summary: "What a shard that has failed is asked for until it answers, with any status below 500.",
  }),
};

const failure = {
  onFailure: option({
    kind: choice(["fail", "next", "replica"]),
    section: "Failure",
    summary:
      "What becomes of the keys of a shard that has failed. `fail`: they get errors until it is back, as a store needs, whose data must not be split. `next`: they go to the other shards meanwhile, as a cache may have it. `replica`: what only reads them goes to a replica of the shard, all else gets errors. Unless given it is `fail`, and `next` with `--protocol memcached` or `http`.",
  }),
  failureLimit: option({
    kind: integer(1, 1000),
    default: "3",
    section: "Failure",
    summary:
      "With `--on-failure next`: after how many failures in a row a shard's keys go to others. A lost connection, a late reply and a failed attempt to connect are failures.",
  }),
  maxEjected: option({
    kind: integer(0, 100),
    default: "50",
    section: "Failure",
    summary:
      "With `--on-failure next`: the percentage of the shards that may be without their keys at a time. When more fail, those keep them, and their keys get errors. At least one shard always keeps them.",
  }),
  probeInterval: option({
    kind: duration({ positive: true }),
    default: "2s",
    section: "Failure",
    summary:
      "The longest pause between attempts to reach a shard that has failed; the first ones come sooner. It is used again when it has answered a `PING`.",
  }),
};

const access = {
  password: option({
    kind: secret(),
    section: "Access",
    summary: "A file with the password that clients must give, by `AUTH` or `HELLO`. Without it everyone is let in.",
  }),
  shardPassword: option({
    kind: secret(),
    section: "Access",
    summary: "A file with the password that the ambassador gives to every shard.",
  }),
};

const bounds = {
  timeout: option({
    kind: duration(),
    section: "Bounds",
    summary:
      "How long a shard may take for the next reply. After that its connection is given up, and all who wait on it get an error. 0: without end. 1 s unless given, and 30 s with `--protocol http`.",
  }),
  connectTimeout: option({
    kind: duration({ positive: true }),
    default: "1s",
    section: "Bounds",
    summary: "How long connecting to a shard may take.",
  }),
  clientTimeout: option({
    kind: duration(),
    default: "30s",
    section: "Bounds",
    summary: "How long a client may take to send a command that it has begun, and to take its replies.",
  }),
  maxConnections: option({
    kind: integer(1, 1_000_000),
    default: "10000",
    section: "Bounds",
    summary: "Clients at a time; more get an error.",
  }),
  hotKeys: option({
    kind: integer(0, 1000),
    default: "0",
    section: "Bounds",
    summary:
      "How many of the hottest keys `GET /api/v1/hot-keys` tells. None unless given: keys may be secrets themselves, such as those of sessions, and anyone who reaches the admin port may ask. The metric of the hottest one's share is always there.",
  }),
  maxOwnConnections: option({
    kind: integer(0, 1_000_000),
    default: "1000",
    section: "Bounds",
    summary:
      "Clients of a pool of Redis that may have a connection to their shard for themselves at a time: those that watch keys, or are subscribed. More get an error.",
  }),
  maxRequest: option({
    kind: bytes(),
    default: "64MiB",
    section: "Bounds",
    summary:
      "The largest command, or transaction, or body of an HTTP request. A client that sends a larger command is disconnected.",
  }),
  memoryLimit: option({
    kind: bytes(),
    default: "256MiB",
    section: "Bounds",
    summary:
      "Bytes of commands and replies that may be held for all clients together. When it is reached no more commands are read until there is room, and clients that do not take their replies are disconnected. A reply larger than that counts as a failure of the shard.",
  }),
};

export const options = {
  ...traffic,
  ...discovery,
  ...placement,
  ...http,
  ...replication,
  ...failure,
  ...access,
  ...tls,
  ...bounds,
  ...twemproxy,
} as const;

export type Values = ValuesOf<typeof options>;
