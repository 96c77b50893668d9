// From options to sources: the entries of the file, and those that the flags without a file stand for.
import { parseAddress } from "@outrigger/options";
import type { Address } from "@outrigger/options";
import type { Logger } from "@outrigger/runtime";

import type { NamedSource } from "./collector.ts";
import { defined } from "./defined.ts";
import type { Labels } from "./exposition/model.ts";
import type { Values } from "./options.ts";
import type { SourceEntry } from "./sources.ts";
import { SOURCE_KINDS, sourceKind } from "./sources.ts";
import { POSTGRES_FORM } from "./sources/postgres/address.ts";

/** A flag without a file: the settings of the source that it stands for. */
type Shorthand = {
  readonly type: string;
  readonly isAsked: (values: Values) => boolean;
  readonly settings: (values: Values) => Readonly<Record<string, unknown>>;
  /** The option that may be wrong, and what it has to be. */
  readonly option: keyof Values;
  readonly form: string;
};

const HTTP_FORM = "http://host/path, https://host/path or unix:/socket:/path";

const SHORTHANDS: readonly Shorthand[] = [
  {
    type: "redis",
    isAsked: ({ redis }) => redis,
    settings: ({ redisAddress, redisUser, redisPasswordFile }) =>
      defined({ address: redisAddress, username: redisUser, passwordFile: redisPasswordFile }),
    option: "redisAddress",
    form: "redis://host:port, rediss://host:port or unix:///path",
  },
  {
    type: "nginx",
    isAsked: ({ nginx }) => nginx,
    settings: ({ nginxUrl }) => ({ url: nginxUrl }),
    option: "nginxUrl",
    form: HTTP_FORM,
  },
  {
    type: "memcached",
    isAsked: ({ memcached }) => memcached,
    settings: ({ memcachedAddress }) => ({ address: memcachedAddress }),
    option: "memcachedAddress",
    form: "host:port, [ipv6]:port or unix:/path",
  },
  {
    type: "postgres",
    isAsked: ({ postgres }) => postgres,
    settings: ({ postgresAddress, postgresPasswordFile }) =>
      defined({ address: postgresAddress?.reveal(), passwordFile: postgresPasswordFile }),
    option: "postgresAddress",
    form: POSTGRES_FORM,
  },
  {
    type: "json",
    isAsked: ({ json }) => json !== undefined,
    settings: ({ json, jsonModulesFile }) => defined({ url: json, modulesFile: jsonModulesFile }),
    option: "json",
    form: HTTP_FORM,
  },
  {
    type: "statsd",
    isAsked: ({ statsd }) => statsd,
    settings: ({ statsdMappingFile }) => defined({ mappingFile: statsdMappingFile }),
    option: "statsdMappingFile",
    form: "a path",
  },
];

/** The entry that a flag stands for; undefined where its option is wrong. */
function entryOf({ type, settings }: Shorthand, values: Values): SourceEntry | undefined {
  const checked = sourceKind(type)!.schema.safeParse(settings(values));
  if (!checked.success) return undefined;
  // The password is no setting of the file: it is only taken from the flag, or its variable.
  const password = type === "redis" ? values.redisPassword?.reveal() : undefined;
  return { type, labels: {}, ...(checked.data as object), ...defined({ password }) };
}

/** The entries of all sources, each with a name of its own. */
export function entriesOf(values: Values): readonly (SourceEntry & { readonly name: string })[] {
  const asked = SHORTHANDS.filter(({ isAsked }) => isAsked(values));
  const entries = [...(values.sources ?? []), ...asked.flatMap((shorthand) => entryOf(shorthand, values) ?? [])];
  const count = (type: string): number => entries.filter((entry) => entry.type === type).length;
  return entries.map((entry, at) => {
    const before = entries.slice(0, at).filter(({ type }) => type === entry.type).length;
    return { ...entry, name: entry.name ?? (count(entry.type) === 1 ? entry.type : `${entry.type}-${before + 1}`) };
  });
}

/** What is wrong with the options together; each is a problem as the user sees it. */
export function problemsOf(values: Values, writtenAs: Readonly<Record<string, string>>): string[] {
  const asked = SHORTHANDS.filter(({ isAsked }) => isAsked(values));
  const problems = asked
    .filter((shorthand) => entryOf(shorthand, values) === undefined)
    .map(
      ({ option, form }) => `${writtenAs[option]}: expected ${form}, got ${withoutPassword(String(values[option]))}`,
    );
  const entries = entriesOf(values);
  for (const entry of [...entries, ...Object.values(values.modules ?? {})]) {
    problems.push(...(sourceKind(entry.type)!.check?.(entry) ?? []));
  }
  problems.push(...entries.flatMap((entry) => commandProblem(entry, values, writtenAs)));
  const names = entries.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) problems.push(`${writtenAs["sources"]}: expected names that differ, got ${twice} twice`);
  if (names.length === 0 && asked.length === 0 && values.probeTargets.length === 0) {
    problems.push(`${writtenAs["sources"]}: expected at least one source, or a flag such as --redis, got none`);
  }
  return problems;
}

