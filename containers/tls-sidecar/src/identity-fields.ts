// What the application is told of a client's certificate: Envoy's X-Forwarded-Client-Cert, and Client-Cert with
// Client-Cert-Chain of RFC 9440. Whatever stands in a certificate, a value cannot end early or look like another.
import { X509Certificate, createHash } from "node:crypto";

import { parseAltNames } from "./identity.ts";
import type { Client } from "./listener.ts";
import type { Values } from "./policy.ts";

/** The fields that only the sidecar may set, in lower case. */
export const IDENTITY_FIELDS = ["x-forwarded-client-cert", "client-cert", "client-cert-chain"] as const;

/** More certificates than an honest chain has are not passed on. */
const MAX_CHAIN = 8;

/**
 * Makes the function that gives the lines for a client, each with its CR LF; none for a client without a certificate.
 * `ownCertificate` is the one that we serve with, in PEM.
 */
export function createIdentityLines(
  headers: Values["identityHeaders"],
  ownCertificate: string,
): (client: Client | undefined) => string {
  const by = headers.includes("xfcc") ? uriOf(ownCertificate) : undefined;
  return (client) => {
    if (client === undefined) return "";
    let lines = "";
    if (headers.includes("xfcc")) lines += `X-Forwarded-Client-Cert: ${forwardedCertificate(client, by)}\r\n`;
    if (headers.includes("client-cert")) lines += `Client-Cert: ${binary(client.certificate)}\r\n`;
    const chain = headers.includes("client-cert-chain") ? issuersOf(client.certificate) : [];
    if (chain.length > 0) lines += `Client-Cert-Chain: ${chain.map(binary).join(", ")}\r\n`;
    return lines;
  };
}

const uriOf = (pem: string): string | undefined =>
  parseAltNames(new X509Certificate(pem).subjectAltName ?? "").find(({ type }) => type === "URI")?.value;

/** One element in Envoy's form. */
function forwardedCertificate({ certificate, identity }: Client, by: string | undefined): string {
  return [
    ...(by === undefined ? [] : [`By=${valueOf(by)}`]),
    `Hash=${createHash("sha256").update(certificate.raw).digest("hex")}`,
    `Subject="${subjectOf(certificate.subject ?? "")}"`,
    ...identity.uris.map((uri) => `URI=${valueOf(uri)}`),
    ...identity.dns.map((name) => `DNS=${valueOf(name)}`),
  ].join(";");
}

/** A URI or a name. What neither can have (RFC 3986) is percent-encoded; what separates values needs quotes. */
function valueOf(text: string): string {
  const encoded = text.replace(/[^!#-[\]-~]/gu, (char) => hexOf(char, "%"));
  return /[,;=]/.test(encoded) ? `"${encoded}"` : encoded;
}

/**
 * The subject as RFC 2253 has it, the last name first, made of the runtime's text: a line for each name, special
 * characters behind a backslash. Here they become hexadecimal pairs, which RFC 2253 allows as well: a backslash before
 * a quotation mark or a comma is not read alike by everybody who reads this field.
 */
export function subjectOf(lines: string): string {
  return lines
    .split("\n")
    .toReversed()
    .map((name) =>
      name
        .replaceAll(" + ", "+")
        .replace(/\\([^0-9A-Fa-f])/gu, (_, char: string) => hexOf(char, "\\"))
        .replace(/[^ !#-~]/gu, (char) => hexOf(char, "\\")),
    )
    .join(",");
}

/** Each byte of the UTF-8 form as `prefix` and two digits. */
const hexOf = (char: string, prefix: string): string =>
  [...Buffer.from(char)].map((byte) => prefix + byte.toString(16).toUpperCase().padStart(2, "0")).join("");

/** A byte sequence of RFC 8941. */
const binary = ({ raw }: X509Certificate): string => `:${raw.toString("base64")}:`;

/** The intermediate certificates that the client sent and that lead from its own upwards; without the root. */
export function issuersOf(certificate: X509Certificate): X509Certificate[] {
  const issuers: X509Certificate[] = [];
  for (let below = certificate; issuers.length < MAX_CHAIN;) {
    const issuer = below.issuerCertificate;
    if (issuer === undefined || isIssuedBy(issuer, issuer) || !isIssuedBy(below, issuer)) break;
    issuers.push(issuer);
    below = issuer;
  }
  return issuers;
}

/** By name and by signature. */
export const isIssuedBy = (certificate: X509Certificate, issuer: X509Certificate): boolean =>
  certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
