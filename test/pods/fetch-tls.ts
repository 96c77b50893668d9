// One request over TLS to an address, under a name that its certificate has.
import { request } from "node:https";
import { text } from "node:stream/consumers";
import type { TLSSocket } from "node:tls";

export type TlsRequest = {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly ca: string;
  readonly path: string;
};

/** The answer, and the SHA-256 fingerprint of the certificate that the server showed, in lower-case hexadecimal. */
export function fetchTls({
  name,
  ...target
}: TlsRequest): Promise<{ status: number; body: string; fingerprint: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { ...target, servername: name, headers: { Host: name }, agent: false, timeout: 5000 },
      (answer) => {
        const { fingerprint256 } = (answer.socket as TLSSocket).getPeerCertificate();
        const fingerprint = fingerprint256.replaceAll(":", "").toLowerCase();
        text(answer).then((body) => resolve({ status: answer.statusCode ?? 0, body, fingerprint }), reject);
      },
    );
    outgoing.on("error", reject).end();
  });
}
