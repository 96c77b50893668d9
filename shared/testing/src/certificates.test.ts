import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ConnectionOptions, TlsOptions } from "node:tls";
import { createServer } from "node:tls";
import { promisify } from "node:util";

import { describe, expect, onTestFinished, test } from "vitest";

import type { IssuedCertificate } from "./certificates.ts";
import { createCertificateAuthority } from "./certificates.ts";
import { tempDir } from "./cleanup.ts";
import { listen } from "./listening.ts";
import { requirePrograms } from "./programs.ts";
import { rawExchange } from "./raw-exchange.ts";

/** What a handshake came to: the greeting of the server, or the code of the client's error. */
async function handshake(server: TlsOptions, client: ConnectionOptions): Promise<string> {
  const tls = createServer(server, (socket) => socket.end("welcome"));
  tls.on("tlsClientError", () => {});
  const { port } = await listen(tls, { cleanup: onTestFinished });
  const { text, error } = await rawExchange({ port, tls: client, send: "" });
  return text || String((error as NodeJS.ErrnoException | undefined)?.code);
}

const keyPair = ({ cert, key }: IssuedCertificate) => ({ cert, key });

test("a client that trusts the authority accepts its certificates by name and by address", async () => {
  const authority = await createCertificateAuthority();
  const server = keyPair(await authority.issue({ dns: ["app.example", "*.apps.example"], ips: ["127.0.0.1", "::1"] }));
  const ca = authority.pem;
  expect(await handshake(server, { ca })).toBe("welcome");
  expect(await handshake(server, { ca, servername: "app.example" })).toBe("welcome");
  expect(await handshake(server, { ca, servername: "one.apps.example" })).toBe("welcome");
  expect(await handshake(server, { ca, servername: "other.example" })).toBe("ERR_TLS_CERT_ALTNAME_INVALID");
});

test("a client that trusts another authority of the same name refuses", async () => {
  const [authority, other] = [await createCertificateAuthority(), await createCertificateAuthority()];
  const server = keyPair(await authority.issue({ ips: ["127.0.0.1"] }));
  expect(await handshake(server, { ca: other.pem })).toBe("UNABLE_TO_VERIFY_LEAF_SIGNATURE");
});

test("RSA certificates are accepted too", async () => {
  const authority = await createCertificateAuthority();
  const issued = await authority.issue({ ips: ["127.0.0.1"], keyType: "rsa" });
  expect(issued.leaf.publicKey.asymmetricKeyType).toBe("rsa");
  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const)
    expect(await handshake({ ...keyPair(issued), maxVersion }, { ca: authority.pem })).toBe("welcome");
});

test("certificates of an intermediate authority bring their chain, and the root alone is trusted", async () => {
  const root = await createCertificateAuthority({ name: "Root" });
  const second = await (await root.intermediate("First")).intermediate("Second");
  const issued = await second.issue({ ips: ["127.0.0.1"] });
  expect(issued.cert.match(/BEGIN CERTIFICATE/g)).toHaveLength(3);
  expect(issued.leaf.issuer).toBe("CN=Second");
  expect(await handshake(keyPair(issued), { ca: root.pem })).toBe("welcome");
});

test("certificates outside their time are refused", async () => {
  const authority = await createCertificateAuthority();
  const [past, future] = [new Date(Date.now() - 60_000), new Date(Date.now() + 60_000)];
  const expired = await authority.issue({ ips: ["127.0.0.1"], notAfter: past });
  const early = await authority.issue({ ips: ["127.0.0.1"], notBefore: future });
  expect(await handshake(keyPair(expired), { ca: authority.pem })).toBe("CERT_HAS_EXPIRED");
  expect(await handshake(keyPair(early), { ca: authority.pem })).toBe("CERT_NOT_YET_VALID");
});

test("a client certificate is accepted for clients, and refused for servers", async () => {
  const authority = await createCertificateAuthority();
  const ca = authority.pem;
  const server = keyPair(await authority.issue({ ips: ["127.0.0.1"], usage: ["server"] }));
  const client = keyPair(await authority.issue({ commonName: "caller", usage: ["client"] }));
  const mutual = { ...server, ca, requestCert: true };
  expect(await handshake(mutual, { ca, ...client })).toBe("welcome");
  expect(await handshake(mutual, { ca })).not.toBe("welcome");
  expect(await handshake(mutual, { ca, ...server })).not.toBe("welcome");
  const misused = keyPair(await authority.issue({ ips: ["127.0.0.1"], usage: ["client"] }));
  expect(await handshake(misused, { ca })).toBe("INVALID_PURPOSE");
});

test("the subject and the alternative names are as asked for", async () => {
  const authority = await createCertificateAuthority({ name: "Names" });
  const { leaf } = await authority.issue({
    commonName: "web, inc.",
    organizationalUnits: ["dev", "ops"],
    dns: ["app.example"],
    uris: ["spiffe://cluster.local/ns/default/sa/web"],
  });
  expect(leaf.subject).toBe("OU=dev\nOU=ops\nCN=web\\, inc.");
  expect(leaf.issuer).toBe("CN=Names");
  expect(leaf.subjectAltName).toBe("DNS:app.example, URI:spiffe://cluster.local/ns/default/sa/web");
});

test("each certificate has a key and a fingerprint of its own", async () => {
  const authority = await createCertificateAuthority();
  const [one, two] = [await authority.issue(), await authority.issue()];
  expect(one.fingerprint).toBe(one.leaf.fingerprint256.replaceAll(":", "").toLowerCase());
  expect(one.fingerprint).not.toBe(two.fingerprint);
  expect(one.spki).toMatch(/^[A-Za-z0-9+/]{43}=$/);
  expect(one.spki).not.toBe(two.spki);
  expect(one.leaf.serialNumber).not.toBe(two.leaf.serialNumber);
});

const programs = requirePrograms("openssl");
describe.skipIf(programs.skip)(programs.title("openssl"), () => {
  async function verify(issued: IssuedCertificate, trusted: string, ...args: string[]): Promise<string> {
    const folder = tempDir(onTestFinished);
    const [chain, root] = [join(folder, "chain.pem"), join(folder, "root.pem")];
    writeFileSync(chain, issued.cert);
    writeFileSync(root, trusted);
    const options = ["verify", "-x509_strict", "-CAfile", root, "-untrusted", chain, ...args, chain];
    return (await promisify(execFile)(programs.path("openssl"), options)).stdout;
  }

  test("verifies leaves of root and intermediate authorities strictly, for both purposes", async () => {
    const root = await createCertificateAuthority();
    const intermediate = await root.intermediate("Intermediate");
    const named = await root.issue({ commonName: "app", dns: ["app.example"] });
    const nameless = await intermediate.issue({ uris: ["spiffe://cluster.local/app"], keyType: "rsa" });
    expect(await verify(named, root.pem, "-purpose", "sslserver", "-verify_hostname", "app.example")).toMatch(/OK$/m);
    expect(await verify(nameless, root.pem, "-purpose", "sslclient")).toMatch(/OK$/m);
  });

  test("refuses a leaf of another authority", async () => {
    const [authority, other] = [await createCertificateAuthority(), await createCertificateAuthority()];
    await expect(verify(await authority.issue(), other.pem)).rejects.toThrow("verification failed");
  });
});
