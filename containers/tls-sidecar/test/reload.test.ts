// Certificates, keys, CA and allow-lists change while the sidecar serves.
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { createCertificateAuthority, startApp, until } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { startLoad } from "./load.ts";
import { createFiles, startSidecar, visit } from "./sidecar.ts";
import type { Sidecar } from "./sidecar.ts";

const reloads = async (sidecar: Sidecar, outcome: string): Promise<number> =>
  (await sidecar.metrics()).value("outrigger_reloads_total", { outcome }) ?? 0;

async function start(args: string[] = [], files = createFiles(cleanup)): Promise<Sidecar> {
  const app = await startApp((_, response) => response.end("hello"), { cleanup });
  return startSidecar({ target: app.address, args, files: await files, cleanup });
}

test("a renewed certificate is served without being asked to, and its expiry is shown", async () => {
  const sidecar = await start();
  const notAfter = new Date("2031-05-06T07:08:09Z");
  const { leaf } = await sidecar.files.renew({ notAfter });
  await until(async () => (await visit(sidecar)).serial === leaf.serialNumber);
  const metrics = await sidecar.metrics();
  expect(metrics.value("tls_sidecar_certificate_expiry_timestamp_seconds", { file: sidecar.files.cert })).toBe(
    notAfter.getTime() / 1000,
  );
  const status = JSON.parse((await sidecar.admin("/api/v1/status")).body) as Record<string, unknown>;
  expect(status).toMatchObject({
    certificates: [{ notAfter: notAfter.toISOString() }],
    lastReload: { outcome: "applied" },
  });
});

test("a Kubernetes Secret that is swapped is served", async () => {
  const files = await createFiles(cleanup);
  const volume = join(files.folder, "volume");
  const publish = async (revision: string): Promise<string> => {
    const { cert, key, leaf } = await files.authority.issue({ dns: ["localhost"] });
    mkdirSync(join(volume, revision), { recursive: true });
    writeFileSync(join(volume, revision, "tls.crt"), cert);
    writeFileSync(join(volume, revision, "tls.key"), key);
    symlinkSync(revision, join(volume, "..data_tmp"));
    renameSync(join(volume, "..data_tmp"), join(volume, "..data"));
    return leaf.serialNumber;
  };
  await publish("..1");
  for (const name of ["tls.crt", "tls.key"]) symlinkSync(join("..data", name), join(volume, name));
  const mounted = { ...files, cert: join(volume, "tls.crt"), key: join(volume, "tls.key") };
  const sidecar = await start([], Promise.resolve(mounted));
  for (const revision of ["..2", "..3", "..4"]) {
    const serial = await publish(revision);
    await until(async () => (await visit(sidecar)).serial === serial, { describe: `the certificate of ${revision}` });
  }
});

test.each([
  ["SIGHUP", async (sidecar: Sidecar) => sidecar.signal("SIGHUP")],
  ["POST /api/v1/reload", async (sidecar: Sidecar) => void (await sidecar.admin("/api/v1/reload", { method: "POST" }))],
])("%s reloads, and nothing changed is no failure", async (_, ask) => {
  const sidecar = await start();
  await ask(sidecar);
  await until(async () => (await reloads(sidecar, "unchanged")) === 1);
});

