// Rules by route, and the command that says what they come to.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { IssuedCertificate } from "@outrigger/testing";
import { createCertificateAuthority, runContainer, startApp, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { createFiles, startSidecar, visit } from "./sidecar.ts";

const RULES = `
clientAuth: request
rules:
  - path: /admin
    methods: [GET]
    allow: { cn: [root] }
  - path: /admin
    allow: nobody
  - path: /mine
    allow: certificate
`;

async function setUp() {
  const files = await createFiles(cleanup);
  const config = join(files.folder, "config.yaml");
  writeFileSync(config, RULES);
  const root = await files.authority.issue({ commonName: "root" });
  const web = await files.authority.issue({ commonName: "web" });
  return { files, config, root, web, args: ["--config", config, "--client-ca", files.ca] };
}

test("who may send what is decided request by request, and may change while running", async () => {
  const { files, config, root, web, args } = await setUp();
  const app = await startApp((request, response) => response.end(request.url), { cleanup });
  const sidecar = await startSidecar({ target: app.address, files, args, cleanup });
  const status = async (path: string, cert?: IssuedCertificate): Promise<string> =>
    (await visit(sidecar, { cert }, path)).text.split(" ")[1] ?? "";
  expect(await status("/admin/x", root)).toBe("200");
  expect(await status("/admin/x", web)).toBe("403");
  expect(await status("/admin/x")).toBe("403");
  expect(await status("/%61dmin/x", web)).toBe("403");
  expect(await status("/admin%2fx", root)).toBe("400");
  expect(await status("/mine", web)).toBe("200");
  expect(await status("/mine")).toBe("403");
  expect(await status("/open")).toBe("200");
  const metrics = await sidecar.metrics();
  expect(metrics.value("tls_sidecar_requests_refused_total", { reason: "forbidden" })).toBe(4);
  writeFileSync(config, RULES.replace("cn: [root]", "cn: [web]"));
  await until(async () => (await status("/admin/x", web)) === "200", { timeoutMs: 10_000 });
  expect(await status("/admin/x", root)).toBe("403");
});

describe("explain", () => {
  const explain = async (args: string[]) => runContainer({ name: "tls-sidecar", args: ["explain", ...args], cleanup });

  test("says what would happen to a client and its request, and why", async () => {
    const { files, root, web, args } = await setUp();
    const [rootFile, webFile] = [join(files.folder, "root.crt"), join(files.folder, "web.crt")];
    writeFileSync(rootFile, root.cert);
    writeFileSync(webFile, web.cert);
    const base = ["--cert", files.cert, "--key", files.key, ...args];
    const good = await explain([...base, "--client-cert", rootFile, "--sni", "localhost", "--path", "/admin/x"]);
    expect(good).toMatchObject({ code: 0, stderr: "" });
    expect(good.stdout).toMatch(
      /^name {5}yes {2}localhost gets the certificate for all others, CN=localhost, valid until /,
    );
    expect(good.stdout).toContain("issuer   yes  CN=root descends from the client CA");
    expect(good.stdout).toContain("request  yes  GET /admin/x: rule 1: allowCn root\npassed on to the application\n");
    const bad = await explain([...base, "--client-cert", webFile, "--path", "/admin/x"]);
    expect(bad.code).toBe(1);
    expect(bad.stdout).toContain("request  no   GET /admin/x: rule 1: it allows others\nrefused\n");
    expect((await explain([...base, "--path", "/mine"])).stdout).toContain(
      "rule 3: it allows any certificate\nrefused",
    );
  });

  test("goes by the rules of the name, and tells a foreign or unlisted certificate", async () => {
    const files = await createFiles(cleanup);
    const sniDir = join(files.folder, "names");
    const folder = join(sniDir, "a.test");
    mkdirSync(folder, { recursive: true });
    const issued = await files.authority.issue({ commonName: "a.test", dns: ["a.test"] });
    const contents = { "tls.crt": issued.cert, "tls.key": issued.key, "ca.crt": files.authority.pem };
    for (const [file, text] of Object.entries({
      ...contents,
      "access.yaml": "clientAuth: require\nallowCn: [web]\n",
    })) {
      writeFileSync(join(folder, file), text);
    }
    const client = join(files.folder, "client.crt");
    const base = ["--cert", files.cert, "--key", files.key, "--sni-dir", sniDir, "--client-cert", client, "--sni"];
    writeFileSync(client, (await files.authority.issue({ commonName: "web" })).cert);
    expect(await explain([...base, "a.test"])).toMatchObject({ code: 0 });
    expect((await explain([...base, "b.test", "--strict-sni"])).stdout).toContain(
      "b.test is not served, with --strict-sni",
    );
    writeFileSync(client, (await files.authority.issue({ commonName: "other", organizationalUnits: ["shop"] })).cert);
    const unlisted = await explain([...base, "a.test"]);
    expect([unlisted.code, unlisted.stdout]).toEqual([
      1,
      expect.stringContaining("no list allows it: cn other; ou shop; spki"),
    ]);
    writeFileSync(client, (await (await createCertificateAuthority()).issue({ commonName: "web" })).cert);
    expect((await explain([...base, "a.test"])).stdout).toContain("does not descend from the client CA");
    writeFileSync(client, "nothing");
    const unreadable = await explain([...base, "a.test"]);
    expect(unreadable.stderr).toBe(
      `tls-sidecar explain: --client-cert: expected a certificate in PEM, got ${client} (no certificate in it)\n`,
    );
  });
});

test("rules that cannot work are refused, all at once", async () => {
  const files = await createFiles(cleanup);
  const config = join(files.folder, "config.yaml");
  writeFileSync(config, "rules:\n  - path: admin\n    allow: nobody\n  - path: /x\n    allow: { ip: [1.2.3] }\n");
  const base = ["--cert", files.cert, "--key", files.key, "--config", config, "--check-config"];
  const check = async () => (await runContainer({ name: "tls-sidecar", args: base, cleanup })).stderr;
  expect(await check()).toContain("rules[0].path: expected a path that begins with /, got admin");
  writeFileSync(config, "rules:\n  - path: /x\n    allow: { ip: [1.2.3] }\n");
  expect(await check()).toContain("rules[0]: allowIp: expected an IP address, got 1.2.3");
  writeFileSync(config, "rules:\n  - path: /x\n    allow: certificate\n");
  expect(await check()).toContain(
    "rules: expected --client-auth request or require beside rules for certificates, got none",
  );
});
