// Whether a certificate that was verified under one CA would be under another, without a new handshake.
import { X509Certificate } from "node:crypto";

import { CERTIFICATE } from "./certificate-files.ts";
import { isIssuedBy, issuersOf } from "./identity-fields.ts";

/** Whether a client's certificate leads to a root, by what the client has sent with it. */
export type TrustCheck = (certificate: X509Certificate, intermediates?: readonly X509Certificate[]) => boolean;

/**
 * Makes the check for CA certificates in PEM. It goes by names, signatures, validity and the right to issue. What a
 * session does not keep (a resumed one may have lost the intermediate certificates) counts as missing.
 */
export function createTrustCheck(ca: string): TrustCheck {
  const bundle = (ca.match(CERTIFICATE) ?? []).map((pem) => new X509Certificate(pem));
  const roots = new Set(bundle.filter((authority) => isIssuedBy(authority, authority)));
  return (certificate, intermediates = issuersOf(certificate)) => {
    const untried = new Set([...bundle, ...intermediates].filter(mayIssue));
    const leadsToRoot = (below: X509Certificate): boolean => {
      for (const issuer of untried) {
        if (!isIssuedBy(below, issuer)) continue;
        if (roots.has(issuer)) return true;
        untried.delete(issuer);
        if (leadsToRoot(issuer)) return true;
      }
      return false;
    };
    return leadsToRoot(certificate);
  };
}

function mayIssue(authority: X509Certificate): boolean {
  const now = Date.now();
  return authority.ca && Date.parse(authority.validFrom) <= now && now < Date.parse(authority.validTo);
}
