// Who a client is, read from its certificate.
import { createHash } from "node:crypto";
import type { X509Certificate } from "node:crypto";
import { isIPv6 } from "node:net";

/** What allow-lists can be matched against. */
export type Identity = {
  readonly commonNames: readonly string[];
  readonly organizationalUnits: readonly string[];
  readonly dns: readonly string[];
  readonly uris: readonly string[];
  /** In canonical form; see canonicalIp. */
  readonly ips: readonly string[];
  /** `sha256:<base64>` of the SubjectPublicKeyInfo. */
  readonly spki: string;
  /** Validity, in milliseconds since the Unix epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
};

export function identityOf(certificate: X509Certificate): Identity {
  const subject = certificate.toLegacyObject().subject as unknown as Record<string, string | string[] | undefined>;
  const names = parseAltNames(certificate.subjectAltName ?? "");
  return {
    commonNames: listOf(subject["CN"]),
    organizationalUnits: listOf(subject["OU"]),
    dns: names.filter(({ type }) => type === "DNS").map(({ value }) => value.toLowerCase()),
    uris: names.filter(({ type }) => type === "URI").map(({ value }) => value),
    ips: names.filter(({ type }) => type === "IP Address").map(({ value }) => canonicalIp(value)),
    spki: spkiOf(certificate),
    notBefore: Date.parse(certificate.validFrom),
    notAfter: Date.parse(certificate.validTo),
  };
}

const listOf = (value: string | string[] | undefined): string[] => (value === undefined ? [] : [value].flat());

/** `sha256:<base64>`: the digest of the public key that pins compare. */
export function spkiOf(certificate: X509Certificate): string {
  const der = certificate.publicKey.export({ type: "spki", format: "der" });
  return `sha256:${createHash("sha256").update(der).digest("base64")}`;
}

/** IPv6 addresses have many spellings; a URL's host has one. */
export const canonicalIp = (ip: string): string => (isIPv6(ip) ? new URL(`http://[${ip}]/`).hostname.slice(1, -1) : ip);

/**
 * Splits the text that the runtime makes of the subject alternative names: `DNS:a, URI:b`. A value with a comma or other
 * doubtful characters is a JSON string in it (CVE-2021-44532), so that no value can pass for two.
 */
export function parseAltNames(text: string): { type: string; value: string }[] {
  const names: { type: string; value: string }[] = [];
  const pattern = /([A-Za-z ]+):(?:("(?:[^"\\]|\\.)*")|([^,]*))(?:, |$)/y;
  for (let match = pattern.exec(text); match !== null && match[0] !== ""; match = pattern.exec(text)) {
    const value = match[2] === undefined ? match[3]! : (JSON.parse(match[2]) as string);
    names.push({ type: match[1]!, value });
  }
  return names;
}
