// Mutual TLS: the allowed get in, and nobody else.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import type { IssuedCertificate, LeafRequest } from "@outrigger/testing";
import { createCertificateAuthority, startApp, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { createFiles, startSidecar, visit } from "./sidecar.ts";
import type { Files, Sidecar } from "./sidecar.ts";

const CLIENT: LeafRequest = {
  commonName: "web",
  organizationalUnits: ["shop", "front"],
  dns: ["web.shop.example"],
  uris: ["spiffe://example.org/ns/shop/sa/web"],
  ips: ["10.1.2.3", "2001:db8::7"],
};

async function startMutual(files: Files, args: string[]): Promise<Sidecar> {
  const app = await startApp((_, response) => response.end("hello"), { cleanup });
  return startSidecar({ target: app.address, files, args: ["--client-ca", files.ca, ...args], cleanup });
}

const failures = async (sidecar: Sidecar, reason: string): Promise<number | undefined> =>
  (await sidecar.metrics()).value("tls_sidecar_handshake_failures_total", { reason });

describe("with --client-auth require", () => {
  const lists = (spki: string): [string, string, string][] => [
    ["--allow-cn", "web", "Web"],
    ["--allow-ou", "front", "back"],
    ["--allow-dns", "WEB.shop.example", "shop.example"],
    ["--allow-uri", "spiffe://example.org/ns/shop/sa/web", "spiffe://example.org/ns/shop"],
    ["--allow-uri", "spiffe://example.org/ns/*/sa/web", "spiffe://example.org/*/sa/web"],
    ["--allow-uri", "spiffe://example.org/ns/**", "spiffe://example.org/n/**"],
    ["--allow-ip", "2001:0db8:0:0:0:0:0:7", "2001:db8::8"],
    ["--allow-spki", `sha256:${spki}`, `sha256:${"A".repeat(43)}=`],
  ];

  test("each list lets in whom it names, and nobody else", async () => {
    const files = await createFiles(cleanup);
    const client = await files.authority.issue(CLIENT);
    for (const [flag, good, bad] of lists(client.spki)) {
      const [allowing, refusing] = await Promise.all(
        [good, bad].map((value) => startMutual(files, ["--client-auth", "require", flag, value])),
      );
      expect.soft((await visit(allowing!, { cert: client })).admitted, `${flag} ${good}`).toBe(true);
      expect.soft((await visit(refusing!, { cert: client })).admitted, `${flag} ${bad}`).toBe(false);
      expect.soft(await failures(refusing!, "not_allowed"), `${flag} ${bad}`).toBe(1);
      await Promise.all([allowing!.stop(), refusing!.stop()]);
    }
  }, 120_000);

  test("no certificate, a foreign one and an expired one are refused, each counted by its reason", async () => {
    const files = await createFiles(cleanup);
    const sidecar = await startMutual(files, ["--client-auth", "require", "--allow-all"]);
    const foreign = await (await createCertificateAuthority()).issue(CLIENT);
    const day = 86_400_000;
    const expired = await files.authority.issue({
      ...CLIENT,
      notBefore: new Date(Date.now() - 2 * day),
      notAfter: new Date(Date.now() - day),
    });
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      const without = await visit(sidecar, { version });
      const withForeign = await visit(sidecar, { version, cert: foreign });
      const withExpired = await visit(sidecar, { version, cert: expired });
      expect([without, withForeign, withExpired].map(({ admitted }) => admitted)).toEqual([false, false, false]);
    }
    expect(await failures(sidecar, "no_certificate")).toBe(2);
    expect(await failures(sidecar, "bad_certificate")).toBe(4);
    expect((await visit(sidecar, { cert: await files.authority.issue(CLIENT) })).admitted).toBe(true);
  });

  test("a server certificate is no client certificate", async () => {
    const files = await createFiles(cleanup);
    const sidecar = await startMutual(files, ["--client-auth", "require", "--allow-all"]);
    const server = await files.authority.issue({ ...CLIENT, usage: ["server"] });
    expect((await visit(sidecar, { cert: server })).admitted).toBe(false);
  });
});

test("with --client-auth request, clients come without a certificate, but not with a wrong one", async () => {
  const files = await createFiles(cleanup);
  const sidecar = await startMutual(files, ["--client-auth", "request", "--allow-cn", "web"]);
  const other = await files.authority.issue({ ...CLIENT, commonName: "other" });
  expect((await visit(sidecar)).admitted).toBe(true);
  expect((await visit(sidecar, { cert: await files.authority.issue(CLIENT) })).admitted).toBe(true);
  expect((await visit(sidecar, { cert: other })).admitted).toBe(false);
});

describe.each(["TLSv1.2", "TLSv1.3"] as const)("a session made with %s", (version) => {
  /** A client with a session that works, and a sidecar whose policy the test then changes in its file. */
  async function admittedClient(): Promise<{
    sidecar: Sidecar;
    client: IssuedCertificate;
    session: Buffer;
    config: string;
  }> {
    const files = await createFiles(cleanup);
    const config = join(files.folder, "config.yaml");
    writeFileSync(config, "clientAuth: require\nallowCn: [web]\n");
    const sidecar = await startMutual(files, ["--config", config]);
    const client = await files.authority.issue(CLIENT);
    const first = await visit(sidecar, { version, cert: client });
    expect(first.admitted).toBe(true);
    const again = await visit(sidecar, { version, cert: client, session: first.session });
    expect([again.admitted, again.reused]).toEqual([true, true]);
    return { sidecar, client, session: (again.session ?? first.session)!, config };
  }

  async function reloaded(sidecar: Sidecar): Promise<void> {
    await until(
      async () => ((await sidecar.metrics()).value("outrigger_reloads_total", { outcome: "applied" }) ?? 0) > 0,
    );
  }

  test("of a removed CA does not get in", async () => {
    const { sidecar, client, session } = await admittedClient();
    writeFileSync(sidecar.files.ca, (await createCertificateAuthority()).pem);
    await reloaded(sidecar);
    expect((await visit(sidecar, { version, cert: client, session })).admitted).toBe(false);
    expect((await visit(sidecar, { version, session })).admitted).toBe(false);
  });

  test("of an identity that was taken off the list does not get in", async () => {
    const { sidecar, client, session, config } = await admittedClient();
    writeFileSync(config, "clientAuth: require\nallowCn: [other]\n");
    await reloaded(sidecar);
    expect((await visit(sidecar, { version, cert: client, session })).admitted).toBe(false);
  });

  test("that was made without a certificate does not get in once one is required", async () => {
    const { sidecar, config } = await admittedClient();
    writeFileSync(config, "clientAuth: request\nallowCn: [web]\n");
    await reloaded(sidecar);
    const { session, admitted } = await visit(sidecar, { version });
    expect(admitted).toBe(true);
    writeFileSync(config, "clientAuth: require\nallowCn: [web]\n");
    await until(
      async () => ((await sidecar.metrics()).value("outrigger_reloads_total", { outcome: "applied" }) ?? 0) > 1,
    );
    expect((await visit(sidecar, { version, session })).admitted).toBe(false);
  });
});
