// Certificates by server name: a folder with an entry for each name. An entry is a folder with tls.crt and tls.key, as a
// Secret of Kubernetes is mounted, and where the name has its own rules ca.crt and access.yaml; or one file with both in PEM.
import type { X509Certificate } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { resolveOptions } from "@outrigger/options";

import type { Credentials, CertificateFacts } from "./certificate-files.ts";
import { loadFiles, readFile, reasonOf } from "./certificate-files.ts";
import { access as accessOptions } from "./options/access.ts";
import { accessProblems, policyValuesOf } from "./policy.ts";
import type { PolicyValues, Values } from "./policy.ts";
import { isServerName } from "./server-names.ts";

/** What is served to clients that ask for one name; plain data. */
export type NamedMaterial = Credentials & {
  /** In lower case; `*.` for any one label. */
  readonly name: string;
  /** The rules that hold for it: its own, or those of all. */
  readonly policy: PolicyValues;
  /** Whether it has rules or a CA of its own. */
  readonly separate: boolean;
  readonly staple: Uint8Array | undefined;
};

export type NamesResult = { readonly names: readonly NamedMaterial[]; readonly facts: readonly CertificateFacts[] };

const MAX_NAMES = 1000;
const PEM = ".pem";

/** The paths to watch for changes: the folder, and the folders in it. */
export async function foldersOf(sniDir: string): Promise<string[]> {
  const entries = await readdir(sniDir, { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => !entry.name.startsWith(".") && !entry.isFile());
  return [sniDir, ...folders.slice(0, MAX_NAMES).map(({ name }) => join(sniDir, name))];
}

/** Reads the folder. `common` is what holds for names without rules or a CA of their own. */
export async function loadNames(
  sniDir: string,
  { values, ca, writtenAs }: { values: Values; ca: string | undefined; writtenAs: string },
  problems: string[],
): Promise<NamesResult> {
  const entries = await entriesOf(sniDir, writtenAs, problems);
  const names: NamedMaterial[] = [];
  const facts: CertificateFacts[] = [];
  const seen = new Map<string, string>();
  for (const entry of entries) {
    const name = nameOf(entry);
    const path = join(sniDir, entry);
    const other = seen.get(name);
    seen.set(name, path);
    if (!isServerName(name)) {
      problems.push(`${writtenAs}: expected entries named as hosts (_. or *. for any one label), got ${path}`);
    } else if (other !== undefined) {
      problems.push(`${writtenAs}: expected one entry for ${name}, got ${other} and ${path}`);
    } else {
      const loaded = await loadName(name, path, { values, ca, writtenAs, problems });
      if (loaded === undefined) continue;
      names.push(loaded.named);
      facts.push(...loaded.facts);
    }
  }
  return { names, facts };
}

async function entriesOf(sniDir: string, writtenAs: string, problems: string[]): Promise<string[]> {
  try {
    // What begins with a dot is how Kubernetes swaps a volume's content.
    const entries = (await readdir(sniDir)).filter((name) => !name.startsWith("."));
    if (entries.length <= MAX_NAMES) return entries.toSorted();
    problems.push(`${writtenAs}: expected at most ${MAX_NAMES} names, got ${entries.length} in ${sniDir}`);
  } catch (error) {
    problems.push(`${writtenAs}: expected a readable folder, got ${sniDir} (${reasonOf(error)})`);
  }
  return [];
}

/** Underscores stand for stars, which not every file system and no key of a Secret may have. */
const nameOf = (entry: string): string =>
  (entry.endsWith(PEM) ? entry.slice(0, -PEM.length) : entry).toLowerCase().replace(/^_\./, "*.");

type Common = { values: Values; ca: string | undefined; writtenAs: string; problems: string[] };

async function loadName(
  name: string,
  path: string,
  common: Common,
): Promise<{ named: NamedMaterial; facts: readonly CertificateFacts[] } | undefined> {
  const { problems, writtenAs, values } = common;
  const single = path.endsWith(PEM);
  const present = single ? [] : await readdir(path).catch(() => []);
  const own = (file: string): string | undefined => (present.includes(file) ? join(path, file) : undefined);
  const paths = { cert: single ? path : join(path, "tls.crt"), key: single ? path : join(path, "tls.key") };
  const written = { cert: writtenAs, key: writtenAs, clientCa: writtenAs };
  const files = await loadFiles({ ...paths, ca: own("ca.crt") }, written, problems);
  const rules = await loadAccess(own("access.yaml"), values, problems);
  if (files === undefined || rules === undefined) return undefined;
  if (!covers(files.leaf, name)) {
    problems.push(
      `${writtenAs}: expected a certificate for ${name}, got ${paths.cert} for ${files.leaf.subjectAltName}`,
    );
  }
  const ca = files.ca ?? common.ca;
  problems.push(...accessProblems(rules, ca !== undefined, (option) => `${path}/access.yaml: ${option}`));
  const staplePath = own("ocsp.der");
  const expected = `${writtenAs}: expected a readable OCSP response`;
  const staple = staplePath === undefined ? undefined : await readFile(staplePath, expected, problems);
  const separate = files.ca !== undefined || own("access.yaml") !== undefined;
  return { named: { name, cert: files.cert, key: files.key, ca, policy: rules, separate, staple }, facts: files.facts };
}

/** Whether a certificate is for a name, which may itself be for any label. */
const covers = (leaf: X509Certificate, name: string): boolean =>
  (leaf.subjectAltName ?? "").toLowerCase().split(", ").includes(`dns:${name}`) || leaf.checkHost(name) !== undefined;

/** The rules in a name's own file, which replace those of all; only `clientAuth` need not be repeated. */
async function loadAccess(
  path: string | undefined,
  values: Values,
  problems: string[],
): Promise<PolicyValues | undefined> {
  if (path === undefined) return policyValuesOf(values);
  const text = await readFile(path, "--sni-dir: expected a readable file", problems);
  if (text === undefined) return undefined;
  const { clientCa: _, ...table } = accessOptions;
  const read = { argv: ["--config", path], env: {}, readFile: () => text.toString() };
  const { values: own, origins, problems: wrong } = resolveOptions("tls-sidecar", table, read);
  problems.push(...wrong);
  if (wrong.length > 0) return undefined;
  return policyValuesOf(origins.clientAuth === "default" ? { ...own, clientAuth: values.clientAuth } : own);
}
