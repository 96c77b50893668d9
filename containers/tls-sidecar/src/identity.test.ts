import { createCertificateAuthority } from "@outrigger/testing";
import { expect, test } from "vitest";

import { canonicalIp, identityOf, parseAltNames, spkiOf } from "./identity.ts";

test("an identity has every name of the certificate", async () => {
  const authority = await createCertificateAuthority();
  const { leaf, spki } = await authority.issue({
    commonName: "web",
    organizationalUnits: ["shop", "front"],
    dns: ["Web.Shop.Example"],
    uris: ["spiffe://example.org/ns/shop/sa/web"],
    ips: ["10.1.2.3", "2001:db8::7"],
  });
  expect(identityOf(leaf)).toEqual({
    commonNames: ["web"],
    organizationalUnits: ["shop", "front"],
    dns: ["web.shop.example"],
    uris: ["spiffe://example.org/ns/shop/sa/web"],
    ips: ["10.1.2.3", "2001:db8::7"],
    spki: `sha256:${spki}`,
    notBefore: Date.parse(leaf.validFrom),
    notAfter: Date.parse(leaf.validTo),
  });
  expect(spkiOf(leaf)).toBe(`sha256:${spki}`);
});

test("a certificate without names has an identity that no list matches", async () => {
  const { leaf } = await (await createCertificateAuthority()).issue({});
  expect(identityOf(leaf)).toMatchObject({ commonNames: [], organizationalUnits: [], dns: [], uris: [], ips: [] });
});

test("a URI that looks like two names stays one", async () => {
  const uri = "http://example.org/, DNS:admin.example";
  const { leaf } = await (await createCertificateAuthority()).issue({ uris: [uri] });
  const { dns, uris } = identityOf(leaf);
  expect(dns).toEqual([]);
  expect(uris).toEqual([uri]);
});

test.each([
  ["", []],
  [
    "DNS:a, DNS:b",
    [
      { type: "DNS", value: "a" },
      { type: "DNS", value: "b" },
    ],
  ],
  [
    'URI:"a, DNS:b", DNS:c',
    [
      { type: "URI", value: "a, DNS:b" },
      { type: "DNS", value: "c" },
    ],
  ],
  ['DNS:"quote \\" in it"', [{ type: "DNS", value: 'quote " in it' }]],
  ["IP Address:0:0:0:0:0:0:0:1", [{ type: "IP Address", value: "0:0:0:0:0:0:0:1" }]],
])("the text %j is read as its names", (text, names) => {
  expect(parseAltNames(text)).toEqual(names);
});

test("every spelling of an IPv6 address is one", () => {
  for (const spelling of ["2001:db8::7", "2001:0DB8:0:0:0:0:0:7", "2001:db8:0::7"]) {
    expect(canonicalIp(spelling)).toBe("2001:db8::7");
  }
  expect(canonicalIp("10.1.2.3")).toBe("10.1.2.3");
});
