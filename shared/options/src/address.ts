// Addresses of listeners and targets: host and port, or the path of a Unix socket.
import { BlockList, isIP, isIPv6 } from "node:net";

/** Where to listen or connect: TCP, or a Unix domain socket. */
export type Address = { readonly host: string; readonly port: number } | { readonly path: string };

const HOST = /^(?!-)[A-Za-z0-9_.-]{1,253}$/;

/** `host:port`, `[::1]:port`, `:port` or a bare port (both on `defaultHost`), `unix:/path`; undefined for anything else. */
export function parseAddress(text: string, defaultHost: string): Address | undefined {
  const trimmed = text.trim();
  if (trimmed.startsWith("unix:")) {
    const path = trimmed.slice("unix:".length);
    // sun_path holds 108 bytes with its closing zero (unix(7)).
    return path !== "" && Buffer.byteLength(path) < 108 && !path.includes("\0") ? { path } : undefined;
  }
  const match = /^(?:\[([^\]]+)\]:|([^:]*):)?(\d{1,5})$/.exec(trimmed);
  if (match === null) return undefined;
  const port = Number(match[3]);
  const host = match[1] ?? (match[2] || defaultHost);
  const valid = match[1] === undefined ? isIP(host) !== 0 || HOST.test(host) : isIPv6(host);
  return valid && port <= 65_535 ? { host, port } : undefined;
}

export function formatAddress(address: Address): string {
  if ("path" in address) return `unix:${address.path}`;
  return isIPv6(address.host) ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/** Whether traffic to this host or IP address stays on the machine. A name other than `localhost` is never trusted to. */
export function isLoopbackHost(host: string): boolean {
  if (host.toLowerCase() === "localhost") return true;
  const family = isIP(host);
  return family !== 0 && LOOPBACK.check(host, family === 4 ? "ipv4" : "ipv6");
}

/** A Unix socket, or a loopback host. */
export function staysOnMachine(address: Address): boolean {
  return "path" in address || isLoopbackHost(address.host);
}
