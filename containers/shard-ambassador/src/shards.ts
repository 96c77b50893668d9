// The list of shards as it is written, and the placement that it goes with.
import { isIP } from "node:net";

import { parseCidr } from "@outrigger/http";
import type { Address } from "@outrigger/options";
import { formatAddress, parseAddress } from "@outrigger/options";

import { DISCOVER_FORM, parseSource } from "./discovery/lookup.ts";
import { KEY_FORM, parseKeySource } from "./http/key.ts";
import type { Values } from "./options.ts";
import { SHARD_FORM } from "./options.ts";
import { REPLICA_FORM } from "./options/shards.ts";
import type { Placed } from "./placement/advice.ts";
import { ketamaName } from "./placement/ketama.ts";
import type { HashTag, PlacementSettings } from "./placement/placement.ts";
import { createPlacement, HASH_IS_FREE, KNOWS_WEIGHTS } from "./placement/placement.ts";
import type { ShardSpec } from "./proxy/topology.ts";

/** The options that say which shards there are and what each owns: they may change while running. */
export const PLACEMENT_OPTIONS = ["shards", "distribution", "hash", "hashTag"] as const;
export type PlacementValues = Pick<Values, "protocol" | (typeof PLACEMENT_OPTIONS)[number]>;

/** Paths have braces for other reasons. */
const defaultHashTag = (protocol: Values["protocol"]): string => (protocol === "http" ? "none" : "{}");

type WrittenAs = Readonly<Record<keyof Values, string>>;

const MAX_WEIGHT = 1000;
const LINE =
  /^(?<address>unix:[^\s:]+|\[[^\s\]]+\]:\d+|[^\s:]+:\d+)(?::(?<weight>\d{1,4}))?(?:\s+(?<name>\S{1,200}))?$/;

/** One shard as written, or undefined. Without a name it has the one that twemproxy would give it, with ketama. */
export function parseShard(text: string, distribution: Values["distribution"]): ShardSpec | undefined {
  const match = LINE.exec(text.trim());
  if (match === null) return undefined;
  const { address: written = "", weight = "1", name } = match.groups as Record<string, string | undefined>;
  const address = parseAddress(written, "");
  const isUsable = address !== undefined && ("path" in address || address.port > 0);
  if (!isUsable || Number(weight) < 1 || Number(weight) > MAX_WEIGHT) return undefined;
  return { address, weight: Number(weight), name: name ?? nameOf(address, distribution) };
}

function nameOf(address: Address, distribution: Values["distribution"]): string {
  const isTwemproxys = distribution === "ketama" && "port" in address;
  return isTwemproxys ? ketamaName(address.host, address.port) : formatAddress(address);
}

/** The shards of values that have been checked. */
export const shardsOf = ({ shards, distribution }: PlacementValues): ShardSpec[] =>
  shards.map((text) => parseShard(text, distribution)).filter((shard) => shard !== undefined);

/** Two printable characters, `none`, or undefined for anything else. */
export function parseHashTag(text: string): HashTag | "none" | undefined {
  if (text === "none") return "none";
  return /^[!-~]{2}$/.test(text) ? { open: text.charCodeAt(0), close: text.charCodeAt(1) } : undefined;
}

export function placementSettingsOf({ protocol, distribution, hash, hashTag }: PlacementValues): PlacementSettings {
  const tag = parseHashTag(hashTag ?? defaultHashTag(protocol));
  return { distribution, hash: hash ?? "fnv1a_64", hashTag: tag === "none" ? undefined : tag };
}

/** The placement that values stand for. */
export function placedOf(values: PlacementValues): Placed {
  const specs = shardsOf(values);
  const settings = placementSettingsOf(values);
  return { names: specs.map(({ name }) => name), settings, locate: createPlacement(specs, settings) };
}

/** The shard that owns a key. */
export function routeOf(values: PlacementValues, key: Uint8Array): { shard: string; address: string } {
  const { name, address } = shardsOf(values)[placedOf(values).locate(key, 0, key.length)]!;
  return { shard: name, address: formatAddress(address) };
}

export function checkValues(values: Values, writtenAs: WrittenAs): string[] {
  return [checkShards, checkReplicas, checkPlacement, checkHttp, checkAccess, checkFailure, checkBounds].flatMap(
    (check) => check(values, writtenAs),
  );
}

function checkShards(values: Values, writtenAs: WrittenAs): string[] {
  const { shards, distribution } = values;
  const problems = shards
    .filter((text) => parseShard(text, distribution) === undefined)
    .map((text) => `${writtenAs.shards}: expected ${SHARD_FORM}, got ${text}`);
  if (values.discover !== undefined) problems.push(...checkDiscovery(values, writtenAs));
  else if (problems.length === 0 && shards.length === 0)
    problems.push(`${writtenAs.shards}: expected at least one ${SHARD_FORM}, got nothing`);
  const names = new Set<string>();
  for (const { name, weight } of shardsOf(values)) {
    if (names.has(name)) problems.push(`${writtenAs.shards}: expected names that differ, got ${name} twice`);
    names.add(name);
    if (weight !== 1 && !KNOWS_WEIGHTS.includes(distribution)) {
      problems.push(`${writtenAs.shards}: expected weight 1 with --distribution ${distribution}, got ${weight}`);
    }
  }
  return problems;
}

/** Where the replicas of a shard are. */
export const replicasOf = ({ replicas }: Pick<Values, "replicas">, name: string): Address[] =>
  replicas
    .map(parseReplica)
    .filter((replica) => replica?.name === name)
    .map((replica) => replica!.address);

