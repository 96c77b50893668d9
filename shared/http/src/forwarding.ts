// The fields that tell the application whom it really serves: X-Forwarded-*, X-Real-IP and Forwarded (RFC 7239). What a
// client says of itself is replaced; only a trusted proxy's word is kept and added to.
import { isIPv6 } from "node:net";

import type { FieldNames } from "./field-names.ts";
import { hostOf } from "./head-parser.ts";
import type { HeadParser } from "./head-parser.ts";
import type { Peer } from "./peer.ts";
import { equals } from "./syntax.ts";

/** The fields that forwarding owns: an untrusted client's are always removed, in any spelling. */
export const FORWARDING_FIELDS = [
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-real-ip",
  "forwarded",
] as const;

/** Writes the forwarding lines of one client's requests, each with its CR LF. */
export type ForwardingLines = { linesFor(head: HeadParser): Buffer };

/** Makes the writer for a client: the fields above, then the peer's own lines. They only change with the host, so the last are kept. */
export function createForwardingLines(
  peer: Peer,
  names: FieldNames,
  isTrusted: (address: string) => boolean,
): ForwardingLines {
  const own = peer.lines ?? "";
  const bytesOf = (lines: string): Buffer => Buffer.from(lines, "latin1");
  if (peer.trusted) return { linesFor: (head) => bytesOf(chainedLines(head, { peer, names, isTrusted }) + own) };
  let lastHost: Buffer | undefined;
  let lines = bytesOf("");
  return {
    linesFor: (head) => {
      if (lastHost === undefined || !isSameHost(head, lastHost)) {
        const host = hostOf(head);
        lastHost = bytesOf(host);
        lines = bytesOf(ownLines(peer, host) + own);
      }
      return lines;
    },
  };
}

function isSameHost({ bytes, host, valueStart, valueEnd }: HeadParser, last: Buffer): boolean {
  return host === -1 ? last.length === 0 : equals(bytes, valueStart[host]!, valueEnd[host]!, last);
}

function ownLines(peer: Peer, host: string): string {
  return joined(peer, {
    for: peer.address,
    proto: peer.scheme,
    host,
    port: String(peer.localPort),
    realIp: peer.address,
    forwarded: forwardedElement(peer, host),
  });
}

type Values = { for: string; proto: string; host: string; port: string; realIp: string; forwarded: string };

function joined(peer: Peer, values: Values): string {
  // A client on a Unix socket has no address to tell.
  const addresses = peer.address === "" ? "" : `X-Forwarded-For: ${values.for}\r\nX-Real-IP: ${values.realIp}\r\n`;
  const host = values.host === "" ? "" : `X-Forwarded-Host: ${values.host}\r\n`;
  return `${addresses}X-Forwarded-Proto: ${values.proto}\r\n${host}X-Forwarded-Port: ${values.port}\r\nForwarded: ${values.forwarded}\r\n`;
}

/** One element of Forwarded: IPv6 addresses, and hosts with a port, need quotes (RFC 7239 section 6). */
function forwardedElement({ address, scheme }: Peer, host: string): string {
  const node = address === "" ? "unknown" : isIPv6(address) ? `"[${address}]"` : address;
  return `for=${node};proto=${scheme}${host === "" ? "" : `;host="${host}"`}`;
}

/** Behind a trusted proxy: its chain with its own address at the end, and its word on scheme, host and port. */
function chainedLines(
  head: HeadParser,
  { peer, names, isTrusted }: { peer: Peer; names: FieldNames; isTrusted: (address: string) => boolean },
): string {
  const given = (name: (typeof FORWARDING_FIELDS)[number]): string => valuesOf(head, names.idOf(name));
  const host = hostOf(head);
  const chain = appended(given("x-forwarded-for"), peer.address);
  return joined(peer, {
    for: chain,
    proto: given("x-forwarded-proto") || peer.scheme,
    host: given("x-forwarded-host") || host,
    port: given("x-forwarded-port") || String(peer.localPort),
    realIp: clientOf(chain, isTrusted),
    forwarded: appended(given("forwarded"), forwardedElement(peer, host)),
  });
}

const appended = (list: string, item: string): string => (list === "" ? item : `${list}, ${item}`);

function valuesOf(head: HeadParser, id: number): string {
  const values: string[] = [];
  for (let i = 0; i < head.count; i++) if (head.id[i] === id) values.push(head.value(i));
  return values.join(", ");
}

/** The last address of the chain that is not a trusted proxy's: whatever stands left of it is only a claim. */
function clientOf(chain: string, isTrusted: (address: string) => boolean): string {
  const addresses = chain
    .split(",")
    .map((address) => address.trim())
    .filter((address) => address !== "");
  return addresses.findLast((address) => !isTrusted(address)) ?? addresses[0] ?? "";
}