/** A source may only run what the one who starts the adapter allows. */
function commandProblem(
  { command }: SourceEntry,
  { allowCommands }: Values,
  writtenAs: Readonly<Record<string, string>>,
): string[] {
  const program: unknown = Array.isArray(command) ? command[0] : undefined;
  const isAllowed = typeof program === "string" && program.startsWith("/") && allowCommands.includes(program);
  if (program === undefined || isAllowed) return [];
  return [
    `${writtenAs["sources"]}: expected a command that ${writtenAs["allowCommands"]} names, got ${String(program)}`,
  ];
}

const withoutPassword = (url: string): string => url.replace(/:[^/@]*@/, ":[redacted]@");

const ONLY_REDIS: Address = { host: "0.0.0.0", port: 9121 };
const OTHERWISE: Address = { host: "0.0.0.0", port: 9464 };

/** Where to listen: redis_exporter's port when Redis is all there is. */
export function listenAddressOf(values: Values): Address {
  if (values.listen !== undefined) return values.listen;
  const entries = entriesOf(values);
  return entries.length > 0 && entries.every(({ type }) => type === "redis") ? ONLY_REDIS : OTHERWISE;
}

/** How long a source may take, whatever the scraper allows. */
const SOURCE_TIMEOUT_MS = 60_000;

export type Environment = { readonly log: Logger; readonly maxBodySize: number };

/** Makes the source of an entry. Where several are of one type, a label tells them apart. */
export async function createSource(
  entry: SourceEntry & { readonly name: string },
  { log, maxBodySize }: Environment,
  several: boolean,
): Promise<NamedSource> {
  const { type, name, labels, ...settings } = entry;
  const kind = sourceKind(type)!;
  const own = Object.entries(labels).flat();
  const source = await kind.create(settings, { name, log, maxBodySize });
  const constant: Labels = several && own.length === 0 ? ["source", name] : own;
  return { name, prefix: kind.prefix, labels: constant, timeoutMs: SOURCE_TIMEOUT_MS, source };
}

/** The entry for a probe of a target; undefined for a module that there is not. */
export function probeEntryOf(
  values: Values,
  module: string,
  target: string,
): (SourceEntry & { readonly name: string }) | undefined {
  const given = values.modules?.[module];
  const kind = sourceKind(given?.type ?? module);
  if (kind?.targetKey === undefined) return undefined;
  const { type: _, name: __, labels = {}, ...settings } = given ?? ({} as Partial<SourceEntry>);
  const checked = kind.schema.safeParse({ ...settings, [kind.targetKey]: target });
  if (!checked.success) return undefined;
  return { ...(checked.data as object), type: kind.type, name: module, labels };
}

/** The modules that can be asked for. */
export const modulesOf = (values: Values): string[] => [
  ...Object.keys(values.modules ?? {}),
  ...SOURCE_KINDS.filter(({ targetKey }) => targetKey !== undefined).map(({ type }) => type),
];

const DEFAULT_PORTS: Readonly<Record<string, string>> = {
  "http:": "80",
  "https:": "443",
  "redis:": "6379",
  "rediss:": "6379",
};

/** What a target connects to: `host:port` or `unix:/path`. Undefined for what is neither, or has a user in it. */
function endpointOf(target: string): string | undefined {
  if (target.startsWith("unix:")) return `unix:${target.slice("unix:".length).replace(/^\/\/(?=\/)/, "")}`;
  if (!target.includes("://")) {
    const address = parseAddress(target, "127.0.0.1");
    return address !== undefined && "host" in address ? `${address.host}:${address.port}`.toLowerCase() : undefined;
  }
  if (!URL.canParse(target)) return undefined;
  const { protocol, hostname, port, username, password } = new URL(target);
  const known = port === "" ? DEFAULT_PORTS[protocol] : port;
  return known === undefined || username !== "" || password !== "" ? undefined : `${hostname}:${known}`.toLowerCase();
}

/** Whether the configuration allows to connect to the target. */
export function isTargetAllowed(allowed: readonly string[], target: string): boolean {
  const endpoint = endpointOf(target);
  if (endpoint === undefined) return false;
  return allowed.some((pattern) => {
    if (pattern.startsWith("unix:")) return pattern === endpoint;
    const escaped = pattern.toLowerCase().replaceAll(/[.[\]+?^${}()|\\]/g, "\\$&");
    return new RegExp(`^${escaped.replace(/:\*$/, ":\\d+").replaceAll("*", "[^.:]*")}$`).test(endpoint);
  });
}