function parseReplica(text: string): { name: string; address: Address } | undefined {
  const equals = text.indexOf("=");
  const address = parseAddress(text.slice(equals + 1), "");
  const isUsable =
    equals > 0 && address !== undefined && ("path" in address || (address.port > 0 && address.host !== ""));
  return isUsable ? { name: text.slice(0, equals), address } : undefined;
}

function checkReplicas(values: Values, writtenAs: WrittenAs): string[] {
  const { replicas, readPolicy, onFailure, protocol, discover } = values;
  const problems: string[] = [];
  if (replicas.length === 0 && readPolicy === "replica")
    problems.push(`${writtenAs.readPolicy}: expected --replicas beside replica, got none`);
  if (replicas.length === 0 && onFailure === "replica")
    problems.push(`${writtenAs.onFailure}: expected --replicas beside replica, got none`);
  if (replicas.length > 0 && protocol !== "redis")
    problems.push(`${writtenAs.replicas}: expected --protocol redis beside it, got ${protocol}`);
  const names = new Set(shardsOf(values).map(({ name }) => name));
  for (const text of replicas) {
    const replica = parseReplica(text);
    if (replica === undefined) problems.push(`${writtenAs.replicas}: expected ${REPLICA_FORM}, got ${text}`);
    else if (discover === undefined && !names.has(replica.name))
      problems.push(`${writtenAs.replicas}: expected the name of a shard, got ${replica.name}`);
  }
  return problems;
}

function checkDiscovery({ shards, discover, dnsServers }: Values, writtenAs: WrittenAs): string[] {
  const problems: string[] = [];
  if (parseSource(discover!) === undefined)
    problems.push(`${writtenAs.discover}: expected ${DISCOVER_FORM}, got ${discover}`);
  if (shards.length > 0) problems.push(`${writtenAs.shards}: expected nothing beside --discover, got a list`);
  for (const server of dnsServers.filter((one) => !isDnsServer(one)))
    problems.push(`${writtenAs.dnsServers}: expected an IP address, with :port if it is not 53, got ${server}`);
  return problems;
}

const isDnsServer = (text: string): boolean =>
  isIP(text.replace(/:\d{1,5}$/, "").replace(/^\[(.*)\]$/, "$1")) !== 0 || isIP(text) !== 0;

function checkPlacement(values: Values, writtenAs: WrittenAs): string[] {
  const { protocol, distribution, hash, hashTag = defaultHashTag(protocol) } = values;
  const problems: string[] = [];
  if (hash !== undefined && !HASH_IS_FREE.includes(distribution)) {
    problems.push(`${writtenAs.hash}: expected --distribution ketama or modula beside it, got ${distribution}`);
  }
  const tag = parseHashTag(hashTag);
  if (tag === undefined) problems.push(`${writtenAs.hashTag}: expected two characters, or none, got ${hashTag}`);
  if (distribution === "redis-cluster" && hashTag !== "{}") {
    problems.push(`${writtenAs.hashTag}: expected {} with --distribution redis-cluster, got ${hashTag}`);
  }
  return problems;
}

/** Distributions in which taking one shard away moves the keys of most others. */
const SHIFTING = new Set<string>(["jump", "redis-cluster"]);

const PORTS: Readonly<Record<Values["protocol"], number>> = { redis: 6379, memcached: 11_211, http: 8080 };

/** In milliseconds; Infinity for no end. */
export function timeoutOf({ timeout, protocol }: Values): number {
  const given = timeout ?? (protocol === "http" ? 30_000 : 1000);
  return given === 0 ? Number.POSITIVE_INFINITY : given;
}

/** Where clients connect. */
export const listenOf = ({ listen, protocol }: Values): Address =>
  listen ?? { host: "127.0.0.1", port: PORTS[protocol] };

/** What becomes of the keys of a shard that has failed: a cache may have them elsewhere, a store may not. */
export function onFailureOf({ onFailure, protocol, distribution }: Values): "fail" | "next" | "replica" {
  const isCache = protocol !== "redis" && !SHIFTING.has(distribution);
  return onFailure ?? (isCache ? "next" : "fail");
}

function checkHttp({ protocol, key, trustedProxies, statsListen }: Values, writtenAs: WrittenAs): string[] {
  const problems = key
    .filter((source) => parseKeySource(source) === undefined)
    .map((source) => `${writtenAs.key}: expected ${KEY_FORM}, got ${source}`);
  for (const block of trustedProxies.filter((one) => parseCidr(one) === undefined))
    problems.push(`${writtenAs.trustedProxies}: expected an address or a CIDR block, got ${block}`);
  if (protocol === "http" && statsListen !== undefined)
    problems.push(`${writtenAs.statsListen}: expected --protocol redis or memcached beside it, got http`);
  return problems;
}

/** memcached's text protocol knows no passwords, and those of HTTP are between clients and shards. */
function checkAccess({ protocol, password, shardPassword }: Values, writtenAs: WrittenAs): string[] {
  if (protocol === "redis") return [];
  const given = Object.entries({ password, shardPassword }).filter(([, secret]) => secret !== undefined);
  return given.map(
    ([name]) => `${writtenAs[name as keyof Values]}: expected --protocol redis beside it, got ${protocol}`,
  );
}

function checkFailure({ onFailure, distribution }: Values, writtenAs: WrittenAs): string[] {
  if (onFailure !== "next" || !SHIFTING.has(distribution)) return [];
  return [`${writtenAs.onFailure}: expected fail with --distribution ${distribution}, got ${onFailure}`];
}

function checkBounds({ maxRequest, memoryLimit }: Values, writtenAs: WrittenAs): string[] {
  if (maxRequest * 2 <= memoryLimit) return [];
  return [`${writtenAs.maxRequest}: expected at most half of --memory-limit (${memoryLimit} B), got ${maxRequest} B`];
}
