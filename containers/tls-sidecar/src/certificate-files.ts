// Certificate, key and client CA, read from their files and checked before anything uses them.
import { X509Certificate, createPrivateKey } from "node:crypto";
import type { KeyObject } from "node:crypto";

import { readBounded } from "@outrigger/files";

/** What a server shows of itself, and whom it believes; in PEM. */
export type Credentials = { readonly cert: string; readonly key: string; readonly ca: string | undefined };

export type CertificateFacts = {
  readonly file: string;
  readonly subject: string;
  readonly issuer: string;
  /** Hexadecimal. */
  readonly serial: string;
  /** Its alternative names, such as `DNS:a.example.org`. */
  readonly names: readonly string[];
  /** ISO 8601. */
  readonly notBefore: string;
  /** ISO 8601. */
  readonly notAfter: string;
  readonly sha256: string;
};

const text = { type: "string" };
/** The same as JSON Schema. */
export const CERTIFICATE_SCHEMA = {
  type: "object",
  properties: {
    file: text,
    subject: text,
    issuer: text,
    serial: text,
    names: { type: "array", items: text },
    notBefore: text,
    notAfter: text,
    sha256: text,
  },
};

export type LoadedFiles = Credentials & {
  readonly leaf: X509Certificate;
  /** What the status page and the expiry metric tell of each certificate. */
  readonly facts: readonly CertificateFacts[];
};

/** The files, and how each was written, for problems. */
export type CertificatePaths = { readonly cert: string; readonly key: string; readonly ca: string | undefined };
export type WrittenAs = Readonly<Record<"cert" | "key" | "clientCa", string>>;

const MAX_FILE_BYTES = 1024 ** 2;
/** One certificate in PEM text. */
export const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;
const PRIVATE_KEY = /-----BEGIN ([A-Z ]*)PRIVATE KEY-----[\s\S]+?-----END \1PRIVATE KEY-----/;

/** Reads a small file; a problem is added where it cannot be read. */
export async function readFile(
  path: string,
  expected: string,
  problems: string[],
): Promise<Buffer<ArrayBufferLike> | undefined> {
  try {
    return await readBounded(path, MAX_FILE_BYTES);
  } catch (error) {
    problems.push(`${expected}, got ${path} (${reasonOf(error)})`);
    return undefined;
  }
}

/** The files' content, or undefined with every reason why it cannot be used: `<as written>: expected <form>, got <value>`. */
export async function loadFiles(
  paths: CertificatePaths,
  writtenAs: WrittenAs,
  problems: string[],
): Promise<LoadedFiles | undefined> {
  const before = problems.length;
  const read = async (path: string, expected: string): Promise<string> =>
    (await readFile(path, expected, problems))?.toString("latin1") ?? "";
  const cert = await read(paths.cert, `${writtenAs.cert}: expected a readable file with a certificate in PEM`);
  const key = await read(paths.key, `${writtenAs.key}: expected a readable file with a private key in PEM`);
  const ca =
    paths.ca === undefined
      ? undefined
      : await read(paths.ca, `${writtenAs.clientCa}: expected a readable file with CA certificates in PEM`);
  if (problems.length > before) return undefined;

  const chain = parseCertificates(
    cert,
    `${writtenAs.cert}: expected a certificate in PEM, got ${paths.cert}`,
    problems,
  );
  const privateKey = parseKey(key, `${writtenAs.key}: expected a private key in PEM, got ${paths.key}`, problems);
  const expectedRoots = `${writtenAs.clientCa}: expected CA certificates in PEM, got ${paths.ca}`;
  const roots = ca === undefined ? [] : parseCertificates(ca, expectedRoots, problems);
  if (problems.length === before) problems.push(...chainProblems(chain, privateKey!, paths, writtenAs));
  if (problems.length > before) return undefined;
  return {
    cert,
    key,
    ca,
    leaf: chain[0]!,
    facts: [
      ...chain.map((certificate) => factsOf(paths.cert, certificate)),
      ...roots.map((certificate) => factsOf(paths.ca!, certificate)),
    ],
  };
}

function parseCertificates(pem: string, expected: string, problems: string[]): X509Certificate[] {
  const blocks = pem.match(CERTIFICATE) ?? [];
  if (blocks.length === 0) problems.push(`${expected} (no certificate in it)`);
  const certificates: X509Certificate[] = [];
  for (const block of blocks) {
    try {
      certificates.push(new X509Certificate(block));
    } catch (error) {
      problems.push(`${expected} (${reasonOf(error)})`);
    }
  }
  return certificates;
}

function parseKey(pem: string, expected: string, problems: string[]): KeyObject | undefined {
  try {
    // The file may hold the certificate as well.
    return createPrivateKey(PRIVATE_KEY.exec(pem)?.[0] ?? pem);
  } catch (error) {
    problems.push(`${expected} (${reasonOf(error)})`);
    return undefined;
  }
}

/** Key and certificate belong together, all of the chain is valid now, and each certificate is followed by its issuer. */
function chainProblems(
  chain: X509Certificate[],
  key: KeyObject,
  paths: CertificatePaths,
  writtenAs: WrittenAs,
): string[] {
  const problems: string[] = [];
  const leaf = chain[0]!;
  if (!leaf.checkPrivateKey(key)) {
    problems.push(`${writtenAs.key}: expected the private key of ${paths.cert}, got another one in ${paths.key}`);
  }
  const now = Date.now();
  const valid = `${writtenAs.cert}: expected certificates that are valid now`;
  for (const [index, certificate] of chain.entries()) {
    const name = `${paths.cert} (${oneLine(certificate.subject)}`;
    if (Date.parse(certificate.validTo) <= now) problems.push(`${valid}, got ${name}, expired ${certificate.validTo})`);
    if (Date.parse(certificate.validFrom) > now) {
      problems.push(`${valid}, got ${name}, not before ${certificate.validFrom})`);
    }
    const issuer = chain[index + 1];
    if (issuer !== undefined && !(certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey))) {
      problems.push(
        `${writtenAs.cert}: expected each certificate to be followed by its issuer, got ${name}, then ${oneLine(issuer.subject)})`,
      );
    }
  }
  return problems;
}

const factsOf = (file: string, certificate: X509Certificate): CertificateFacts => ({
  file,
  subject: oneLine(certificate.subject),
  issuer: oneLine(certificate.issuer),
  serial: certificate.serialNumber,
  names: (certificate.subjectAltName ?? "").split(", ").filter((name) => name !== ""),
  notBefore: new Date(certificate.validFrom).toISOString(),
  notAfter: new Date(certificate.validTo).toISOString(),
  sha256: certificate.fingerprint256,
});

const oneLine = (subject: string): string => (subject ?? "").split("\n").join(", ");
export const reasonOf = (error: unknown): string => (error as { code?: string }).code ?? (error as Error).message;
