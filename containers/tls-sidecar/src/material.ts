// Certificate, key and client CA, read from their files and checked before anything uses them.
import { X509Certificate, createHash, createPrivateKey } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { createSecureContext } from "node:tls";

import { readBounded } from "@outrigger/files";

import type { Values } from "./policy.ts";
import { tlsOptionsOf } from "./tls-options.ts";

/** What a listener serves with; plain data, so that it can be sent to a thread. */
export type Material = {
  readonly cert: string;
  readonly key: string;
  readonly ca: string | undefined;
  /** Changes when any of the files does. */
  readonly fingerprint: string;
  /** What the status page and the expiry metric tell of each certificate in use. */
  readonly certificates: readonly CertificateFacts[];
};

export type CertificateFacts = {
  readonly file: string;
  readonly subject: string;
  /** ISO 8601. */
  readonly notAfter: string;
  readonly sha256: string;
};

/** Material, or every reason why it cannot be used: `<as written>: expected <form>, got <value>`. */
export type LoadResult =
  | { readonly material: Material; readonly problems?: undefined }
  | { readonly problems: string[] };

/** How each option was written, for problems. */
export type WrittenAs = Readonly<Record<"cert" | "key" | "clientCa", string>>;

const FLAGS: WrittenAs = { cert: "--cert", key: "--key", clientCa: "--client-ca" };
const MAX_FILE_BYTES = 1024 ** 2;
/** One certificate in PEM text. */
export const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

export async function loadMaterial(values: Values, writtenAs: WrittenAs = FLAGS): Promise<LoadResult> {
  const problems: string[] = [];
  const read = async (option: keyof WrittenAs, path: string, form: string): Promise<string> => {
    try {
      return (await readBounded(path, MAX_FILE_BYTES)).toString("latin1");
    } catch (error) {
      problems.push(`${writtenAs[option]}: expected ${form}, got ${path} (${reasonOf(error)})`);
      return "";
    }
  };
  const cert = await read("cert", values.cert, "a readable file with a certificate in PEM");
  const key = await read("key", values.key, "a readable file with a private key in PEM");
  const ca =
    values.clientAuth === "none" || values.clientCa === undefined
      ? undefined
      : await read("clientCa", values.clientCa, "a readable file with CA certificates in PEM");
  if (problems.length > 0) return { problems };

  const chain = parseCertificates(
    cert,
    `${writtenAs.cert}: expected a certificate in PEM, got ${values.cert}`,
    problems,
  );
  const privateKey = parseKey(key, `${writtenAs.key}: expected a private key in PEM, got ${values.key}`, problems);
  const roots =
    ca === undefined
      ? []
      : parseCertificates(
          ca,
          `${writtenAs.clientCa}: expected CA certificates in PEM, got ${values.clientCa}`,
          problems,
        );
  if (problems.length === 0) problems.push(...chainProblems(chain, privateKey!, values, writtenAs));
  if (problems.length > 0) return { problems };

  const material: Material = {
    cert,
    key,
    ca,
    fingerprint: createHash("sha256")
      .update(JSON.stringify([cert, key, ca]))
      .digest("hex"),
    certificates: [
      ...chain.map((certificate) => factsOf(values.cert, certificate)),
      ...roots.map((certificate) => factsOf(values.clientCa!, certificate)),
    ],
  };
  const unusable = contextProblem(material, values);
  return unusable === undefined ? { material } : { problems: [unusable] };
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
    return createPrivateKey(pem);
  } catch (error) {
    problems.push(`${expected} (${reasonOf(error)})`);
    return undefined;
  }
}

/** Key and certificate belong together, all of the chain is valid now, and each certificate is followed by its issuer. */
function chainProblems(chain: X509Certificate[], key: KeyObject, values: Values, writtenAs: WrittenAs): string[] {
  const problems: string[] = [];
  const leaf = chain[0]!;
  if (!leaf.checkPrivateKey(key)) {
    problems.push(`${writtenAs.key}: expected the private key of ${values.cert}, got another one in ${values.key}`);
  }
  const now = Date.now();
  for (const [index, certificate] of chain.entries()) {
    const name = `${values.cert} (${oneLine(certificate.subject)}`;
    if (Date.parse(certificate.validTo) <= now) {
      problems.push(
        `${writtenAs.cert}: expected certificates that are valid now, got ${name}, expired ${certificate.validTo})`,
      );
    }
    if (Date.parse(certificate.validFrom) > now) {
      problems.push(
        `${writtenAs.cert}: expected certificates that are valid now, got ${name}, not before ${certificate.validFrom})`,
      );
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

/** The TLS library's own opinion, which also covers ciphers and curves. */
function contextProblem(material: Material, values: Values): string | undefined {
  try {
    createSecureContext(tlsOptionsOf(material, values));
    return undefined;
  } catch (error) {
    const given = [values.ciphers && `--ciphers ${values.ciphers}`, values.curves && `--curves ${values.curves}`];
    return `TLS: expected usable settings, got ${given.filter(Boolean).join(", ") || values.cert} (${reasonOf(error)})`;
  }
}

const factsOf = (file: string, certificate: X509Certificate): CertificateFacts => ({
  file,
  subject: oneLine(certificate.subject),
  notAfter: new Date(certificate.validTo).toISOString(),
  sha256: certificate.fingerprint256,
});

const oneLine = (subject: string): string => (subject ?? "").split("\n").join(", ");
const reasonOf = (error: unknown): string => (error as { code?: string }).code ?? (error as Error).message;
