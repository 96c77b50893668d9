// OCSP responses for our certificates, from files, for clients that ask for one (RFC 6066 section 8).
import { X509Certificate, createHash } from "node:crypto";
import type { Server } from "node:tls";

import type { Material } from "./material.ts";

type Staples = ReadonlyMap<string, Buffer>;

const digestOf = (der: Uint8Array): string => createHash("sha256").update(der).digest("hex");

function staplesOf(material: Material): Staples {
  const staples = new Map<string, Buffer>();
  for (const { cert, staple } of [material, ...material.names]) {
    if (staple !== undefined) staples.set(digestOf(new X509Certificate(cert).raw), Buffer.from(staple));
  }
  return staples;
}

/** Answers clients of a server; gives what turns it to other material. */
export function staple(server: Server, material: Material): (next: Material) => void {
  let staples = staplesOf(material);
  server.on(
    "OCSPRequest",
    (certificate: Buffer, _issuer: Buffer, done: (error: Error | null, response: Buffer) => void) => {
      // Null, as the documentation has it, says that there is none.
      done(null, staples.get(digestOf(certificate)) ?? (null as unknown as Buffer));
    },
  );
  return (next) => {
    staples = staplesOf(next);
  };
}
