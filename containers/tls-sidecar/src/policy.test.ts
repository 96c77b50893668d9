import { expect, test } from "vitest";

import type { Identity } from "./identity.ts";
import type { PolicyValues } from "./policy.ts";
import { createPolicy, isUriPattern, policyFingerprint, uriPattern } from "./policy.ts";

const NOBODY: PolicyValues = {
  clientAuth: "require",
  allowAll: false,
  allowCn: [],
  allowOu: [],
  allowDns: [],
  allowUri: [],
  allowIp: [],
  allowSpki: [],
};
const WEB: Identity = {
  commonNames: ["web"],
  organizationalUnits: ["shop"],
  dns: ["web.example"],
  uris: ["spiffe://example.org/ns/shop/sa/web"],
  ips: ["10.1.2.3"],
  spki: "sha256:x",
  notBefore: 1000,
  notAfter: 2000,
};

test("no list matches nobody, and one match in any list is enough", () => {
  expect(createPolicy(NOBODY).refusalOf(WEB, 1500)).toBe("not_allowed");
  const lists = {
    allowCn: "web",
    allowOu: "shop",
    allowDns: "WEB.example",
    allowIp: "10.1.2.3",
    allowSpki: "sha256:x",
  };
  for (const [list, value] of Object.entries(lists)) {
    expect(
      createPolicy({ ...NOBODY, allowUri: ["spiffe://other/**"], [list]: ["x", value] }).refusalOf(WEB, 1500),
    ).toBeUndefined();
  }
});

test("names are compared whole, and by their own list only", () => {
  expect(createPolicy({ ...NOBODY, allowCn: ["we", "web.example", "shop"] }).refusalOf(WEB, 1500)).toBe("not_allowed");
  expect(createPolicy({ ...NOBODY, allowDns: ["example", "*.example"] }).refusalOf(WEB, 1500)).toBe("not_allowed");
});

test("the certificate's dates count, whatever the lists say", () => {
  const policy = createPolicy({ ...NOBODY, allowAll: true });
  expect([999, 1000, 1999, 2000].map((now) => policy.refusalOf(WEB, now))).toEqual([
    "bad_certificate",
    undefined,
    undefined,
    "bad_certificate",
  ]);
});

test("requested certificates without a list are good when their CA is", () => {
  expect(createPolicy({ ...NOBODY, clientAuth: "request" }).refusalOf(WEB, 1500)).toBeUndefined();
  expect(createPolicy({ ...NOBODY, clientAuth: "request", allowCn: ["x"] }).refusalOf(WEB, 1500)).toBe("not_allowed");
});

test.each([
  ["spiffe://a/b", ["spiffe://a/b", "spiffe://a/b/"], ["spiffe://a/bc", "spiffe://a/b/c", "xspiffe://a/b"]],
  ["spiffe://a/*/c", ["spiffe://a/b/c"], ["spiffe://a//c", "spiffe://a/b/b/c", "spiffe://a/c"]],
  ["spiffe://a/**", ["spiffe://a", "spiffe://a/", "spiffe://a/b/c"], ["spiffe://ab", "spiffe://b/a"]],
  ["spiffe://*/ns", ["spiffe://a/ns"], ["spiffe://a/b/ns"]],
  ["urn:a.b+c", ["urn:a.b+c"], ["urn:axb+c", "urn:a.bbc"]],
])("the pattern %s matches %j and not %j", (pattern, good, bad) => {
  for (const uri of good) expect.soft(uriPattern(pattern).test(uri), uri).toBe(true);
  for (const uri of bad) expect.soft(uriPattern(pattern).test(uri), uri).toBe(false);
});

test("stars inside a segment are no pattern", () => {
  expect(["spiffe://a/*", "spiffe://a/**", "urn:x"].map(isUriPattern)).toEqual([true, true, true]);
  expect(["spiffe://a/b*", "spiffe://a/**/c", "no-scheme", "*"].map(isUriPattern)).toEqual([
    false,
    false,
    false,
    false,
  ]);
});

test("any change of policy or CA changes the name under which sessions are made", () => {
  const names = [
    policyFingerprint(NOBODY, "ca"),
    policyFingerprint(NOBODY, "other ca"),
    policyFingerprint(NOBODY, undefined),
    policyFingerprint({ ...NOBODY, allowCn: ["web"] }, "ca"),
    policyFingerprint({ ...NOBODY, clientAuth: "request" }, "ca"),
  ];
  expect(new Set(names).size).toBe(names.length);
  expect(policyFingerprint({ ...NOBODY }, "ca")).toBe(names[0]);
  expect(names[0]).toHaveLength(32);
});
