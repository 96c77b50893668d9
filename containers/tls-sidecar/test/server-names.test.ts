// Several certificates by server name, each with its own rules where it has them.
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import type { TLSSocket } from "node:tls";

import type { CertificateAuthority, IssuedCertificate } from "@outrigger/testing";
import { createCertificateAuthority, runContainer, startApp, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { createFiles, startSidecar } from "./sidecar.ts";
import type { Files, Sidecar } from "./sidecar.ts";

type Asked = {
  readonly cert?: IssuedCertificate;
  readonly host?: string;
  readonly session?: Buffer | undefined;
  readonly version?: "TLSv1.2" | "TLSv1.3";
};
type Told = {
  readonly commonName: string;
  readonly status: string;
  readonly session: Buffer | undefined;
  readonly reused: boolean;
};

/** One request on a connection that asks for this name; tells whose certificate it was shown. */
function ask(
  sidecar: Sidecar,
  name: string | undefined,
  { cert, host = name ?? "x", session, version }: Asked = {},
): Promise<Told> {
  const socket: TLSSocket = connect({
    host: "127.0.0.1",
    port: sidecar.port,
    rejectUnauthorized: false,
    ...(name === undefined ? {} : { servername: name }),
    ...(cert === undefined ? {} : { cert: cert.cert, key: cert.key }),
    ...(session === undefined ? {} : { session }),
    ...(version === undefined ? {} : { minVersion: version, maxVersion: version }),
  });
  let text = "";
  let commonName = "";
  let ticket: Buffer | undefined;
  let reused = false;
  socket.on("session", (given: Buffer) => (ticket = given));
  socket.once("secureConnect", () => {
    commonName = String(socket.getPeerCertificate().subject?.CN ?? "");
    reused = socket.isSessionReused();
    socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  });
  socket.on("data", (bytes: Buffer) => (text += bytes.toString("latin1")));
  socket.on("error", () => undefined);
  return new Promise((resolve) => {
    socket.once("close", () => resolve({ commonName, status: text.split(" ")[1] ?? "", session: ticket, reused }));
  });
}

async function addName(
  folder: string,
  name: string,
  authority: CertificateAuthority,
  more: Record<string, string> = {},
): Promise<void> {
  const host = name.replace(/^_/, "*");
  const issued = await authority.issue({ commonName: host, dns: [host] });
  const made = join(folder, `.${name}`);
  mkdirSync(made, { recursive: true });
  for (const [file, text] of Object.entries({ "tls.crt": issued.cert, "tls.key": issued.key, ...more })) {
    writeFileSync(join(made, file), text);
  }
  rmSync(join(folder, name), { recursive: true, force: true });
  renameSync(made, join(folder, name));
}

async function setUp(): Promise<{ files: Files; sniDir: string }> {
  const files = await createFiles(cleanup);
  const sniDir = join(files.folder, "names");
  mkdirSync(sniDir);
  return { files, sniDir };
}

async function start(files: Files, args: string[]): Promise<Sidecar> {
  const app = await startApp((_, response) => response.end("hello"), { cleanup });
  return startSidecar({ target: app.address, files, args, cleanup });
}

test("the most specific name decides which certificate is shown, and --cert is for all others", async () => {
  const { files, sniDir } = await setUp();
  await addName(sniDir, "a.test", files.authority);
  await addName(sniDir, "_.b.test", files.authority);
  const pem = await files.authority.issue({ commonName: "x.b.test", dns: ["x.b.test"] });
  writeFileSync(join(sniDir, "x.b.test.pem"), pem.cert + pem.key);
  const sidecar = await start(files, ["--sni-dir", sniDir]);
  const shown = async (name: string | undefined): Promise<string> => (await ask(sidecar, name)).commonName;
  expect(await shown("a.test")).toBe("a.test");
  expect(await shown("A.TEST")).toBe("a.test");
  expect(await shown("y.b.test")).toBe("*.b.test");
  expect(await shown("x.b.test")).toBe("x.b.test");
  for (const name of ["z.y.b.test", "b.test", "c.test", undefined]) expect(await shown(name)).toBe("localhost");
  expect((await ask(sidecar, "a.test", { host: "c.test" })).status).toBe("200");
  const { certificates } = (await (await sidecar.admin("/api/v1/status")).json()) as {
    certificates: { file: string }[];
  };
  expect(certificates.map(({ file }) => file)).toContain(join(sniDir, "x.b.test.pem"));
});

test("with --strict-sni who asks for no name that is here is refused, and counted", async () => {
  const { files, sniDir } = await setUp();
  await addName(sniDir, "a.test", files.authority);
  const sidecar = await start(files, ["--sni-dir", sniDir, "--strict-sni"]);
  expect((await ask(sidecar, "a.test")).status).toBe("200");
  expect((await ask(sidecar, "b.test")).status).toBe("");
  expect((await ask(sidecar, undefined)).status).toBe("");
  const metrics = await sidecar.metrics();
  expect(metrics.value("tls_sidecar_handshake_failures_total", { reason: "unknown_name" })).toBe(2);
});

describe("rules of a name's own", () => {
  async function startTwo() {
    const { files, sniDir } = await setUp();
    const [ofA, ofB] = [await createCertificateAuthority(), await createCertificateAuthority()];
    const access = "clientAuth: require\nallowCn: [alice, bob]\n";
    await addName(sniDir, "a.test", files.authority, { "ca.crt": ofA.pem, "access.yaml": access });
    await addName(sniDir, "b.test", files.authority, { "ca.crt": ofB.pem, "access.yaml": access });
    const sidecar = await start(files, ["--sni-dir", sniDir]);
    const [alice, bob, mallory] = [
      await ofA.issue({ commonName: "alice" }),
      await ofB.issue({ commonName: "bob" }),
      await ofA.issue({ commonName: "mallory" }),
    ];
    return { files, sniDir, sidecar, alice, bob, mallory, ofA, ofB };
  }

  test("let in those of its CA and list, and nobody else; others need no certificate", async () => {
    const { sidecar, alice, bob, mallory } = await startTwo();
    const status = async (name: string, cert?: IssuedCertificate): Promise<string> =>
      (await ask(sidecar, name, cert === undefined ? {} : { cert })).status;
    expect(await status("a.test", alice)).toBe("200");
    expect(await status("b.test", bob)).toBe("200");
    for (const [name, cert] of [
      ["a.test", bob],
      ["b.test", alice],
      ["a.test", mallory],
      ["a.test", undefined],
    ] as const) {
      expect(await status(name, cert)).toBe("");
    }
    expect(await status("c.test")).toBe("200");
  });

  test("cannot be got around by asking for one name and then for another", async () => {
    const { sidecar, alice } = await startTwo();
    expect((await ask(sidecar, "c.test", { host: "a.test" })).status).toBe("421");
    expect((await ask(sidecar, "c.test", { host: "A.test:8443" })).status).toBe("421");
    expect((await ask(sidecar, undefined, { host: "b.test" })).status).toBe("421");
    expect((await ask(sidecar, "a.test", { cert: alice, host: "b.test" })).status).toBe("421");
    expect((await ask(sidecar, "a.test", { cert: alice, host: "a.test:8443" })).status).toBe("200");
  });

  test.each(["TLSv1.2", "TLSv1.3"] as const)("no session of one name is resumed at another (%s)", async (version) => {
    const { sidecar, alice, bob } = await startTwo();
    const first = await ask(sidecar, "a.test", { cert: alice, version });
    expect(first.status).toBe("200");
    const own = await ask(sidecar, "a.test", { cert: alice, version, session: first.session });
    expect([own.status, own.reused]).toEqual(["200", false]);
    for (const name of ["b.test", "c.test", undefined]) {
      const told = await ask(sidecar, name, { cert: alice, version, session: first.session, host: "b.test" });
      expect.soft([told.status === "200", told.reused], String(name)).toEqual([false, false]);
    }
    expect((await ask(sidecar, "b.test", { cert: bob, version, session: first.session })).status).toBe("200");
  });

  test("change while running: names come and go, and connections go with their CA", async () => {
    const { files, sniDir, sidecar, alice, ofB } = await startTwo();
    const socket = connect({
      port: sidecar.port,
      servername: "a.test",
      rejectUnauthorized: false,
      cert: alice.cert,
      key: alice.key,
    });
    let closed = false;
    socket.on("error", () => undefined).on("close", () => (closed = true));
    await new Promise((resolve) => socket.once("secureConnect", resolve));
    await addName(sniDir, "c.test", files.authority);
    await until(async () => (await ask(sidecar, "c.test")).commonName === "c.test", { timeoutMs: 10_000 });
    expect(closed).toBe(false);
    // Into a folder that has only just come.
    const renewed = await files.authority.issue({ commonName: "again.c.test", dns: ["c.test"] });
    writeFileSync(join(sniDir, "c.test", "tls.key"), renewed.key);
    writeFileSync(join(sniDir, "c.test", "tls.crt"), renewed.cert);
    await until(async () => (await ask(sidecar, "c.test")).commonName === "again.c.test", { timeoutMs: 10_000 });
    writeFileSync(join(sniDir, "a.test", "ca.crt"), ofB.pem);
    await until(() => closed, { timeoutMs: 10_000 });
    expect((await ask(sidecar, "a.test", { cert: alice })).status).toBe("");
  });
});

test("what is wrong in the folder is told, all at once, with the place", async () => {
  const { files, sniDir } = await setUp();
  await addName(sniDir, "a.test", files.authority, { "access.yaml": "clientAuth: require\nallowCm: [x]\n" });
  await addName(sniDir, "b.test", files.authority, { "access.yaml": "allowCn: [x]\n" });
  mkdirSync(join(sniDir, "c.test"));
  const other = await files.authority.issue({ commonName: "e", dns: ["e.test"] });
  writeFileSync(join(sniDir, "d.test.pem"), other.cert + other.key);
  writeFileSync(join(sniDir, "not a host.pem"), other.cert);
  const args = ["--cert", files.cert, "--key", files.key, "--sni-dir", sniDir, "--check-config"];
  const { code, stderr } = await runContainer({ name: "tls-sidecar", args, cleanup });
  expect(code).toBe(2);
  expect(stderr).toContain(`${sniDir}/a.test/access.yaml: allowCm: expected a known key (did you mean allowCn?)`);
  expect(stderr).toContain(
    `${sniDir}/b.test/access.yaml: allowCn: expected --client-auth request or require beside it`,
  );
  expect(stderr).toContain(
    `--sni-dir: expected a readable file with a certificate in PEM, got ${sniDir}/c.test/tls.crt`,
  );
  expect(stderr).toContain(`--sni-dir: expected a certificate for d.test, got ${sniDir}/d.test.pem for DNS:e.test`);
  expect(stderr).toContain(
    `expected entries named as hosts (_. or *. for any one label), got ${sniDir}/not a host.pem`,
  );
});
