// The PROXY protocol, versions 1 and 2 (haproxy's proxy-protocol.txt): who a connection is really from, said before its
// first byte. Read strictly; written with what TLS knows of the client.
import { isIPv4, isIPv6 } from "node:net";

import { parseAddressBytes, addressBytes } from "./address-bytes.ts";

/** A connection's two ends; the addresses are of one family. */
export type Ends = {
  readonly source: { readonly address: string; readonly port: number };
  readonly destination: { readonly address: string; readonly port: number };
};

/** What was read: the ends, or undefined where the proxy speaks for itself; and how many bytes that took. */
export type ProxyHeader = { readonly ends: Ends | undefined; readonly length: number };

const V1 = Buffer.from("PROXY ");
const V2 = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
/** Of version 1, with its end of line. */
const MAX_V1 = 107;
const V2_HEAD = 16;
/** Of version 2: what additional fields a proxy may send. */
const MAX_V2 = 4096;

/** Reads the header at the beginning of `bytes`; undefined when more are needed, null when there is none. */
export function parseProxyHeader(bytes: Buffer): ProxyHeader | undefined | null {
  if (beginsWith(bytes, V2)) return parseV2(bytes);
  return beginsWith(bytes, V1) ? parseV1(bytes) : null;
}

/** Whether the bytes, as many as there are, agree with these. */
function beginsWith(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return start.compare(bytes, 0, length, 0, length) === 0;
}

function parseV1(bytes: Buffer): ProxyHeader | undefined | null {
  const end = bytes.indexOf("\r\n");
  if (end === -1) return bytes.length >= MAX_V1 ? null : undefined;
  if (end + 2 > MAX_V1) return null;
  const words = bytes.toString("latin1", 0, end).split(" ");
  const ends = words[1] === "UNKNOWN" ? undefined : v1Ends(words);
  return ends === null ? null : { ends, length: end + 2 };
}

function v1Ends([, family, source = "", destination = "", from, to, ...more]: string[]): Ends | null {
  const isAddress = family === "TCP4" ? isIPv4 : family === "TCP6" ? isIPv6 : () => false;
  const good = isAddress(source) && isAddress(destination) && isPort(from) && isPort(to) && more.length === 0;
  return good
    ? { source: { address: source, port: Number(from) }, destination: { address: destination, port: Number(to) } }
    : null;
}

const isPort = (text: string | undefined): boolean => /^(0|[1-9]\d{0,4})$/.test(text ?? "") && Number(text) <= 65_535;

const COMMAND = { local: 0x20, proxy: 0x21 } as const;
const FAMILY = { tcp4: 0x11, tcp6: 0x21 } as const;
const ADDRESS_BYTES = { [FAMILY.tcp4]: 4, [FAMILY.tcp6]: 16 } as const;

function parseV2(bytes: Buffer): ProxyHeader | undefined | null {
  if (bytes.length < V2_HEAD) return undefined;
  const [command, family] = [bytes[12]!, bytes[13]!];
  const length = V2_HEAD + bytes.readUInt16BE(14);
  if ((command !== COMMAND.local && command !== COMMAND.proxy) || length > MAX_V2) return null;
  if (bytes.length < length) return undefined;
  const size = ADDRESS_BYTES[family as keyof typeof ADDRESS_BYTES];
  // A health check of the proxy's own, or a family that says nothing to us, as a Unix socket's.
  if (command === COMMAND.local || size === undefined) return { ends: undefined, length };
  if (length < V2_HEAD + 2 * size + 4) return null;
  const ports = V2_HEAD + 2 * size;
  return {
    ends: {
      source: { address: parseAddressBytes(bytes.subarray(V2_HEAD, V2_HEAD + size)), port: bytes.readUInt16BE(ports) },
      destination: {
        address: parseAddressBytes(bytes.subarray(V2_HEAD + size, ports)),
        port: bytes.readUInt16BE(ports + 2),
      },
    },
    length,
  };
}

