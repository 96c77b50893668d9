// The TLS library's options for a listener, and for each name that it serves.
import { constants } from "node:crypto";
import type { SecureContextOptions, TlsOptions } from "node:tls";

import type { Credentials } from "./certificate-files.ts";
import type { Material } from "./material.ts";
import type { PolicyValues, Values } from "./policy.ts";
import { policyFingerprint } from "./policy.ts";

/** What one context is made of. */
export type Served = Credentials & { readonly name?: string; readonly policy: PolicyValues };

export function contextOptionsOf({ name, cert, key, ca, policy }: Served, values: Values): SecureContextOptions {
  return {
    cert,
    key,
    ...(ca === undefined ? {} : { ca }),
    minVersion: values.minVersion === "1.3" ? "TLSv1.3" : "TLSv1.2",
    ...(values.ciphers === undefined ? {} : { ciphers: values.ciphers }),
    ...(values.curves === undefined ? {} : { ecdhCurve: values.curves }),
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | (resumes(values) ? 0 : constants.SSL_OP_NO_TICKET),
    // A session made under another policy or CA cannot be resumed under this one: it would pass unchecked.
    sessionIdContext: policyFingerprint(policy, ca, name),
  };
}

export const tlsOptionsOf = (material: Material, values: Values): TlsOptions => ({
  ...contextOptionsOf(material, values),
  // The handshake itself lets everybody pass; the listener then decides, and can say why.
  requestCert: [material, ...material.names].some(({ policy }) => policy.clientAuth !== "none"),
  rejectUnauthorized: false,
  ...alpnOf(values),
});

/**
 * Whether sessions are resumed. A ticket holds a client's certificate, but not its chain: with OpenSSL a resumed session
 * has none. Nor does Node tell the name that was asked for when a session of TLS 1.2 is resumed, and the name decides
 * who may come in.
 */
const resumes = ({ identityHeaders, sessionTickets, sniDir }: Values): boolean =>
  sessionTickets && sniDir === undefined && !identityHeaders.includes("client-cert-chain");

/** Mode http speaks both; without a word in mode tcp, what is spoken is between the client and the application. */
function alpnOf({ alpn, mode, targetProtocol }: Values): { ALPNProtocols?: string[] } {
  if (alpn.length > 0) return { ALPNProtocols: [...alpn] };
  if (mode === "tcp") return {};
  return { ALPNProtocols: targetProtocol === "h2c" ? ["h2"] : ["h2", "http/1.1"] };
}
