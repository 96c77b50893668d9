// Wrong options and files: all of them at once, each with what was expected, and nothing started.
import { writeFileSync } from "node:fs";

import { runContainer } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { createFiles, startSidecar, visit } from "./sidecar.ts";

const run = (args: string[], env: Record<string, string> = {}) =>
  runContainer({ name: "tls-sidecar", args, env, cleanup });

test("a missing certificate ends with status 2 and names the file and what was expected", async () => {
  const { code, stderr, stdout } = await run(["--cert", "/not/there.crt", "--key", "/not/there.key"]);
  expect(code).toBe(2);
  expect(stdout).toBe("");
  expect(stderr.trim().split("\n")).toEqual([
    "tls-sidecar: --cert: expected a readable file with a certificate in PEM, got /not/there.crt (ENOENT)",
    "tls-sidecar: --key: expected a readable file with a private key in PEM, got /not/there.key (ENOENT)",
  ]);
});

test("options that need or exclude each other are told together", async () => {
  const { cert, key, ca } = await createFiles(cleanup);
  const files = ["--cert", cert, "--key", key];
  const { code, stderr } = await run([
    ...files,
    "--target",
    "10.0.0.1:80",
    "--client-auth",
    "require",
    "--listen",
    "unix:/tmp/x",
    "--workers",
    "2",
  ]);
  expect(code).toBe(2);
  expect(stderr.trim().split("\n")).toEqual([
    "tls-sidecar: --target: expected loopback or unix:/path (or --unsafe-target), got 10.0.0.1:80",
    "tls-sidecar: --workers: expected 1 with a Unix socket to listen on, got 2",
    "tls-sidecar: --client-ca: expected a path with --client-auth require, got nothing",
    "tls-sidecar: --client-auth: expected an --allow-... list or --allow-all beside require, got none",
  ]);
  const lists = await run([
    ...files,
    "--allow-cn",
    "web",
    "--trusted-proxies",
    "10.0.0.0/99",
    "--allow-uri",
    "spiffe://a*b",
  ]);
  expect(lists.stderr.trim().split("\n")).toEqual([
    "tls-sidecar: --allow-cn: expected --client-auth request or require beside it, got none",
    "tls-sidecar: --allow-uri: expected --client-auth request or require beside it, got none",
    "tls-sidecar: --allow-uri: expected a URI, where * stands for one segment and ** at the end for the rest, got spiffe://a*b",
    "tls-sidecar: --trusted-proxies: expected an IP address or a CIDR block, got 10.0.0.0/99",
  ]);
  const both = await run([...files, "--client-auth", "require", "--client-ca", ca, "--allow-all", "--allow-ou", "x"]);
  expect(both.stderr).toBe(
    "tls-sidecar: --allow-all: expected to be the only one of --allow-..., got --allow-ou as well\n",
  );
});

test("a time-out of 0 is neither at once nor never: it is refused", async () => {
  const { cert, key } = await createFiles(cleanup);
  const { code, stderr } = await run(["--cert", cert, "--key", key, "--header-timeout", "0", "--idle-timeout", "0ms"]);
  expect(code).toBe(2);
  const form = "a duration above 0, such as 500ms, 10s, 5m or 1h (a bare number is seconds)";
  expect(stderr).toBe(
    `tls-sidecar: --header-timeout: expected ${form}, got 0\ntls-sidecar: --idle-timeout: expected ${form}, got 0ms\n`,
  );
});

test("ciphers and curves that do not exist are refused", async () => {
  const { cert, key } = await createFiles(cleanup);
  for (const wrong of [
    ["--ciphers", "NOPE"],
    ["--curves", "NOPE"],
  ]) {
    const { code, stderr } = await run(["--cert", cert, "--key", key, ...wrong]);
    expect.soft(code).toBe(2);
    expect.soft(stderr).toMatch(new RegExp(`^tls-sidecar: TLS: expected usable settings, got ${wrong.join(" ")} \\(`));
  }
});

test("the names of the book and of ghostunnel are understood, and the prefixed variable wins", async () => {
  const { cert, key, ca } = await createFiles(cleanup);
  const env = { PROXY_PORT: "8080", CERTIFICATE_PATH: cert, KEY_PATH: key, CACERT_PATH: ca };
  const { stdout, code } = await run(["--print-config"], env);
  expect(code).toBe(0);
  expect(stdout).toContain("target: 127.0.0.1:8080 # variable PROXY_PORT");
  expect(stdout).toContain(`cert: ${cert} # variable CERTIFICATE_PATH`);
  expect(stdout).toContain(`clientCa: ${ca} # variable CACERT_PATH`);
  const preferred = await run(["--print-config"], { ...env, TLS_SIDECAR_TARGET: "127.0.0.1:9090" });
  expect(preferred.stdout).toContain("target: 127.0.0.1:9090 # variable TLS_SIDECAR_TARGET");
  // A Service named `proxy` makes Kubernetes set this; it is not meant for us.
  const injected = await run(["--print-config"], { ...env, PROXY_PORT: "tcp://10.96.0.7:80" });
  expect(injected.stdout).toContain("target: 127.0.0.1:8000 # default");
});

test("no secret of a key file shows in any output", async () => {
  const files = await createFiles(cleanup);
  const secret = "c2VjcmV0LWtleS1tYXRlcmlhbA==";
  writeFileSync(files.key, `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----\n`);
  const { stderr, stdout, code } = await run(["--cert", files.cert, "--key", files.key]);
  expect(code).toBe(2);
  expect(stderr + stdout).not.toContain(secret);
});

test("--workers serves on threads, and a scrape adds up what they counted", async () => {
  const { startApp } = await import("@outrigger/testing");
  const app = await startApp((_, response) => response.end("hello"), { cleanup });
  const sidecar = await startSidecar({ target: app.address, args: ["--workers", "3"], cleanup });
  const visits = await Promise.all(Array.from({ length: 30 }, () => visit(sidecar)));
  expect(visits.every(({ admitted }) => admitted)).toBe(true);
  expect((await sidecar.metrics()).value("tls_sidecar_requests_total", { status: "2xx" })).toBe(30);
  await sidecar.files.renew();
  await sidecar.admin("/api/v1/reload", { method: "POST" });
  const serials = await Promise.all(Array.from({ length: 30 }, async () => (await visit(sidecar)).serial));
  expect(new Set(serials).size).toBe(1);
  expect(await sidecar.stop()).toEqual({ code: 0, signal: null });
});
