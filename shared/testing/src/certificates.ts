// A certificate authority in memory, for tests and for the demo: the certificates that openssl, curl and browsers accept
// (RFC 5280 extensions, ECDSA P-256 with SHA-256), made without an openssl program.
import "reflect-metadata";
import { createHash, webcrypto, X509Certificate } from "node:crypto";

import * as x509 from "@peculiar/x509";

export type KeyType = "ecdsa" | "rsa";

export type LeafRequest = {
  readonly commonName?: string;
  readonly organizationalUnits?: readonly string[];
  /** Subject alternative names. */
  readonly dns?: readonly string[];
  readonly ips?: readonly string[];
  readonly uris?: readonly string[];
  /** Default: an hour ago. */
  readonly notBefore?: Date;
  /** Default: in 90 days. */
  readonly notAfter?: Date;
  /** Default: `ecdsa` (P-256); `rsa` has 2048 bits. */
  readonly keyType?: KeyType;
  /** Extended key usages. Default: both. */
  readonly usage?: readonly ("server" | "client")[];
};

export type IssuedCertificate = {
  /** PEM: the leaf, then the intermediate authorities up to, and without, the root. */
  readonly cert: string;
  /** PKCS #8 PEM, not encrypted. */
  readonly key: string;
  /** The leaf, parsed. */
  readonly leaf: X509Certificate;
  /** SHA-256 of the leaf's DER, lower-case hexadecimal. */
  readonly fingerprint: string;
  /** SHA-256 of the leaf's SubjectPublicKeyInfo, base64: the form of a public key pin. */
  readonly spki: string;
};

export type CertificateAuthority = {
  /** The authority's own certificate: what to trust, if it is a root. */
  readonly pem: string;
  readonly issue: (request?: LeafRequest) => Promise<IssuedCertificate>;
  /** A new authority that this one has signed. */
  readonly intermediate: (name: string) => Promise<CertificateAuthority>;
};

type Signer = { readonly subject: x509.JsonName; readonly keys: webcrypto.CryptoKeyPair };

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const ECDSA = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const RSA = {
  name: "RSASSA-PKCS1-v1_5",
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
  hash: "SHA-256",
};
const USAGE_OID = { server: x509.ExtendedKeyUsage.serverAuth, client: x509.ExtendedKeyUsage.clientAuth };

const generateKeys = async (type: KeyType): Promise<webcrypto.CryptoKeyPair> =>
  (await webcrypto.subtle.generateKey(type === "rsa" ? RSA : ECDSA, true, [
    "sign",
    "verify",
  ])) as webcrypto.CryptoKeyPair;

/** A new root authority; its certificate is good for ten years. */
export async function createCertificateAuthority({
  name = "Outrigger test authority",
} = {}): Promise<CertificateAuthority> {
  const self: Signer = { subject: [{ CN: [name] }], keys: await generateKeys("ecdsa") };
  return authorityOf(self, await signAuthority(self, self), []);
}

/** @param chain PEM of the intermediate authorities that leaves of this one come with, this one's own first. */
function authorityOf(self: Signer, pem: string, chain: readonly string[]): CertificateAuthority {
  return {
    pem,
    issue: (request = {}) => issueLeaf(self, chain, request),
    intermediate: async (name) => {
      const child: Signer = { subject: [{ CN: [name] }], keys: await generateKeys("ecdsa") };
      const certificate = await signAuthority(self, child);
      return authorityOf(child, certificate, [certificate, ...chain]);
    },
  };
}

function signAuthority(issuer: Signer, subject: Signer): Promise<string> {
  const { keyCertSign, cRLSign } = x509.KeyUsageFlags;
  const extensions = [
    new x509.BasicConstraintsExtension(true, undefined, true),
    new x509.KeyUsagesExtension(keyCertSign | cRLSign, true),
  ];
  return sign(issuer, subject, {
    from: new Date(Date.now() - HOUR),
    to: new Date(Date.now() + 3650 * DAY),
    extensions,
  });
}

async function issueLeaf(issuer: Signer, chain: readonly string[], request: LeafRequest): Promise<IssuedCertificate> {
  const { commonName, organizationalUnits = [], keyType = "ecdsa", usage = ["server", "client"] } = request;
  const subject: x509.JsonName = [
    ...organizationalUnits.map((unit) => ({ OU: [unit] })),
    ...(commonName === undefined ? [] : [{ CN: [commonName] }]),
  ];
  const { digitalSignature, keyEncipherment } = x509.KeyUsageFlags;
  const keyUsage = keyType === "rsa" ? digitalSignature | keyEncipherment : digitalSignature;
  const names = alternativeNamesOf(request);
  const extensions = [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(keyUsage, true),
    new x509.ExtendedKeyUsageExtension(usage.map((use) => USAGE_OID[use])),
    // RFC 5280, 4.2.1.6: critical when there is no other name.
    ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names, subject.length === 0)]),
  ];
  const keys = await generateKeys(keyType);
  const { notBefore: from = new Date(Date.now() - HOUR), notAfter: to = new Date(Date.now() + 90 * DAY) } = request;
  const pem = await sign(issuer, { subject, keys }, { from, to, extensions });
  return describeIssued([pem, ...chain].join(""), await privateKeyPem(keys));
}

function alternativeNamesOf({ dns = [], ips = [], uris = [] }: LeafRequest): x509.JsonGeneralNames {
  return [
    ...dns.map((value) => ({ type: "dns" as const, value })),
    ...ips.map((value) => ({ type: "ip" as const, value })),
    ...uris.map((value) => ({ type: "url" as const, value })),
  ];
}

type Contents = { readonly from: Date; readonly to: Date; readonly extensions: x509.Extension[] };

async function sign(issuer: Signer, subject: Signer, { from, to, extensions }: Contents): Promise<string> {
  const certificate = await x509.X509CertificateGenerator.create({
    subject: subject.subject,
    issuer: issuer.subject,
    publicKey: subject.keys.publicKey,
    signingKey: issuer.keys.privateKey,
    signingAlgorithm: ECDSA,
    notBefore: from,
    notAfter: to,
    extensions: [
      ...extensions,
      await x509.SubjectKeyIdentifierExtension.create(subject.keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.keys.publicKey),
    ],
  });
  return `${certificate.toString("pem")}\n`;
}

async function privateKeyPem(keys: webcrypto.CryptoKeyPair): Promise<string> {
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return `${x509.PemConverter.encode(pkcs8, "PRIVATE KEY")}\n`;
}

function describeIssued(cert: string, key: string): IssuedCertificate {
  const leaf = new X509Certificate(cert);
  const sha256 = (bytes: Uint8Array, encoding: "hex" | "base64"): string =>
    createHash("sha256").update(bytes).digest(encoding);
  const spki = sha256(leaf.publicKey.export({ type: "spki", format: "der" }), "base64");
  return { cert, key, leaf, fingerprint: sha256(leaf.raw, "hex"), spki };
}
