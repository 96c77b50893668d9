// Reads the environment: variables with the container's prefix, and the aliases that options have.
import type { Entry, SourceEntries } from "./entries.ts";
import { didYouMean } from "./entries.ts";
import type { OptionTable } from "./table.ts";
import { spell } from "./table.ts";

/** Variables that Kubernetes injects into every container for each Service of the namespace; never ours. */
const SERVICE_VARIABLE =
  /_SERVICE_HOST$|_SERVICE_PORT(_[A-Z0-9_]+)?$|_PORT$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/;
/** What such a variable holds where its name is also one of ours: a Service named `proxy` sets PROXY_PORT. */
const SERVICE_URL = /^(tcp|udp|sctp):\/\//;

type Environment = Readonly<Record<string, string | undefined>>;

/** The variables with our prefix. An empty variable counts as not set. */
export function readVariables(
  table: OptionTable,
  prefix: string,
  env: Environment,
  reserved: readonly string[],
): SourceEntries {
  const entries = new Map<string, Entry>();
  const problems: string[] = [];
  const known = new Map(
    Object.entries(table).map(([property, { kind }]) => [spell(property, kind, prefix).variable, property]),
  );
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(`${prefix}_`) || !isSet(value) || reserved.includes(name)) continue;
    const property = known.get(name);
    if (SERVICE_VARIABLE.test(name) && (property === undefined || SERVICE_URL.test(value))) continue;
    if (property === undefined) {
      problems.push(`${name}: expected a known variable${didYouMean(name, [...known.keys(), ...reserved])}`);
    } else if (table[property]!.kind.fileOnly === true) {
      problems.push(`${name}: expected ${property} as a key of the file, got a variable`);
    } else {
      entries.set(property, { value, writtenAs: name, origin: `variable ${name}` });
    }
  }
  return { entries, problems };
}

const isSet = (value: string | undefined): value is string => value !== undefined && value !== "";

/** The variables of other programs and of the book that are understood, without our prefix. */
export function readAliases(table: OptionTable, env: Environment): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const [property, { aliases = {} }] of Object.entries(table)) {
    for (const [name, convert] of Object.entries(aliases)) {
      const value = env[name];
      if (!isSet(value) || SERVICE_URL.test(value) || entries.has(property)) continue;
      entries.set(property, { value: convert(value), writtenAs: name, origin: `variable ${name}` });
    }
  }
  return entries;
}