/** What TLS knows of a connection. */
export type TlsFacts = {
  readonly alpn: string | undefined;
  readonly serverName: string | undefined;
  /** `TLSv1.3`. */
  readonly version: string;
  readonly cipher: string;
  readonly client: { readonly commonName: string | undefined; readonly der: Buffer } | undefined;
};

/** `v2-tls` has what TLS knows, `v2-cert` the client's certificate as well. */
export type ProxyVersion = "v1" | "v2" | "v2-tls" | "v2-cert";

const TLV = {
  alpn: 0x01,
  authority: 0x02,
  ssl: 0x20,
  sslVersion: 0x21,
  sslCn: 0x22,
  sslCipher: 0x23,
  sslCert: 0x28,
} as const;
/** The client came by TLS, and has shown a certificate on this connection. */
const CLIENT = { ssl: 0x01, certificate: 0x02 } as const;
const MAX_PAYLOAD = 65_535;

/** The header for a connection; throws a RangeError when what it has to say does not fit. */
export function writeProxyHeader(version: ProxyVersion, ends: Ends | undefined, tls: TlsFacts): Buffer {
  if (version === "v1") return Buffer.from(v1Line(ends), "latin1");
  const addresses = ends === undefined ? Buffer.alloc(0) : endBytes(ends);
  const fields = version === "v2" ? Buffer.alloc(0) : tlsFields(tls, version === "v2-cert");
  const payload = Buffer.concat([addresses, fields]);
  if (payload.length > MAX_PAYLOAD)
    throw new RangeError(`PROXY header: expected at most ${MAX_PAYLOAD} bytes, got ${payload.length}`);
  const head = Buffer.alloc(V2_HEAD);
  V2.copy(head);
  head[12] = COMMAND.proxy;
  head[13] = ends === undefined ? 0 : isIPv4(ends.source.address) ? FAMILY.tcp4 : FAMILY.tcp6;
  head.writeUInt16BE(payload.length, 14);
  return Buffer.concat([head, payload]);
}

function v1Line(ends: Ends | undefined): string {
  if (ends === undefined) return "PROXY UNKNOWN\r\n";
  const { source, destination } = ends;
  const family = isIPv4(source.address) ? "TCP4" : "TCP6";
  return `PROXY ${family} ${source.address} ${destination.address} ${source.port} ${destination.port}\r\n`;
}

function endBytes({ source, destination }: Ends): Buffer {
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(source.port, 0);
  ports.writeUInt16BE(destination.port, 2);
  return Buffer.concat([addressBytes(source.address), addressBytes(destination.address), ports]);
}

function tlsFields({ alpn, serverName, version, cipher, client }: TlsFacts, withCertificate: boolean): Buffer {
  const ssl = Buffer.concat([
    // The flags, and the result of the verification: 0, as whoever is not verified does not come so far.
    Buffer.from([CLIENT.ssl | (client === undefined ? 0 : CLIENT.certificate), 0, 0, 0, 0]),
    tlv(TLV.sslVersion, version),
    tlv(TLV.sslCipher, cipher),
    tlv(TLV.sslCn, client?.commonName),
    tlv(TLV.sslCert, withCertificate ? client?.der : undefined),
  ]);
  return Buffer.concat([tlv(TLV.alpn, alpn), tlv(TLV.authority, serverName), tlv(TLV.ssl, ssl)]);
}

function tlv(type: number, value: string | Buffer | undefined): Buffer {
  if (value === undefined || value === "") return Buffer.alloc(0);
  const bytes = typeof value === "string" ? Buffer.from(value) : value;
  if (bytes.length > MAX_PAYLOAD)
    throw new RangeError(`PROXY header: expected a field of at most ${MAX_PAYLOAD} bytes, got ${bytes.length}`);
  return Buffer.concat([Buffer.from([type, bytes.length >> 8, bytes.length & 0xff]), bytes]);
}
