// Finds shards by DNS: SRV records, or the pods of a StatefulSet by their ordinals. What is found has a name that outlives
// its address.
import { Resolver } from "node:dns/promises";

export const DISCOVER_FORM = "srv:NAME, or ordinals:HOST:PORT with {} in the host";

/** A shard that was found: the address is one of the moment, the name is for good. */
export type Found = { readonly name: string; readonly address: string };

/** Where to look. */
export type Source =
  | { readonly kind: "srv"; readonly name: string }
  | { readonly kind: "ordinals"; readonly host: string; readonly port: number };

const ORDINALS = /^ordinals:(?<host>[^\s:]*\{\}[^\s:]*):(?<port>\d{1,5})$/;
const SRV = /^srv:(?<name>[^\s:]{1,253})$/;
const MAX_SHARDS = 1000;
/** So many pods in a row that are not there are the end of a StatefulSet; fewer may be restarting. */
const MAX_GAP = 3;

export function parseSource(text: string): Source | undefined {
  const srv = SRV.exec(text)?.groups?.["name"];
  if (srv !== undefined) return { kind: "srv", name: srv };
  const { host = "", port = "" } = ORDINALS.exec(text)?.groups ?? {};
  return Number(port) >= 1 && Number(port) <= 65_535 ? { kind: "ordinals", host, port: Number(port) } : undefined;
}

/** Looks once. Rejects when the servers of DNS do not answer, which says nothing of the shards. */
export type Look = () => Promise<Found[]>;

export function createLook(
  source: Source,
  { servers, timeoutMs }: { servers: readonly string[]; timeoutMs: number },
): Look {
  const resolver = new Resolver({ timeout: timeoutMs, tries: 2 });
  if (servers.length > 0) resolver.setServers(servers);
  const addressOf = async (host: string): Promise<string | undefined> => {
    const found = await orNothing(resolver.resolve4(host));
    if (found !== undefined) return found.toSorted()[0];
    const [address] = (await orNothing(resolver.resolve6(host))) ?? [];
    return address === undefined ? undefined : `[${address}]`;
  };
  return source.kind === "srv" ? lookBySrv : lookByOrdinals;

  async function lookBySrv(): Promise<Found[]> {
    const records = (source.kind === "srv" && (await orNothing(resolver.resolveSrv(source.name)))) || [];
    const found = await Promise.all(
      records.slice(0, MAX_SHARDS).map(async ({ name, port }) => ({ name, port, address: await addressOf(name) })),
    );
    return found.flatMap(({ name, port, address }) =>
      address === undefined ? [] : [{ name: name.toLowerCase().replace(/\.$/, ""), address: `${address}:${port}` }],
    );
  }

  async function lookByOrdinals(): Promise<Found[]> {
    if (source.kind !== "ordinals") return [];
    const found: Found[] = [];
    let gap = 0;
    for (let ordinal = 0; gap < MAX_GAP && found.length < MAX_SHARDS; ordinal++) {
      const host = source.host.replace("{}", String(ordinal));
      const address = await addressOf(host);
      gap = address === undefined ? gap + 1 : 0;
      if (address !== undefined) found.push({ name: host.split(".")[0]!, address: `${address}:${source.port}` });
    }
    return found;
  }
}

/** Names without records; any other failure is one of the server. */
const NOTHING = new Set(["ENOTFOUND", "ENODATA"]);

async function orNothing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (NOTHING.has((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}
