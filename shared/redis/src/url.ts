// Addresses of Redis servers as people write them.
import type { Address } from "@outrigger/options";
import { parseAddress } from "@outrigger/options";

/** What a Redis URL says. */
export type RedisUrl = {
  readonly address: Address;
  readonly tls: boolean;
  readonly username?: string;
  readonly password?: string;
};

const DEFAULT_PORT = "6379";

function decoded(text: string): string | undefined {
  try {
    return text === "" ? undefined : decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/**
 * `redis://[user[:password]@]host[:port]`, `rediss://` for TLS, `unix:///path`, or `host:port`; undefined for anything else. A
 * database (`/0`) is accepted and means nothing, since statistics are the whole server's.
 */
export function parseRedisUrl(text: string): RedisUrl | undefined {
  if (!text.includes("://")) return addressOnly(text);
  if (text.startsWith("unix://")) return addressOnly(`unix:${text.slice("unix://".length)}`);
  if (!URL.canParse(text)) return undefined;
  const { protocol, username, password, hostname, port } = new URL(text);
  if (protocol !== "redis:" && protocol !== "rediss:") return undefined;
  const address = parseAddress(`${hostname}:${port === "" ? DEFAULT_PORT : port}`, "127.0.0.1");
  if (address === undefined || hostname === "") return undefined;
  const [name, word] = [decoded(username), decoded(password)];
  return {
    address,
    tls: protocol === "rediss:",
    ...(name === undefined ? {} : { username: name }),
    ...(word === undefined ? {} : { password: word }),
  };
}

function addressOnly(text: string): RedisUrl | undefined {
  if (text === "") return undefined;
  const address = parseAddress(text, "127.0.0.1") ?? parseAddress(`${text}:${DEFAULT_PORT}`, "127.0.0.1");
  return address === undefined ? undefined : { address, tls: false };
}