test("a candidate that cannot be used is refused with its reason, and the old one stays live", async () => {
  const sidecar = await start();
  const { serial } = await visit(sidecar);
  const { authority, cert, key } = sidecar.files;
  const day = 86_400_000;
  const good = await authority.issue({ dns: ["localhost"] });
  const expired = await authority.issue({
    notBefore: new Date(Date.now() - 2 * day),
    notAfter: new Date(Date.now() - day),
  });
  const early = await authority.issue({
    notBefore: new Date(Date.now() + day),
    notAfter: new Date(Date.now() + 2 * day),
  });
  const stranger = await (await createCertificateAuthority()).intermediate("stranger");
  const gap = good.cert + (await stranger.issue()).cert;
  const candidates: [string, string, RegExp][] = [
    ["not a certificate", good.key, /--cert: expected a certificate in PEM, got .*tls\.crt \(no certificate in it\)/],
    [good.cert, "not a key", /--key: expected a private key in PEM/],
    [good.cert, expired.key, /--key: expected the private key of .*tls\.crt, got another one in .*tls\.key/],
    [expired.cert, expired.key, /--cert: expected certificates that are valid now, got .* expired/],
    [early.cert, early.key, /--cert: expected certificates that are valid now, got .* not before/],
    [gap, good.key, /--cert: expected each certificate to be followed by its issuer/],
  ];
  for (const [newCert, newKey, reason] of candidates) {
    writeFileSync(cert, newCert);
    writeFileSync(key, newKey);
    const { status, body } = await sidecar.admin("/api/v1/reload", { method: "POST" });
    expect.soft(status).toBe(409);
    expect.soft(JSON.parse(body)).toMatchObject({ outcome: "refused", reasons: [expect.stringMatching(reason)] });
    expect.soft((await visit(sidecar)).serial).toBe(serial);
  }
  expect(await reloads(sidecar, "refused")).toBeGreaterThanOrEqual(candidates.length);
  expect((await sidecar.waitForLog("reload refused"))["reasons"]).toBeDefined();
  const status = JSON.parse((await sidecar.admin("/api/v1/status")).body) as Record<string, unknown>;
  expect(status["lastReload"]).toMatchObject({ outcome: "refused" });
  expect((await sidecar.admin("/readyz")).status).toBe(200);
});

test("files that the file of options comes to name are served, and watched from then on", async () => {
  const files = await createFiles(cleanup);
  const config = join(files.folder, "config.yaml");
  const next = { cert: join(files.folder, "next.crt"), key: join(files.folder, "next.key") };
  writeFileSync(config, JSON.stringify({ cert: files.cert, key: files.key }));
  const app = await startApp((_, response) => response.end("hello"), { cleanup });
  const sidecar = await startSidecar({ target: app.address, args: ["--config", config], files, named: false, cleanup });
  const publish = async (): Promise<string> => {
    const { cert, key, leaf } = await files.authority.issue({ dns: ["localhost"] });
    writeFileSync(next.cert, cert);
    writeFileSync(next.key, key);
    return leaf.serialNumber;
  };
  for (let round = 0; round < 2; round++) {
    const serial = await publish();
    writeFileSync(config, JSON.stringify(next));
    await until(async () => (await visit(sidecar)).serial === serial, { describe: `round ${round}` });
  }
});

test("an option that cannot change while running is refused by name", async () => {
  const files = await createFiles(cleanup);
  const config = join(files.folder, "config.yaml");
  writeFileSync(config, "idleTimeout: 30s\n");
  const sidecar = await start(["--config", config], Promise.resolve(files));
  writeFileSync(config, "idleTimeout: 40s\n");
  const { body } = await sidecar.admin("/api/v1/reload", { method: "POST" });
  expect(JSON.parse(body)).toMatchObject({
    reasons: ["idleTimeout: expected to stay as it was until a restart, got another value"],
  });
  writeFileSync(config, "idleTimeut: 30s\n");
  const misspelt = await sidecar.admin("/api/v1/reload", { method: "POST" });
  expect(JSON.parse(misspelt.body)).toMatchObject({ reasons: [expect.stringContaining("did you mean idleTimeout?")] });
});

test("200 reloads under load lose no request", async () => {
  const sidecar = await start();
  const load = startLoad(sidecar);
  for (let i = 0; i < 200; i++) {
    await sidecar.files.renew();
    const { body } = await sidecar.admin("/api/v1/reload", { method: "POST" });
    expect(["applied", "unchanged"]).toContain((JSON.parse(body) as { outcome: string }).outcome);
  }
  const { answered, lost } = await load.stop();
  expect(await reloads(sidecar, "applied")).toBeGreaterThanOrEqual(195);
  expect(lost).toBe(0);
  expect(answered).toBeGreaterThan(200);
}, 120_000);
