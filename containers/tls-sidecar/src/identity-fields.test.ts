import { createHash } from "node:crypto";

import type { IssuedCertificate, LeafRequest } from "@outrigger/testing";
import { createCertificateAuthority } from "@outrigger/testing";
import { expect, test } from "vitest";

import { createIdentityLines, issuersOf, subjectOf } from "./identity-fields.ts";
import { identityOf } from "./identity.ts";

const authority = await createCertificateAuthority();
const issue = (request: LeafRequest): Promise<IssuedCertificate> => authority.issue(request);

test("xfcc has our URI, the certificate's digest, its subject and its names", async () => {
  const own = await issue({ uris: ["spiffe://example.org/server", "spiffe://example.org/second"] });
  const { leaf } = await issue({
    commonName: "web",
    organizationalUnits: ["shop", "front"],
    uris: ["spiffe://example.org/web"],
    dns: ["a.example", "b.example"],
  });
  const lines = createIdentityLines(["xfcc"], own.cert)({ certificate: leaf, identity: identityOf(leaf) });
  const hash = createHash("sha256").update(leaf.raw).digest("hex");
  expect(lines).toBe(
    `X-Forwarded-Client-Cert: By=spiffe://example.org/server;Hash=${hash};Subject="CN=web,OU=front,OU=shop";` +
      "URI=spiffe://example.org/web;DNS=a.example;DNS=b.example\r\n",
  );
});

test("a certificate of ours without a URI is not named, and no certificate gives no line", async () => {
  const own = await issue({ dns: ["localhost"] });
  const { leaf } = await issue({ commonName: "web" });
  const linesOf = createIdentityLines(["xfcc", "client-cert", "client-cert-chain"], own.cert);
  expect(linesOf({ certificate: leaf, identity: identityOf(leaf) })).not.toContain("By=");
  expect(linesOf(undefined)).toBe("");
});

test("Client-Cert is the DER as a byte sequence", async () => {
  const { leaf, cert } = await issue({ commonName: "web" });
  const lines = createIdentityLines(["client-cert"], cert)({ certificate: leaf, identity: identityOf(leaf) });
  expect(lines).toBe(`Client-Cert: :${leaf.raw.toString("base64")}:\r\n`);
});

test("nothing in a certificate gets out of its value", async () => {
  const { leaf, cert } = await issue({
    commonName: 'a"b\r\n;URI=x,Evil: 1\\',
    organizationalUnits: ["b, CN=admin + OU=c", " ü\u0000 "],
    uris: ['spiffe://a/",DNS=admin;x=y\\'],
    dns: ['c";Hash=0'],
  });
  const lines = createIdentityLines(["xfcc"], cert)({ certificate: leaf, identity: identityOf(leaf) });
  expect(lines).toMatch(/^[ -~]+\r\n$/);
  const [, subject, rest] = /;Subject="([^"]*)";(.*)\r\n$/.exec(lines)!;
  expect(subject).toBe("CN=a\\22b\\0D\\0A\\3BURI=x\\2CEvil: 1\\5C,OU=\\20\\C3\\BC\\00\\20,OU=b\\2C CN=admin \\2B OU=c");
  expect(rest).toBe('URI="spiffe://a/%22,DNS=admin;x=y%5C";DNS="c%22;hash=0"');
});

test.each([
  ["", ""],
  ["CN=a", "CN=a"],
  ["C=NO\nO=x\nCN=a", "CN=a,O=x,C=NO"],
  ["O=x + CN=a", "O=x+CN=a"],
  ['CN=a\\\\\\"b', "CN=a\\5C\\22b"],
  ["CN=\\#a\\\\41\\ ", "CN=\\23a\\5C41\\20"],
])("the subject %j reads %j", (lines, subject) => {
  expect(subjectOf(lines)).toBe(subject);
});

test("a certificate alone has no chain to pass on", async () => {
  const { leaf } = await (await authority.intermediate("between")).issue({ commonName: "web" });
  expect(issuersOf(leaf)).toEqual([]);
});
