// Session tickets and OCSP responses: what is agreed once and shown later.
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

import { requirePrograms, runContainer, startApp, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { createFiles, startSidecar, visit } from "./sidecar.ts";
import type { Files, Sidecar } from "./sidecar.ts";

const run = promisify(execFile);
const openssl = requirePrograms("openssl");
const onBun = process.env["OUTRIGGER_RUNTIME"] === "bun";

async function start(files: Files, args: string[]): Promise<Sidecar> {
  const app = await startApp((_, response) => response.end("hello"), { cleanup });
  return startSidecar({ target: app.address, files, args, cleanup });
}

test("sessions are resumed, also at another worker, and not with --no-session-tickets", async () => {
  const files = await createFiles(cleanup);
  const sidecar = await start(files, onBun ? [] : ["--workers", "3"]);
  const first = await visit(sidecar);
  for (let i = 0; i < 6; i++) expect((await visit(sidecar, { session: first.session })).reused).toBe(true);
  const without = await start(files, ["--no-session-tickets"]);
  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    const { session, admitted } = await visit(without, { version });
    expect([admitted, (await visit(without, { version, session })).reused]).toEqual([true, false]);
  }
});

describe.skipIf(onBun)("with Node.js", () => {
  test("a key from a file lets sessions be resumed at another replica, until it changes", async () => {
    const files = await createFiles(cleanup);
    const path = join(files.folder, "ticket.key");
    writeFileSync(path, randomBytes(48));
    const replicas = [];
    for (let i = 0; i < 2; i++) replicas.push(await start(files, ["--session-ticket-key", path]));
    const [one, two] = replicas as [Sidecar, Sidecar];
    const { session } = await visit(one);
    expect((await visit(two, { session })).reused).toBe(true);
    writeFileSync(path, randomBytes(48));
    await until(async () => !(await visit(two, { session })).reused, { timeoutMs: 10_000 });
  });

  test("a random key is replaced in its time", async () => {
    const files = await createFiles(cleanup);
    const sidecar = await start(files, ["--session-ticket-lifetime", "1s"]);
    const { session } = await visit(sidecar);
    await sidecar.waitForLog("session ticket key replaced");
    expect((await visit(sidecar, { session })).reused).toBe(false);
  });

  test.skipIf(openssl.skip)(
    "an OCSP response is given to clients that ask, and is read again when it changes",
    async () => {
      const files = await createFiles(cleanup);
      const path = join(files.folder, "ocsp.der");
      // A response without content, "try later": whether it is good is for clients to judge.
      writeFileSync(path, Buffer.from("30030a0103", "hex"));
      const sidecar = await start(files, ["--ocsp-staple", path]);
      const status = async (): Promise<string> => {
        const args = ["s_client", "-connect", `127.0.0.1:${sidecar.port}`, "-servername", "localhost", "-status"];
        const client = run(openssl.path("openssl"), args);
        client.child.stdin!.end();
        return (await client).stdout;
      };
      expect(await status()).toContain("OCSP Response Status: trylater (0x3)");
      writeFileSync(path, Buffer.from("30030a0106", "hex"));
      await until(async () => (await status()).includes("OCSP Response Status: unauthorized (0x6)"), {
        timeoutMs: 10_000,
      });
    },
  );
});

test("what this runtime cannot do, or what does not go together, is refused", async () => {
  const files = await createFiles(cleanup);
  const key = join(files.folder, "short.key");
  writeFileSync(key, "short");
  const base = ["--cert", files.cert, "--key", files.key, "--check-config"];
  const check = async (...args: string[]) => runContainer({ name: "tls-sidecar", args: [...base, ...args], cleanup });
  const short = await check("--session-ticket-key", key, "--ocsp-staple", "/nowhere");
  expect(short.code).toBe(2);
  expect(short.stderr).toContain(`--session-ticket-key: expected a file with 48 random bytes, got ${key} with 5`);
  expect(short.stderr).toContain("--ocsp-staple: expected a readable OCSP response, got /nowhere (ENOENT)");
  if (onBun) expect(short.stderr).toContain("--ocsp-staple: expected Node.js, whose TLS can do that, got bun");
  const none = await check("--session-ticket-key", key, "--no-session-tickets", "--strict-sni");
  expect(none.stderr).toContain("--session-ticket-key: expected sessions to be resumed, got --no-session-tickets");
  expect(none.stderr).toContain("--strict-sni: expected --sni-dir beside it, got none");
});
