// Rules by route: which identities may send which requests. The first rule that fits a request decides; where none does,
// whoever was let in may.
import * as z from "@outrigger/options/zod";

import type { Identity } from "./identity.ts";
import { createMatcher } from "./policy.ts";
import type { Lists } from "./policy.ts";

const names = z.array(z.string().min(1)).max(1000).default([]);

/** As the file has it. */
export const rulesSchema = z
  .array(
    z.strictObject({
      /** The beginning of the path, in whole segments. */
      path: z.string().regex(/^\/[!-~]*$/, "a path that begins with /"),
      methods: z
        .array(z.string().regex(/^[A-Z]+$/, "a method in capitals"))
        .max(50)
        .default([]),
      allow: z.union([
        z.enum(["anyone", "certificate", "nobody"]),
        z.strictObject({ cn: names, ou: names, dns: names, uri: names, ip: names, spki: names }),
      ]),
    }),
  )
  .max(1000);
export type Rule = z.infer<typeof rulesSchema>[number];

/** The rule that decided, with its number in the file, from 1; undefined where none did. */
export type Ruling = { readonly allowed: boolean; readonly number?: number; readonly why: string };

export type Rules = {
  /** `target` in origin form, with its query. Undefined where the path could be read in more than one way. */
  judge(method: string, target: string, identity: Identity | undefined): Ruling | undefined;
};

/** The lists of a rule, by the names that the options have. */
export const listsOf = ({ cn, ou, dns, uri, ip, spki }: Exclude<Rule["allow"], string>): Lists => ({
  allowCn: cn,
  allowOu: ou,
  allowDns: dns,
  allowUri: uri,
  allowIp: ip,
  allowSpki: spki,
});

export function createRules(rules: readonly Rule[]): Rules {
  const prepared = rules.map(({ path, methods, allow }, index) => ({
    number: index + 1,
    path: path.replace(/\/$/, ""),
    methods: new Set(methods),
    allow,
    match: typeof allow === "string" ? undefined : createMatcher(listsOf(allow)),
  }));
  return {
    judge: (method, target, identity) => {
      const path = plainPathOf(target);
      if (path === undefined) return undefined;
      const rule = prepared.find(
        (each) => (each.methods.size === 0 || each.methods.has(method)) && isBelow(path, each.path),
      );
      if (rule === undefined) return { allowed: true, why: "no rule is about it" };
      const { number, allow, match } = rule;
      if (match !== undefined) {
        const matched = identity === undefined ? undefined : match(identity);
        return { allowed: matched !== undefined, number, why: matched ?? "it allows others" };
      }
      const allowed = allow === "anyone" || (allow === "certificate" && identity !== undefined);
      return { allowed, number, why: `it allows ${allow === "certificate" ? "any certificate" : String(allow)}` };
    },
  };
}

const isBelow = (path: string, prefix: string): boolean =>
  path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === "/");

/**
 * The path as an application may read it (RFC 3986 section 6.2.2): characters that need no encoding decoded, dot segments
 * and empty ones taken out, parameters of a segment left aside. Undefined for an encoded slash or backslash, and for what
 * is no encoding: one application decodes those and another does not.
 */
export function plainPathOf(target: string): string | undefined {
  const raw = target.replace(/^https?:\/\/[^/?]*/i, "").split("?", 1)[0]!;
  if (/%(?![0-9A-Fa-f]{2})|%2f|%5c|%00|\\/i.test(raw)) return undefined;
  const decoded = raw.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const segments: string[] = [];
  for (const segment of decoded.split("/")) {
    const name = segment.split(";", 1)[0]!;
    if (name === "..") segments.pop();
    else if (name !== "" && name !== ".") segments.push(name);
  }
  return `/${segments.join("/")}`;
}
