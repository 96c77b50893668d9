// Which clients may connect: the allow-lists, matched against an identity.
import { createHash } from "node:crypto";
import { isIP } from "node:net";

import type { ValuesOf } from "@outrigger/options";

import type { Identity } from "./identity.ts";
import { canonicalIp } from "./identity.ts";
import type { HandshakeFailure } from "./metrics.ts";
import type { options } from "./options.ts";

export type Values = ValuesOf<typeof options>;

/** The options that a policy is made of; they may change while running. */
export type PolicyValues = Pick<
  Values,
  "clientAuth" | "allowAll" | "allowCn" | "allowOu" | "allowDns" | "allowUri" | "allowIp" | "allowSpki"
>;

export type Policy = {
  readonly clientAuth: PolicyValues["clientAuth"];
  /** What lets this identity in: `allowAll`, or a list and what matched; undefined when nothing does. */
  grantOf(identity: Identity): string | undefined;
  /** Why this identity may not connect now, or undefined when it may. */
  refusalOf(identity: Identity, now: number): HandshakeFailure | undefined;
};

/** The names of the allow-lists. */
export const ALLOW_LISTS = ["allowCn", "allowOu", "allowDns", "allowUri", "allowIp", "allowSpki"] as const;

export const policyValuesOf = (values: PolicyValues): PolicyValues => {
  const { clientAuth, allowAll, allowCn, allowOu, allowDns, allowUri, allowIp, allowSpki } = values;
  return { clientAuth, allowAll, allowCn, allowOu, allowDns, allowUri, allowIp, allowSpki };
};

export function createPolicy(values: PolicyValues): Policy {
  const match = createMatcher(values);
  // With certificates only requested and no list at all, a certificate of the CA is as good as none.
  const open =
    values.allowAll || (values.clientAuth === "request" && ALLOW_LISTS.every((list) => values[list].length === 0));
  const grantOf = (identity: Identity): string | undefined => (open ? "allowAll" : match(identity));
  return {
    clientAuth: values.clientAuth,
    grantOf,
    refusalOf: (identity, now) => {
      if (now < identity.notBefore || now >= identity.notAfter) return "bad_certificate";
      return grantOf(identity) === undefined ? "not_allowed" : undefined;
    },
  };
}

/** The allow-lists. */
export type Lists = Pick<PolicyValues, (typeof ALLOW_LISTS)[number]>;

/** One match in any list is enough; gives the list and what matched, such as `allowCn web`, or undefined. */
export function createMatcher(values: Lists): (identity: Identity) => string | undefined {
  const cn = new Set(values.allowCn);
  const ou = new Set(values.allowOu);
  const dns = new Set(values.allowDns.map((name) => name.toLowerCase()));
  const ips = new Set(values.allowIp.map(canonicalIp));
  const spki = new Set(values.allowSpki);
  const uris = values.allowUri.map((text) => ({ text, pattern: uriPattern(text) }));
  const inSet = (list: string, known: ReadonlySet<string>, names: readonly string[]): string | undefined => {
    const matched = names.find((name) => known.has(name));
    return matched === undefined ? undefined : `${list} ${matched}`;
  };
  return (identity) => {
    const uri = uris.find(({ pattern }) => identity.uris.some((name) => pattern.test(name)));
    return (
      inSet("allowCn", cn, identity.commonNames) ??
      inSet("allowOu", ou, identity.organizationalUnits) ??
      inSet("allowDns", dns, identity.dns) ??
      inSet("allowIp", ips, identity.ips) ??
      (uri === undefined ? undefined : `allowUri ${uri.text}`) ??
      inSet("allowSpki", spki, [identity.spki])
    );
  };
}

/** `*` is one segment, `**` at the end is the rest, which may be empty; a final slash does not matter. */
export function uriPattern(text: string): RegExp {
  const rest = text.endsWith("/**");
  const segments = (rest ? text.slice(0, -"/**".length) : text.replace(/\/$/, "")).split("/");
  const pattern = segments.map((segment) =>
    segment === "*" ? "[^/]+" : segment.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"),
  );
  return new RegExp(`^${pattern.join("/")}${rest ? "(/.*)?" : "/?"}$`);
}

/** Whether a URI pattern uses its stars as uriPattern understands them. */
export const isUriPattern = (text: string): boolean =>
  /^[A-Za-z][A-Za-z0-9+.-]*:/.test(text) &&
  !text
    .replace(/\/\*\*$/, "")
    .split("/")
    .some((segment) => segment.includes("*") && segment !== "*");

/** Names a policy, the CA that it relies on and the server name that it is for: sessions made under another name must not be resumed. */
export function policyFingerprint(values: PolicyValues, ca: string | undefined, name = ""): string {
  return createHash("sha256")
    .update(JSON.stringify([policyValuesOf(values), ca ?? null, name]))
    .digest("hex")
    .slice(0, 32);
}

/** What is wrong with rules as a whole; `written` names an option as its user wrote it. */
export function accessProblems(
  values: PolicyValues,
  hasCa: boolean,
  written: (option: keyof PolicyValues | "clientCa") => string,
): string[] {
  const { clientAuth, allowAll } = values;
  const given = ALLOW_LISTS.filter((list) => values[list].length > 0);
  const problems: string[] = [];
  if (clientAuth !== "none" && !hasCa) {
    problems.push(`${written("clientCa")}: expected a path with --client-auth ${clientAuth}, got nothing`);
  }
  if (clientAuth === "require" && given.length === 0 && !allowAll) {
    problems.push(`${written("clientAuth")}: expected an --allow-... list or --allow-all beside require, got none`);
  }
  if (allowAll && given.length > 0) {
    problems.push(
      `${written("allowAll")}: expected to be the only one of --allow-..., got ${written(given[0]!)} as well`,
    );
  }
  // A list that nobody consults would look like protection.
  if (clientAuth === "none") {
    for (const option of [...given, ...(allowAll ? (["allowAll"] as const) : [])]) {
      problems.push(`${written(option)}: expected --client-auth request or require beside it, got none`);
    }
  }
  return [...problems, ...listProblems(values, written)];
}

const SPKI = /^sha256:[A-Za-z0-9+/]{43}=$/;

/** What is wrong with the items of allow-lists. */
export function listProblems(values: Lists, written: (option: keyof Lists) => string): string[] {
  const check = (
    option: "allowUri" | "allowIp" | "allowSpki",
    isGood: (item: string) => boolean,
    form: string,
  ): string[] =>
    values[option].filter((item) => !isGood(item)).map((item) => `${written(option)}: expected ${form}, got ${item}`);
  return [
    ...check("allowUri", isUriPattern, "a URI, where * stands for one segment and ** at the end for the rest"),
    ...check("allowIp", (item) => isIP(item) !== 0, "an IP address"),
    ...check("allowSpki", (item) => SPKI.test(item), "sha256: and the base64 of 32 bytes"),
  ];
}
