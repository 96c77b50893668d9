import { X509Certificate } from "node:crypto";

import { createCertificateAuthority } from "@outrigger/testing";
import { expect, test } from "vitest";

import { createTrustCheck } from "./trust-check.ts";

const root = await createCertificateAuthority();
const between = await root.intermediate("between");
const direct = (await root.issue({ commonName: "web" })).leaf;
const indirect = (await between.issue({ commonName: "web" })).leaf;
/** Of the same name as the other root, as all are that the tests make, with another key. */
const stranger = (await createCertificateAuthority()).pem;

test("a certificate is trusted under the root that issued it, among others too", () => {
  expect(createTrustCheck(root.pem)(direct)).toBe(true);
  expect(createTrustCheck(stranger + root.pem)(direct)).toBe(true);
  expect(createTrustCheck(stranger)(direct)).toBe(false);
});

test("an intermediate authority may be in the bundle, but is not enough alone", () => {
  expect(createTrustCheck(root.pem + between.pem)(indirect)).toBe(true);
  expect(createTrustCheck(between.pem)(indirect)).toBe(false);
  expect(createTrustCheck(root.pem)(indirect)).toBe(false);
});

test("a certificate that may not issue leads nowhere, and a self-issued leaf is no root", async () => {
  const { leaf, cert } = await root.issue({ commonName: "web" });
  expect(createTrustCheck(cert)(leaf)).toBe(false);
  expect(createTrustCheck(root.pem)(new X509Certificate(stranger))).toBe(false);
});
