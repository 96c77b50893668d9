// Options of how shards are found, and of TLS to them.
import { boolean, choice, duration, list, option, path, text } from "@outrigger/options";

import { DISCOVER_FORM } from "../discovery/lookup.ts";

export const REPLICA_FORM = "name=host:port";

export const replication = {
  replicas: option({
    kind: list(text(REPLICA_FORM)),
    section: "Replicas",
    summary:
      "Replicas of shards of Redis, as `name=host:port` with commas between them; a shard may have several. How they come to hold what the shard holds is the servers' business (`replicaof`).",
  }),
  readPolicy: option({
    kind: choice(["primary", "replica"]),
    default: "primary",
    section: "Replicas",
    summary:
      "Who answers commands that only read. `replica`: the replicas of a shard in turns, as long as one is up; a client may then not see what it has just written. `primary`: the shard itself.",
  }),
};

export const discovery = {
  discover: option({
    kind: text(DISCOVER_FORM),
    section: "Discovery",
    summary:
      "Finds the shards by DNS, in place of `--shards`. `srv:_redis._tcp.redis.default.svc.cluster.local`: those that SRV records name, each known by its target. `ordinals:redis-{}.redis.default.svc.cluster.local:6379`: the pods of a StatefulSet from 0 on, each known by its own name (`redis-0`). Weights and priorities of SRV records do not count.",
  }),
  discoverInterval: option({
    kind: duration({ positive: true }),
    default: "5s",
    section: "Discovery",
    summary: "How long after one look the next one comes. A new shard counts when two have found it.",
  }),
  discoverRemovalDelay: option({
    kind: duration(),
    default: "10m",
    section: "Discovery",
    summary:
      "How long a shard has to be missing until it is taken for gone, and its keys go to others: longer than a pod takes to restart elsewhere.",
  }),
  dnsServers: option({
    kind: list(text("an IP address, with :port if it is not 53")),
    section: "Discovery",
    summary: "The servers of DNS to ask; those of the system unless given.",
  }),
};

export const tls = {
  shardTls: option({
    kind: boolean(),
    default: "false",
    section: "TLS",
    summary:
      "TLS to the shards, all of them. Their certificates are verified, and have to be for the host of their address.",
  }),
  shardCa: option({
    kind: path(),
    section: "TLS",
    summary:
      "A PEM file with the authorities that the shards' certificates have to come from; those of the runtime unless given.",
  }),
  shardCert: option({
    kind: path(),
    section: "TLS",
    summary: "A PEM file with the ambassador's own certificate, for shards that ask for one (mutual TLS).",
  }),
  shardKey: option({
    kind: path(),
    section: "TLS",
    summary: "A PEM file with the key of that certificate.",
  }),
  shardServerName: option({
    kind: text("a host name"),
    section: "TLS",
    summary: "The name that the certificates of all shards have to be for, where it is not the host of their address.",
  }),
};
