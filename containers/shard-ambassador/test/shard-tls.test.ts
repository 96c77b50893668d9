import { writeFileSync } from "node:fs";
// TLS to the shards: verified on both sides, and with certificates that change while it runs.
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import type { Cleanup, Program } from "@outrigger/testing";
import { createCertificateAuthority, freePort, runContainer, startProgram, tempDir, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { createClient, startAmbassador } from "./ambassador.ts";
import { redisServer } from "./programs.ts";

const root = await createCertificateAuthority();
const stranger = await createCertificateAuthority({ name: "Somebody else" });

/** Files of a certificate and its key, and of an authority. */
async function write(folder: string, name: string, authority = root) {
  const { cert, key } = await authority.issue({ commonName: name, dns: [`${name}.shards`], ips: ["127.0.0.1"] });
  const files = { cert: join(folder, `${name}.crt`), key: join(folder, `${name}.key`), ca: join(folder, "ca.crt") };
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key);
  writeFileSync(files.ca, root.pem);
  return files;
}

/** A redis-server that speaks TLS alone, and wants to know who its clients are. */
async function startTlsRedis(undo: Cleanup): Promise<Program> {
  const folder = tempDir(undo);
  const { cert, key, ca } = await write(folder, "redis");
  const port = await freePort();
  const flags = {
    port: "0",
    "tls-port": String(port),
    bind: "127.0.0.1",
    save: "",
    dir: folder,
    "tls-cert-file": cert,
    "tls-key-file": key,
    "tls-ca-cert-file": ca,
    "tls-auth-clients": "yes",
  };
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
  return startProgram(redisServer.path("redis-server"), args, { port, cleanup: undo });
}

describe.skipIf(redisServer.skip)(redisServer.title("with --shard-tls"), () => {
  test("shards are spoken to by mutual TLS, and a client's own connection is none the wiser", async () => {
    const shards = await Promise.all([0, 1].map(async () => startTlsRedis(cleanup)));
    const { ca, cert, key } = await write(tempDir(cleanup), "ambassador");
    const args = ["--shard-tls", "--shard-ca", ca, "--shard-cert", cert, "--shard-key", key];
    const ambassador = await startAmbassador(shards, { args, cleanup });
    const client = createClient(ambassador.port, cleanup);
    const keys = Array.from({ length: 200 }, (_, i) => `key:${i}`);
    await Promise.all(keys.map(async (one) => client.set(one, "x".repeat(20_000))));
    expect((await client.mget(...keys)).every((value) => value?.length === 20_000)).toBe(true);
    expect(await client.multi().set("{a}", "1").get("{a}").exec()).toEqual([
      [null, "OK"],
      [null, "1"],
    ]);
  });

  test("a shard with a certificate of somebody else, or for another name, is down, and why is told", async () => {
    const shard = await startTlsRedis(cleanup);
    const folder = tempDir(cleanup);
    const { ca, cert, key } = await write(folder, "ambassador");
    const other = join(folder, "other.crt");
    writeFileSync(other, stranger.pem);
    const own = ["--shard-tls", "--shard-cert", cert, "--shard-key", key];
    const reasonWith = async (...args: string[]): Promise<string> => {
      const ambassador = await startAmbassador([shard], { args: [...own, ...args], cleanup, ready: false });
      return String((await ambassador.waitForLog("shard is down"))["reason"]);
    };
    expect(await reasonWith("--shard-ca", other)).toMatch(/cannot be reached \(.*(SELF_SIGNED|UNABLE_TO)/);
    expect(await reasonWith("--shard-ca", ca, "--shard-server-name", "else.where")).toMatch(
      /cannot be reached \(ERR_TLS_CERT/,
    );
    const named = await startAmbassador([shard], {
      args: [...own, "--shard-ca", ca, "--shard-server-name", "redis.shards"],
      cleanup,
    });
    expect(await createClient(named.port, cleanup).set("a", "1")).toBe("OK");
  });

  test("certificates that are replaced are used for new connections, and unusable ones are refused", async () => {
    const shard = await startTlsRedis(cleanup);
    const folder = tempDir(cleanup);
    const { ca, cert, key } = await write(folder, "ambassador", stranger);
    const args = ["--shard-tls", "--shard-ca", ca, "--shard-cert", cert, "--shard-key", key];
    const ambassador = await startAmbassador([shard], { args, cleanup, ready: false });
    await ambassador.waitForLog("started");
    writeFileSync(cert, "-----BEGIN nothing");
    await ambassador.waitForLog("reload refused");
    await write(folder, "ambassador");
    await ambassador.waitForLog("certificates for connections to shards changed");
    await until(async () => (await ambassador.admin("/readyz")).status === 200);
    expect(await createClient(ambassador.port, cleanup).set("a", "1")).toBe("OK");
  });
});

test("shards that speak HTTP are asked by TLS, too", async () => {
  const { cert, key } = await root.issue({ dns: ["web.shards"] });
  const server = createServer({ cert, key, ca: root.pem, requestCert: true }, ({ url }, response) =>
    response.end(`served ${url}`),
  );
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  cleanup(() => {
    server.close();
    server.closeAllConnections();
  });
  const files = await write(tempDir(cleanup), "ambassador");
  const tls = ["--shard-tls", "--shard-ca", files.ca, "--shard-cert", files.cert, "--shard-key", files.key];
  const args = ["--protocol", "http", ...tls, "--shard-server-name", "web.shards"];
  const shard = { port: (server.address() as AddressInfo).port };
  const ambassador = await startAmbassador([shard], { args, listener: "http", cleanup });
  const asked = await Promise.all(
    Array.from({ length: 20 }, async (_, i) => (await fetch(`http://127.0.0.1:${ambassador.port}/${i}`)).text()),
  );
  expect(asked).toEqual(Array.from({ length: 20 }, (_, i) => `served /${i}`));
});

test("what does not fit is told before anything starts", async () => {
  const { cert, ca } = await write(tempDir(cleanup), "ambassador");
  const told = async (...args: string[]): Promise<string> =>
    (await runContainer({ name: "shard-ambassador", args: ["--shards", "a:1", ...args], cleanup })).stderr;
  expect(await told("--shard-ca", ca)).toContain("--shard-ca: expected --shard-tls beside it, got nothing");
  expect(await told("--shard-tls", "--shard-cert", cert)).toContain("expected it and --shard-key together");
  expect(await told("--shard-tls", "--shard-ca", "/no/such")).toContain(
    "expected a readable file, got /no/such (ENOENT)",
  );
  expect(await told("--shard-tls", "--shard-server-name", "1.2.3.4")).toContain("expected a host name, got 1.2.3.4");
});
