// The application behind the sidecar is down, slow, or not HTTP.
import { rawExchange, startApp, startRawServer, until } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { clientOptions, startSidecar, visit } from "./sidecar.ts";

test("an application that is down is 502 and not ready; back again, it is ready by itself", async () => {
  const app = await startApp((_, response) => response.end("hello"), { cleanup });
  const sidecar = await startSidecar({ target: app.address, cleanup });
  await app.close();
  const { text } = await visit(sidecar);
  expect(text).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/);
  expect(text).toContain("502 connect_refused: the application does not accept connections\n");
  await until(async () => (await sidecar.admin("/readyz")).status === 503);
  const { body } = await sidecar.admin("/readyz");
  expect(JSON.parse(body)).toMatchObject({
    conditions: expect.arrayContaining([
      { name: "target", ok: false, reason: expect.stringContaining("ECONNREFUSED") },
    ]),
  });
  const metrics = await sidecar.metrics();
  expect(metrics.value("tls_sidecar_target_errors_total", { reason: "connect_refused" })).toBe(1);
  expect(metrics.value("tls_sidecar_target_up")).toBe(0);
  await startApp((_, response) => response.end("back"), { cleanup, port: app.port });
  await until(async () => (await sidecar.admin("/readyz")).status === 200);
  expect((await visit(sidecar)).text).toContain("back");
});

test("the sidecar may start before the application", async () => {
  const app = await startApp((_, response) => response.end("hello"));
  await app.close();
  const sidecar = await startSidecar({ target: app.address, cleanup, ready: false });
  expect((await sidecar.admin("/readyz")).status).toBe(503);
  expect((await sidecar.admin("/livez")).status).toBe(200);
});

test("--target-status asks the application itself", async () => {
  let status = 500;
  const app = await startApp((_, response) => response.writeHead(status).end(), { cleanup });
  const sidecar = await startSidecar({
    target: app.address,
    args: ["--target-status", "/ping"],
    cleanup,
    ready: false,
  });
  await sidecar.waitForLog((record) => String(record["reason"]).includes("/ping answered 500"));
  expect((await sidecar.admin("/readyz")).status).toBe(503);
  status = 204;
  await until(async () => (await sidecar.admin("/readyz")).status === 200);
});

test("an application that does not answer in time is 504", async () => {
  const app = await startApp(() => undefined, { cleanup });
  const sidecar = await startSidecar({ target: app.address, args: ["--response-timeout", "200ms"], cleanup });
  expect((await visit(sidecar)).text).toMatch(/^HTTP\/1\.1 504 [^]*response_timeout/);
});

test("an application that does not speak HTTP is 502", async () => {
  const app = await startRawServer((socket) => socket.on("data", () => socket.end("SSH-2.0-OpenSSH_9.2\r\n")), {
    cleanup,
  });
  const sidecar = await startSidecar({ target: app.address, cleanup });
  expect((await visit(sidecar)).text).toMatch(/^HTTP\/1\.1 502 [^]*bad_response/);
});

test("a target that is not on this machine is refused, unless one insists", async () => {
  const sidecar = await startSidecar({
    target: "not-here.invalid:80",
    args: ["--unsafe-target"],
    cleanup,
    ready: false,
  });
  expect(await sidecar.waitForLog("plain text leaves the pod")).toMatchObject({
    target: "not-here.invalid:80",
    level: "warn",
  });
});

test("an answer that breaks off is seen as broken off", async () => {
  const app = await startRawServer(
    (socket) => socket.on("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")),
    { cleanup },
  );
  const sidecar = await startSidecar({ target: app.address, cleanup });
  const send = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const { text } = await rawExchange({ port: sidecar.port, tls: clientOptions(sidecar), send });
  expect(text).toMatch(/only this$/);
  const metrics = await sidecar.metrics();
  expect(metrics.value("tls_sidecar_responses_incomplete_total")).toBe(1);
  expect(metrics.value("tls_sidecar_target_errors_total", { reason: "truncated" })).toBe(1);
});
