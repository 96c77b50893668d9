// Who a client is, as far as forwarding needs to know; made once a connection.

/** Facts of a client's connection. */
export type Peer = {
  /** The client's IP address, an IPv4-mapped one as IPv4; empty for a Unix socket. */
  readonly address: string;
  /** The port that the client connected to. */
  readonly localPort: number;
  /** `https` or `http`, as the client sees it. */
  readonly scheme: "http" | "https";
  /** What it speaks; HTTP/1.1 by default. */
  readonly protocol?: "h2" | "http/1.1";
  /** The server name that it was served as, in a form of the caller's own. */
  readonly serverName?: string;
  /** Whether its own forwarding fields may be believed. */
  readonly trusted: boolean;
  /** Lines of `ownedFields` that each of its requests gets, each with its CR LF: ASCII, without any other control character. */
  readonly lines?: string;
};

/** An IPv4 address that a dual-stack socket shows as IPv6, as IPv4. */
export const plainAddress = (address: string): string =>
  address.startsWith("::ffff:") && address.includes(".") ? address.slice("::ffff:".length) : address;
