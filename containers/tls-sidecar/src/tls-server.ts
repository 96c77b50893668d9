// The server of the TLS library: which certificate each name gets, and what sessions and staples are made of. Who may come
// in is not its business.
import { createSecureContext, createServer } from "node:tls";
import type { SecureContext, Server } from "node:tls";

import type { Material } from "./material.ts";
import type { Values } from "./policy.ts";
import { createServerNames } from "./server-names.ts";
import type { ServerNames } from "./server-names.ts";
import { staple } from "./staples.ts";
import { contextOptionsOf, tlsOptionsOf } from "./tls-options.ts";

export type TlsServer = {
  readonly server: Server;
  /** Serves new handshakes with this from now on. */
  update(material: Material, values: Values): void;
  /** Encrypts session tickets with this key from now on, see TICKET_KEY_BYTES. */
  setTicketKey(key: Uint8Array): void;
};

/** The message of the error that a handshake ends with for want of a name. */
export const UNKNOWN_NAME = "unknown server name";

export function createTlsServer(values: Values, material: Material): TlsServer {
  let contexts = contextsOf(material, values);
  const server = createServer({
    ...tlsOptionsOf(material, values),
    ...(values.sniDir === undefined ? {} : { SNICallback: chooseContext }),
    handshakeTimeout: values.handshakeTimeout,
    allowHalfOpen: values.mode === "tcp",
    noDelay: true,
  });
  const staples = values.ocspStaple !== undefined || values.sniDir !== undefined;
  const restaple = staples ? staple(server, material) : undefined;
  let ticketKey: Uint8Array | undefined;
  const setTicketKey = (key: Uint8Array | undefined): void => {
    ticketKey = key;
    if (key !== undefined) server.setTicketKeys(Buffer.from(key));
  };
  setTicketKey(material.ticketKey);
  return {
    server,
    update: (next, nextValues) => {
      contexts = contextsOf(next, nextValues);
      server.setSecureContext(tlsOptionsOf(next, nextValues));
      // The new context has a random one.
      setTicketKey(next.ticketKey ?? ticketKey);
      restaple?.(next);
    },
    setTicketKey,
  };

  function chooseContext(name: string, done: (error: Error | null, context?: SecureContext) => void): void {
    const context = contexts.find(name);
    // A name that is not served is answered with an alert, before anything of ours is shown.
    if (context === undefined && values.strictSni) done(new Error(UNKNOWN_NAME));
    else done(null, context);
  }
}

/** A context for each name of its own. */
const contextsOf = (material: Material, values: Values): ServerNames<SecureContext> =>
  createServerNames(
    material.names.map((named) => [named.name, createSecureContext(contextOptionsOf(named, values))] as const),
  );
