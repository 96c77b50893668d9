// The pools of twemproxy's nutcracker.yaml: its keys, their units and their defaults, and what each means here.
import { boolean, choice, integer, secret, text } from "@outrigger/options";
import * as z from "@outrigger/options/zod";

import { HASH_NAMES } from "../placement/hashes.ts";
import type { HashName } from "../placement/hashes.ts";
import { ketamaName } from "../placement/ketama.ts";

const LISTEN_FORM = "host:port, or /path with a mode such as 0666";
const SERVER_FORM = "host:port:weight or /path:weight, and a name";
const SERVER = /^(?<address>\/[^\s:]+|\S+:\d{1,5}):(?<weight>\d{1,4})(?:\s+(?<name>\S{1,200}))?$/;
const LISTEN = /^(?:(?<path>\/\S+)(?:\s+(?<mode>0?[0-7]{3}))?|\S+:\d{1,5})$/;
const MAX_MS = 2 ** 31 - 1;
const MANY = 1_000_000;
/** The shortest time between attempts to reach a server. */
const SOON_MS = 50;

const HASHES = HASH_NAMES.filter((name): name is Exclude<HashName, "xxh64"> => name !== "xxh64");

const written = (form: string, pattern: RegExp) =>
  z
    .string()
    .refine((value) => pattern.test(value), { message: form })
    .meta({ pattern: pattern.source });
const flag = boolean().schema;
const milliseconds = integer(0, MAX_MS).schema;

/** With what a key says that is not there. */
const poolSchema = z.strictObject({
  listen: written(LISTEN_FORM, LISTEN),
  servers: z.array(written(SERVER_FORM, SERVER)).min(1).max(1000),
  hash: choice(HASHES).schema.default("fnv1a_64"),
  hash_tag: written("two characters", /^[!-~]{2}$/).optional(),
  distribution: choice(["ketama", "modula", "random"]).schema.default("ketama"),
  timeout: milliseconds.default(0),
  backlog: integer(1, 65_535).schema.default(512),
  client_connections: integer(0, MANY).schema.default(0),
  tcpkeepalive: flag.default(false),
  reuseport: flag.default(false),
  // Connections to servers are always opened at once.
  preconnect: flag.optional(),
  redis: flag.default(false),
  redis_auth: secret().schema.optional(),
  redis_db: integer(0, 100_000).schema.default(0),
  auto_eject_hosts: flag.default(false),
  server_connections: integer(1, 64).schema.default(1),
  server_retry_timeout: milliseconds.default(30_000),
  server_failure_limit: integer(1, 1000).schema.default(2),
});

export type TwemproxyPool = z.output<typeof poolSchema>;

/** Pools by their names. */
export const poolsSchema = z.record(text().schema as z.ZodType<string, string>, poolSchema);
export type TwemproxyPools = Readonly<Record<string, TwemproxyPool>>;

/** Which keys of a pool say what our options say, for errors. */
export const KEY_OF: Readonly<Record<string, string>> = {
  shards: "servers",
  hash: "hash",
  distribution: "distribution",
  hashTag: "hash_tag",
  password: "redis_auth",
  shardPassword: "redis_auth",
};

/** The option that a whole nutcracker.yaml is the value of, for a file of that shape: pools by name, each with servers. */
export function adoptFile(file: Readonly<Record<string, unknown>>): "pools" | undefined {
  const pools = Object.values(file);
  const isPool = (value: unknown): boolean =>
    typeof value === "object" && value !== null && "servers" in value && "listen" in value;
  return pools.length > 0 && pools.every(isPool) ? "pools" : undefined;
}

/** What a pool says, in our options. */
export function optionsOfPool(given: TwemproxyPool) {
  const isRandom = given.distribution === "random";
  return {
    protocol: given.redis ? ("redis" as const) : ("memcached" as const),
    ...listenOf(given.listen),
    shards: given.servers.map((line) => shardOf(line, isRandom)),
    distribution: given.distribution,
    hash: isRandom ? undefined : given.hash,
    hashTag: given.hash_tag ?? "none",
    timeout: given.timeout,
    connections: given.server_connections,
    maxConnections: given.client_connections === 0 ? MANY : given.client_connections,
    backlog: given.backlog,
    keepAlive: given.tcpkeepalive,
    reusePort: given.reuseport,
    database: given.redis_db,
    onFailure: given.auto_eject_hosts ? ("next" as const) : ("fail" as const),
    maxEjected: 100,
    failureLimit: given.server_failure_limit,
    probeInterval: Math.max(given.server_retry_timeout, SOON_MS),
    password: given.redis_auth,
    shardPassword: given.redis_auth,
  };
}

type Listen = { listen: { host: string; port: number } | { path: string }; socketMode: number | undefined };

function listenOf(written: string): Listen {
  const { path, mode } = LISTEN.exec(written)!.groups as { path?: string; mode?: string };
  if (path !== undefined) return { listen: { path }, socketMode: mode === undefined ? undefined : parseInt(mode, 8) };
  const { host, port } = splitPort(written);
  return { listen: { host, port }, socketMode: undefined };
}

/** The host stands before the last colon, whatever else is in it. */
function splitPort(text: string): { host: string; port: number } {
  const colon = text.lastIndexOf(":");
  return { host: text.slice(0, colon).replace(/^\[(.*)\]$/, "$1"), port: Number(text.slice(colon + 1)) };
}

/** A server as `--shards` has it, always with its name: what twemproxy hashes if there is none. */
function shardOf(line: string, isRandom: boolean): string {
  const { address = "", weight, name } = SERVER.exec(line)!.groups as Record<string, string | undefined>;
  // With `random` all servers count alike.
  const counted = isRandom ? "1" : weight;
  if (address.startsWith("/")) return `unix:${address}:${counted} ${name ?? address}`;
  const { host, port } = splitPort(address);
  const written = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  return `${written}:${counted} ${name ?? ketamaName(host, port)}`;
}
