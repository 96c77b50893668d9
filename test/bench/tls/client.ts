// The TLS client of the load: it offers one version, cipher and group, so that every subject negotiates the same.
import { once } from "node:events";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import { connect } from "node:tls";

export const CIPHER = "TLS_AES_128_GCM_SHA256";
export const GROUP = "X25519";

const TIMEOUT_MS = 10_000;

export type Endpoint = { readonly port: number; readonly ca: string };

function optionsFor({ port, ca }: Endpoint): ConnectionOptions {
  return { host: "127.0.0.1", port, ca, servername: "localhost", ALPNProtocols: ["http/1.1"] };
}

/** Connects with the load's offer, resuming `session` if given. Rejects if the handshake fails or takes 10 s. */
export async function connectTls(endpoint: Endpoint, session?: Buffer): Promise<TLSSocket> {
  const socket = connect({
    ...optionsFor(endpoint),
    minVersion: "TLSv1.3",
    ciphers: CIPHER,
    ecdhCurve: GROUP,
    ...(session === undefined ? {} : { session }),
  });
  return established(socket);
}

/** Opens that many connections at once. */
export async function connectMany(endpoint: Endpoint, count: number): Promise<TLSSocket[]> {
  return Promise.all(Array.from({ length: count }, async () => connectTls(endpoint)));
}

async function established(socket: TLSSocket): Promise<TLSSocket> {
  socket.setNoDelay(true);
  const timeout = setTimeout(() => socket.destroy(new Error(`handshake: nothing within ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
  try {
    await once(socket, "secureConnect");
  } finally {
    clearTimeout(timeout);
  }
  return socket;
}

const described = (socket: TLSSocket): string => {
  const key = socket.getEphemeralKeyInfo();
  const group = key !== null && "name" in key ? key.name : "a hybrid group";
  return `${socket.getProtocol()} ${socket.getCipher().standardName} ${group}`;
};

/** What is negotiated with the load's offer, and with a client that offers all that this Node has. */
export async function negotiated(endpoint: Endpoint): Promise<{ load: string; open: string }> {
  const load = await connectTls(endpoint);
  const open = await established(connect(optionsFor(endpoint)));
  const result = { load: described(load), open: described(open) };
  load.destroy();
  open.destroy();
  return result;
}
