// Everything that is served with: certificates, keys, CAs and the rules that belong to them, checked as a whole.
import { createHash } from "node:crypto";
import { createSecureContext } from "node:tls";

import type { CertificateFacts, Credentials, WrittenAs } from "./certificate-files.ts";
import { loadFiles, readFile, reasonOf } from "./certificate-files.ts";
import { policyValuesOf } from "./policy.ts";
import type { PolicyValues, Values } from "./policy.ts";
import { loadNames } from "./sni-dir.ts";
import type { NamedMaterial } from "./sni-dir.ts";
import { TICKET_KEY_BYTES } from "./ticket-keys.ts";
import { contextOptionsOf } from "./tls-options.ts";

/** What a listener serves with; plain data, so that it can be sent to a thread. */
export type Material = Credentials & {
  readonly policy: PolicyValues;
  readonly staple: Uint8Array | undefined;
  /** What session tickets are encrypted with, where a file says so. */
  readonly ticketKey: Uint8Array | undefined;
  readonly names: readonly NamedMaterial[];
  /** Changes when any of the files does. */
  readonly fingerprint: string;
  /** What the status page and the expiry metric tell of each certificate in use. */
  readonly certificates: readonly CertificateFacts[];
};

/** Material, or every reason why it cannot be used: `<as written>: expected <form>, got <value>`. */
export type LoadResult =
  | { readonly material: Material; readonly problems?: undefined }
  | { readonly problems: string[] };

type AllWrittenAs = WrittenAs & Readonly<Record<"sniDir" | "ocspStaple" | "sessionTicketKey", string>>;

const FLAGS: AllWrittenAs = {
  cert: "--cert",
  key: "--key",
  clientCa: "--client-ca",
  sniDir: "--sni-dir",
  ocspStaple: "--ocsp-staple",
  sessionTicketKey: "--session-ticket-key",
};

export async function loadMaterial(values: Values, writtenAs: AllWrittenAs = FLAGS): Promise<LoadResult> {
  const problems: string[] = [];
  const { sniDir, clientAuth, clientCa, ocspStaple } = values;
  // Names may ask for certificates although the rules for all do not.
  const caPath = clientAuth === "none" && sniDir === undefined ? undefined : clientCa;
  const files = await loadFiles({ cert: values.cert, key: values.key, ca: caPath }, writtenAs, problems);
  const common = { values, ca: files?.ca, writtenAs: writtenAs.sniDir };
  const named = sniDir === undefined ? { names: [], facts: [] } : await loadNames(sniDir, common, problems);
  const expected = `${writtenAs.ocspStaple}: expected a readable OCSP response`;
  const staple = ocspStaple === undefined ? undefined : await readFile(ocspStaple, expected, problems);
  const ticketKey = await loadTicketKey(values.sessionTicketKey, writtenAs.sessionTicketKey, problems);
  if (files === undefined || problems.length > 0) return { problems };

  const { cert, key, ca } = files;
  const served = { cert, key, ca, policy: policyValuesOf(values), staple, ticketKey, names: named.names };
  const fingerprint = createHash("sha256").update(JSON.stringify(served)).digest("hex");
  const material: Material = { ...served, fingerprint, certificates: [...files.facts, ...named.facts] };
  const unusable = contextProblem(material, values);
  return unusable === undefined ? { material } : { problems: [unusable] };
}

async function loadTicketKey(
  path: string | undefined,
  writtenAs: string,
  problems: string[],
): Promise<Uint8Array | undefined> {
  const expected = `${writtenAs}: expected a file with ${TICKET_KEY_BYTES} random bytes`;
  const key = path === undefined ? undefined : await readFile(path, expected, problems);
  if (key === undefined || key.length === TICKET_KEY_BYTES) return key;
  problems.push(`${expected}, got ${path} with ${key.length}`);
  return undefined;
}

/** The TLS library's own opinion, which also covers ciphers and curves. */
function contextProblem(material: Material, values: Values): string | undefined {
  let file = values.cert;
  try {
    for (const served of [material, ...material.names]) {
      file = "name" in served ? served.name : values.cert;
      createSecureContext(contextOptionsOf(served, values));
    }
    return undefined;
  } catch (error) {
    const given = [values.ciphers && `--ciphers ${values.ciphers}`, values.curves && `--curves ${values.curves}`];
    return `TLS: expected usable settings, got ${given.filter(Boolean).join(", ") || file} (${reasonOf(error)})`;
  }
}
