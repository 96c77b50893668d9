// The TLS library's options for a listener.
import { constants } from "node:crypto";
import type { TlsOptions } from "node:tls";

import type { Material } from "./material.ts";
import type { Values } from "./policy.ts";
import { policyFingerprint } from "./policy.ts";

export function tlsOptionsOf(material: Material, values: Values): TlsOptions {
  return {
    cert: material.cert,
    key: material.key,
    ...(material.ca === undefined ? {} : { ca: material.ca }),
    // The handshake itself lets everybody pass; the listener then decides, and can say why.
    requestCert: values.clientAuth !== "none",
    rejectUnauthorized: false,
    minVersion: values.minVersion === "1.3" ? "TLSv1.3" : "TLSv1.2",
    ...alpnOf(values),
    ...(values.ciphers === undefined ? {} : { ciphers: values.ciphers }),
    ...(values.curves === undefined ? {} : { ecdhCurve: values.curves }),
    secureOptions:
      constants.SSL_OP_NO_RENEGOTIATION |
      // A ticket holds a client's certificate, but not its chain: with OpenSSL a resumed session has none.
      (values.identityHeaders.includes("client-cert-chain") ? constants.SSL_OP_NO_TICKET : 0),
    // A session made under another policy or CA cannot be resumed under this one: it would pass unchecked.
    sessionIdContext: policyFingerprint(values, material.ca),
  };
}

/** Mode http speaks both; without a word in mode tcp, what is spoken is between the client and the application. */
function alpnOf({ alpn, mode, targetProtocol }: Values): { ALPNProtocols?: string[] } {
  if (alpn.length > 0) return { ALPNProtocols: [...alpn] };
  if (mode === "tcp") return {};
  return { ALPNProtocols: targetProtocol === "h2c" ? ["h2"] : ["h2", "http/1.1"] };
}
