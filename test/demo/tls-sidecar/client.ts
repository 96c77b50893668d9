// A client of the sidecars: one request on one new TLS connection.
import type { IncomingHttpHeaders } from "node:http";
import { request } from "node:https";
import { connect } from "node:tls";

import type { IssuedCertificate } from "@outrigger/testing";

export type Server = {
  readonly port: number;
  /** PEM of the authority to trust. */
  readonly ca: string;
  /** The client's own. */
  readonly certificate?: IssuedCertificate;
};

export type Question = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
};

export type Reply = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** When each piece of the body came, in milliseconds. */
  readonly pieces: readonly number[];
};

const TIMEOUT_MS = 5000;

/** Asks `https://localhost:port`, verifying its certificate. Rejects with the error of the connection or of TLS. */
export function ask(
  server: Server,
  path: string,
  { method = "GET", headers = {}, body }: Question = {},
): Promise<Reply> {
  const { port, ca, certificate } = server;
  const own = certificate === undefined ? {} : { cert: certificate.cert, key: certificate.key };
  return new Promise((resolve, reject) => {
    const outgoing = request({
      host: "127.0.0.1",
      port,
      servername: "localhost",
      ca,
      ...own,
      path,
      method,
      headers: { host: `localhost:${port}`, ...headers },
      agent: false,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    outgoing.once("error", reject).once("response", (incoming) => {
      const { statusCode: status = 0, headers: fields } = incoming;
      const pieces: number[] = [];
      let text = "";
      incoming.setEncoding("utf8").on("data", (piece: string) => {
        pieces.push(performance.now());
        text += piece;
      });
      incoming.once("error", reject);
      incoming.once("end", () => resolve({ status, headers: fields, body: text, pieces }));
    });
    outgoing.end(body);
  });
}

/** The serial number of the certificate that a new connection gets, without asking for anything. */
export function servedSerial({ port, ca }: Server): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, servername: "localhost", ca, timeout: TIMEOUT_MS });
    socket.once("timeout", () => socket.destroy(new Error(`no handshake within ${TIMEOUT_MS} ms`)));
    socket.once("error", reject).once("secureConnect", () => {
      resolve(socket.getPeerX509Certificate()?.serialNumber ?? "");
      socket.end();
    });
  });
}

/** How a request that must not be answered failed: the code of its error. Throws if it was answered. */
export async function failureOf(asked: Promise<Reply>): Promise<string> {
  const outcome = await asked.then(
    ({ status }) => ({ status }),
    (error: NodeJS.ErrnoException) => ({ code: error.code ?? error.message }),
  );
  if ("code" in outcome) return outcome.code;
  throw new Error(`expected no answer, got ${outcome.status}`);
}
