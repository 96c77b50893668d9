// Opens a connection to a shard, by TLS or in plain text.
import { connect } from "node:net";
import type { NetConnectOpts, Socket } from "node:net";
import { connect as connectTls } from "node:tls";

import type { Address } from "@outrigger/options";

import type { ShardTls } from "../shard-tls.ts";

/** `ready` is the event that says that it is connected, and the other side is who it should be. */
export function dial(
  address: Address,
  tls: Pick<ShardTls, "optionsFor"> | undefined,
): { socket: Socket; ready: "connect" | "secureConnect" } {
  const plain = { ...address, noDelay: true } as NetConnectOpts;
  if (tls === undefined) return { socket: connect(plain), ready: "connect" };
  return { socket: connectTls({ ...plain, ...tls.optionsFor(address) }), ready: "secureConnect" };
}
