// TLS to the shards: what connections are opened with, read from files that may be replaced while running.
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { createSecureContext } from "node:tls";
import type { ConnectionOptions } from "node:tls";
import { isDeepStrictEqual } from "node:util";

import type { Address } from "@outrigger/options";

import type { Values } from "./options.ts";

/** What a TLS connection to an address is opened with. */
export type TlsOptionsFor = (address: Address) => ConnectionOptions;

export type ShardTls = {
  readonly optionsFor: TlsOptionsFor;
  /** Reads the files again, for connections that are opened from now on; whether they differ. Throws if they are unusable. */
  reload(): boolean;
};

type TlsValues = Pick<Values, "shardTls" | "shardCa" | "shardCert" | "shardKey" | "shardServerName">;
type WrittenAs = Readonly<Record<keyof Values, string>>;

const FILES = ["shardCa", "shardCert", "shardKey"] as const;

/** The files that the options name. */
export const filesOf = (values: TlsValues): string[] =>
  FILES.map((name) => values[name]).filter((path) => path !== undefined);

type Material = { readonly ca?: string; readonly cert?: string; readonly key?: string };

/** Undefined without TLS. The files have been checked. */
export function createShardTls(values: TlsValues): ShardTls | undefined {
  if (!values.shardTls) return undefined;
  let material = read(values);
  return {
    optionsFor: (address) => {
      const name = values.shardServerName ?? ("path" in address ? "localhost" : address.host);
      // An address is compared with the certificate, but not sent as a name (RFC 6066 section 3).
      return { ...material, ...(isIP(name) === 0 ? { servername: name } : {}) };
    },
    reload: () => {
      const next = read(values);
      createSecureContext(next);
      if (isDeepStrictEqual(next, material)) return false;
      material = next;
      return true;
    },
  };
}

function read({ shardCa, shardCert, shardKey }: TlsValues): Material {
  const given = Object.entries({ ca: shardCa, cert: shardCert, key: shardKey });
  const named = given.filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(named.map(([name, path]) => [name, readFileSync(path, "utf8")]));
}

export function checkTls(values: Values, writtenAs: WrittenAs): string[] {
  const given = ([...FILES, "shardServerName"] as const).filter((name) => values[name] !== undefined);
  if (!values.shardTls) return given.map((name) => `${writtenAs[name]}: expected --shard-tls beside it, got nothing`);
  if (isIP(values.shardServerName ?? "") !== 0)
    return [`${writtenAs.shardServerName}: expected a host name, got ${values.shardServerName}`];
  if ((values.shardCert === undefined) !== (values.shardKey === undefined))
    return [`${writtenAs.shardCert}: expected it and --shard-key together, got one of them`];
  const unreadable = FILES.flatMap((name) => problemOf(name, values[name], writtenAs));
  if (unreadable.length > 0) return unreadable;
  try {
    createSecureContext(read(values));
    return [];
  } catch (error) {
    const [name = "shardTls"] = given;
    return [`${writtenAs[name]}: expected PEM files that fit each other, got ${(error as Error).message}`];
  }
}

function problemOf(name: (typeof FILES)[number], path: string | undefined, writtenAs: WrittenAs): string[] {
  if (path === undefined) return [];
  try {
    const isPem = readFileSync(path, "utf8").includes("-----BEGIN ");
    return isPem ? [] : [`${writtenAs[name]}: expected a PEM file, got ${path}`];
  } catch (error) {
    return [`${writtenAs[name]}: expected a readable file, got ${path} (${(error as NodeJS.ErrnoException).code})`];
  }
}
