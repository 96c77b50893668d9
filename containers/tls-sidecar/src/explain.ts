// `tls-sidecar explain`: what would happen to a client and its request, and why, by the same code that decides it.
import { X509Certificate } from "node:crypto";

import { option, path, text } from "@outrigger/options";
import { defineCommand } from "@outrigger/runtime";

import { createAccessTable } from "./access.ts";
import type { Access } from "./access.ts";
import { CERTIFICATE, readFile } from "./certificate-files.ts";
import { identityOf } from "./identity.ts";
import type { Identity } from "./identity.ts";
import { loadMaterial } from "./material.ts";
import { options } from "./options.ts";
import type { Values } from "./policy.ts";
import { createRules } from "./rules.ts";
import { createTrustCheck } from "./trust-check.ts";

/** One step of what would happen. */
type Step = { readonly about: string; readonly good: boolean; readonly why: string };

const section = "Explain";

export const explain = defineCommand(options, {
  summary:
    "Says whether a client would be let in and its request passed on, and by which rule. Exits 0 if so, 1 if not.",
  words: [],
  flags: {
    clientCert: option({
      kind: path(),
      section,
      summary: "The client's certificate in PEM, with its intermediates. Without it, a client that has none.",
    }),
    sni: option({ kind: text("a host name"), section, summary: "The server name that the client asks for." }),
    method: option({ kind: text("a method"), default: "GET", section, summary: "The request's method." }),
    path: option({ kind: text("a path"), default: "/", section, summary: "The request's path." }),
  },
  async run({ options: values, flags, stdio }) {
    const steps = await stepsOf(values, flags);
    const good = steps.every((step) => step.good);
    const width = Math.max(...steps.map(({ about }) => about.length));
    const lines = steps.map(({ about, good: fine, why }) => `${about.padEnd(width)}  ${fine ? "yes" : "no "}  ${why}`);
    stdio.output().write(`${lines.join("\n")}\n${good ? "passed on to the application" : "refused"}\n`);
    return good;
  },
});

type Asked = { clientCert: string | undefined; sni: string | undefined; method: string; path: string };

async function stepsOf(values: Values, asked: Asked): Promise<Step[]> {
  const loaded = await loadMaterial(values);
  if (loaded.problems !== undefined) throw new Error(loaded.problems.join("; "));
  const access = createAccessTable(loaded.material, values).find(asked.sni);
  const name = nameStep(access, asked.sni);
  if (access === undefined) return [name];
  const client = await clientSteps(access, asked.clientCert);
  const steps = [name, ...client.steps];
  if (values.mode === "tcp" || !steps.every(({ good }) => good)) return steps;
  return [...steps, requestStep(values, asked, client.identity)];
}

function nameStep(access: Access | undefined, sni: string | undefined): Step {
  const shown = sni ?? "no name";
  if (access === undefined) return { about: "name", good: false, why: `${shown} is not served, with --strict-sni` };
  const leaf = new X509Certificate(access.cert);
  const entry = access.name === "" ? "the certificate for all others" : `the entry ${access.name}`;
  return { about: "name", good: true, why: `${shown} gets ${entry}, ${leaf.subject}, valid until ${leaf.validTo}` };
}

async function clientSteps(
  { policy, ca }: Access,
  file: string | undefined,
): Promise<{ steps: Step[]; identity: Identity | undefined }> {
  if (policy.clientAuth === "none") {
    return { steps: [{ about: "client", good: true, why: "no certificate is asked for" }], identity: undefined };
  }
  if (file === undefined) {
    const good = policy.clientAuth === "request";
    const why = good ? "a certificate is asked for, but not needed" : "a certificate is needed, and there is none";
    return { steps: [{ about: "client", good, why }], identity: undefined };
  }
  const [certificate, ...intermediates] = await readChain(file);
  const identity = identityOf(certificate!);
  const trusted = createTrustCheck(ca!)(certificate!, intermediates);
  const verified: Step = {
    about: "issuer",
    good: trusted,
    why: `${certificate!.subject} ${trusted ? "descends" : "does not descend"} from the client CA, by its issuer ${certificate!.issuer}`,
  };
  const refusal = policy.refusalOf(identity, Date.now());
  const outOfTime = `its certificate is valid from ${certificate!.validFrom} to ${certificate!.validTo} only`;
  const notAllowed = `no list allows it: ${namesOf(identity)}`;
  const why = refusal === undefined ? policy.grantOf(identity)! : refusal === "not_allowed" ? notAllowed : outOfTime;
  return { steps: [verified, { about: "allowed", good: refusal === undefined, why }], identity };
}

/** Everything that lists can be matched against. */
const namesOf = ({ commonNames, organizationalUnits, dns, uris, ips, spki }: Identity): string =>
  Object.entries({ cn: commonNames, ou: organizationalUnits, dns, uri: uris, ip: ips, spki: [spki] })
    .filter(([, names]) => names.length > 0)
    .map(([list, names]) => `${list} ${names.join(", ")}`)
    .join("; ");

async function readChain(file: string): Promise<X509Certificate[]> {
  const problems: string[] = [];
  const pem = await readFile(file, "--client-cert: expected a readable file with a certificate in PEM", problems);
  const blocks = pem?.toString("latin1").match(CERTIFICATE) ?? [];
  if (pem !== undefined && blocks.length === 0) {
    problems.push(`--client-cert: expected a certificate in PEM, got ${file} (no certificate in it)`);
  }
  if (problems.length > 0) throw new Error(problems.join("; "));
  return blocks.map((block) => new X509Certificate(block));
}

function requestStep({ rules = [] }: Values, { method, path: target }: Asked, identity: Identity | undefined): Step {
  const request = `${method} ${target}`;
  if (rules.length === 0) return { about: "request", good: true, why: `${request}: there are no rules by route` };
  const ruling = createRules(rules).judge(method, target, identity);
  if (ruling === undefined)
    return { about: "request", good: false, why: `${request} can be read in more than one way` };
  const rule = ruling.number === undefined ? ruling.why : `rule ${ruling.number}: ${ruling.why}`;
  return { about: "request", good: ruling.allowed, why: `${request}: ${rule}` };
}
