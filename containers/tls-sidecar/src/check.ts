// What cannot be seen from one option alone: options that exclude or need each other, and the files that they name.
import { isIP } from "node:net";

import { parseCidr } from "@outrigger/http";
import { formatAddress, formatDuration, staysOnMachine } from "@outrigger/options";

import { loadMaterial } from "./material.ts";
import { ALLOW_LISTS, isUriPattern } from "./policy.ts";
import type { Values } from "./policy.ts";

type WrittenAs = Readonly<Record<keyof Values, string>>;

export async function checkValues(values: Values, writtenAs: WrittenAs): Promise<string[]> {
  const problems = [
    ...checkTraffic(values, writtenAs),
    ...checkProtocols(values, writtenAs),
    ...checkAccess(values, writtenAs),
    ...checkMessages(values, writtenAs),
    ...checkLists(values, writtenAs),
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
  if ("path" in listen && workers > 1) {
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
function checkProtocols({ mode, alpn, targetProtocol, targetStatus }: Values, writtenAs: WrittenAs): string[] {
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

function checkAccess(values: Values, writtenAs: WrittenAs): string[] {
  const { clientAuth, clientCa, allowAll } = values;
  const given = ALLOW_LISTS.filter((list) => values[list].length > 0);
  const problems: string[] = [];
  if (clientAuth !== "none" && clientCa === undefined) {
    problems.push(`${writtenAs.clientCa}: expected a path with --client-auth ${clientAuth}, got nothing`);
  }
  if (clientAuth === "require" && given.length === 0 && !allowAll) {
    problems.push(`${writtenAs.clientAuth}: expected an --allow-... list or --allow-all beside require, got none`);
  }
  if (allowAll && given.length > 0) {
    problems.push(
      `${writtenAs.allowAll}: expected to be the only one of --allow-..., got ${writtenAs[given[0]!]} as well`,
    );
  }
  // A list that nobody consults would look like protection.
  if (clientAuth === "none") {
    for (const option of [...given, ...(allowAll ? (["allowAll"] as const) : [])]) {
      problems.push(`${writtenAs[option]}: expected --client-auth request or require beside it, got none`);
    }
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

const SPKI = /^sha256:[A-Za-z0-9+/]{43}=$/;

function checkLists(values: Values, writtenAs: WrittenAs): string[] {
  const check = (option: keyof Values & keyof WrittenAs, isGood: (item: string) => boolean, form: string): string[] =>
    (values[option] as readonly string[])
      .filter((item) => !isGood(item))
      .map((item) => `${writtenAs[option]}: expected ${form}, got ${item}`);
  return [
    ...check("allowUri", isUriPattern, "a URI, where * stands for one segment and ** at the end for the rest"),
    ...check("allowIp", (item) => isIP(item) !== 0, "an IP address"),
    ...check("allowSpki", (item) => SPKI.test(item), "sha256: and the base64 of 32 bytes"),
    ...check("trustedProxies", (item) => parseCidr(item) !== undefined, "an IP address or a CIDR block"),
  ];
}
