// What cannot be seen from one option alone: options that exclude or need each other, and the files that they name.
import { parseCidr } from "@outrigger/http";
import { formatAddress, formatDuration, staysOnMachine } from "@outrigger/options";
import { runtimeName } from "@outrigger/runtime";

import { loadMaterial } from "./material.ts";
import { accessProblems, listProblems } from "./policy.ts";
import type { Values } from "./policy.ts";
import { listsOf } from "./rules.ts";

type WrittenAs = Readonly<Record<keyof Values, string>>;

export async function checkValues(values: Values, writtenAs: WrittenAs): Promise<string[]> {
  const problems = [
    ...checkTraffic(values, writtenAs),
    ...checkProtocols(values, writtenAs),
    ...accessProblems(values, values.clientCa !== undefined, (option) => writtenAs[option]),
    ...checkMessages(values, writtenAs),
    ...checkRules(values, writtenAs),
    ...checkProxies(values, writtenAs),
    ...checkCertificates(values, writtenAs),
  ];
  const loaded = await loadMaterial(values, writtenAs);
  return [...problems, ...(loaded.problems ?? [])];
}

function checkTraffic(values: Values, writtenAs: WrittenAs): string[] {
  const { target, listen, workers, unsafeTarget, targetStatus, maxConnectionsPerClient } = values;
  const problems: string[] = [];
  if (!unsafeTarget && !staysOnMachine(target)) {
    const got = formatAddress(target);
    problems.push(`${writtenAs.target}: expected loopback or unix:/path (or --unsafe-target), got ${got}`);
  }
  if ("path" in listen && workers !== 1) {
    problems.push(`${writtenAs.workers}: expected 1 with a Unix socket to listen on, got ${workers}`);
  }
  if ("path" in listen && maxConnectionsPerClient !== undefined) {
    problems.push(
      `${writtenAs.maxConnectionsPerClient}: expected a port to listen on beside it, got ${formatAddress(listen)}`,
    );
  }
  if (targetStatus !== undefined && !/^\/[!-~]*$/.test(targetStatus)) {
    problems.push(`${writtenAs.targetStatus}: expected a path that begins with /, got ${targetStatus}`);
  }
  return problems;
}

/** What clients and the application speak. */
function checkProtocols(values: Values, writtenAs: WrittenAs): string[] {
  const { acceptProxyProtocol, proxyProtocol, trustedProxies, mode } = values;
  const problems = checkH2c(values, writtenAs);
  if (acceptProxyProtocol && trustedProxies.length === 0) {
    problems.push(`${writtenAs.acceptProxyProtocol}: expected --trusted-proxies beside it, got none`);
  }
  if (proxyProtocol !== "off" && mode !== "tcp") {
    problems.push(`${writtenAs.proxyProtocol}: expected --mode tcp beside it, got ${mode}`);
  }
  return problems;
}

function checkH2c({ mode, alpn, targetProtocol, targetStatus }: Values, writtenAs: WrittenAs): string[] {
  if (targetProtocol === "http1") return [];
  const problems: string[] = [];
  if (mode !== "http") problems.push(`${writtenAs.targetProtocol}: expected --mode http beside h2c, got ${mode}`);
  if (alpn.includes("http/1.1")) {
    problems.push(`${writtenAs.alpn}: expected h2 alone with --target-protocol h2c, got ${alpn.join(",")}`);
  }
  if (targetStatus !== undefined) {
    problems.push(`${writtenAs.targetStatus}: expected --target-protocol http1 beside it, got h2c`);
  }
  return problems;
}

/** What changes requests and responses, where none are understood or none could have it. */
function checkMessages(values: Values, writtenAs: WrittenAs): string[] {
  const { identityHeaders, hsts, rewriteLocation, rewriteCookies, redirectListen, redirectPort, mode, clientAuth } =
    values;
  const given = {
    identityHeaders: identityHeaders.length > 0,
    hsts: hsts !== undefined,
    rewriteLocation,
    rewriteCookies,
  };
  const problems: string[] = [];
  for (const option of ["identityHeaders", "hsts", "rewriteLocation", "rewriteCookies"] as const) {
    if (given[option] && mode !== "http")
      problems.push(`${writtenAs[option]}: expected --mode http beside it, got ${mode}`);
  }
  if (given.identityHeaders && clientAuth === "none") {
    problems.push(`${writtenAs.identityHeaders}: expected --client-auth request or require beside it, got none`);
  }
  if (redirectPort !== undefined && redirectListen === undefined) {
    problems.push(`${writtenAs.redirectPort}: expected --redirect-listen beside it, got ${redirectPort}`);
  }
  if (hsts !== undefined && hsts % 1000 !== 0) {
    problems.push(`${writtenAs.hsts}: expected whole seconds, got ${formatDuration(hsts)}`);
  }
  return problems;
}

/** Options that name the same thing, or that this runtime cannot do. */
function checkCertificates(values: Values, writtenAs: WrittenAs): string[] {
  const { strictSni, sniDir, sessionTicketKey, sessionTickets } = values;
  const problems: string[] = [];
  if (strictSni && sniDir === undefined)
    problems.push(`${writtenAs.strictSni}: expected --sni-dir beside it, got none`);
  if (sessionTicketKey !== undefined && (!sessionTickets || sniDir !== undefined)) {
    const got = sessionTickets ? "--sni-dir, with which sessions are not resumed" : "--no-session-tickets";
    problems.push(`${writtenAs.sessionTicketKey}: expected sessions to be resumed, got ${got}`);
  }
  if (runtimeName().startsWith("bun")) {
    for (const option of ["ocspStaple", "sessionTicketKey"] as const) {
      if (values[option] === undefined) continue;
      problems.push(`${writtenAs[option]}: expected Node.js, whose TLS can do that, got ${runtimeName()}`);
    }
  }
  return problems;
}

const checkProxies = ({ trustedProxies }: Values, writtenAs: WrittenAs): string[] =>
  trustedProxies
    .filter((item) => parseCidr(item) === undefined)
    .map((item) => `${writtenAs.trustedProxies}: expected an IP address or a CIDR block, got ${item}`);

function checkRules({ rules = [], mode, clientAuth, sniDir }: Values, writtenAs: WrittenAs): string[] {
  if (rules.length === 0) return [];
  if (mode !== "http") return [`${writtenAs.rules}: expected --mode http beside it, got ${mode}`];
  const wrong = rules.flatMap(({ allow }, index) =>
    typeof allow === "string" ? [] : listProblems(listsOf(allow), (list) => `${writtenAs.rules}[${index}]: ${list}`),
  );
  if (wrong.length > 0) return wrong;
  const needs = rules.some(({ allow }) => allow !== "anyone" && allow !== "nobody");
  if (!needs || clientAuth !== "none" || sniDir !== undefined) return [];
  return [`${writtenAs.rules}: expected --client-auth request or require beside rules for certificates, got none`];
}
