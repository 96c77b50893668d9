// The pools of a process: the one that the options describe, or those of twemproxy's file.
import type { Values } from "./options.ts";
import { checkTls } from "./shard-tls.ts";
import { checkValues } from "./shards.ts";
import { KEY_OF, optionsOfPool } from "./twemproxy/pools.ts";

/** The options of one pool. */
export type PoolValues = Values & {
  /** The permissions of a Unix socket to listen on. */
  readonly socketMode?: number | undefined;
};

/** One listener, and the shards behind it. */
export type PoolSpec = { readonly name: string; readonly values: PoolValues };

type WrittenAs = Readonly<Record<keyof Values, string>>;

/** The pools that values stand for; one without a name of its own has that of its protocol. */
export function poolsOf(values: Values): PoolSpec[] {
  if (values.pools === undefined) return [{ name: values.protocol, values }];
  return Object.entries(values.pools).map(([name, pool]) => ({ name, values: { ...values, ...optionsOfPool(pool) } }));
}

export function checkPools(values: Values, writtenAs: WrittenAs): string[] {
  const tls = checkTls(values, writtenAs);
  if (values.pools === undefined) return [...checkValues(values, writtenAs), ...tls];
  if (values.discover !== undefined)
    return [`${writtenAs.discover}: expected nothing beside pools, got ${values.discover}`];
  if (values.replicas.length > 0) return [`${writtenAs.replicas}: expected nothing beside pools, got a list`];
  const given = values.shards.length === 0 ? [] : [`${writtenAs.shards}: expected nothing beside pools, got a list`];
  const problems = poolsOf(values).flatMap((pool) =>
    checkValues(pool.values, namesIn(`${writtenAs.pools}: ${pool.name}`, writtenAs)),
  );
  // What is wrong with an option of all pools is wrong with each.
  return [...new Set([...given, ...problems, ...tls])];
}

/** How the options of a pool are written in its own keys. */
const namesIn = (pool: string, writtenAs: WrittenAs): WrittenAs =>
  Object.fromEntries(
    Object.entries(writtenAs).map(([option, name]) => [option, option in KEY_OF ? `${pool}.${KEY_OF[option]}` : name]),
  ) as WrittenAs;
