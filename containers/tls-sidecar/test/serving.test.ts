// The main job: clients of all kinds reach a plain application over TLS.
import { execFile } from "node:child_process";
import { request as httpsRequest } from "node:https";
import { promisify } from "node:util";

import { rawExchange, requirePrograms, startApp, startRawServer } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";

import { clientOptions, startSidecar } from "./sidecar.ts";

const run = promisify(execFile);
const curl = requirePrograms("curl");
const openssl = requirePrograms("openssl");

describe.skipIf(curl.skip)(curl.title("curl"), () => {
  test("gets a page and posts a body over HTTPS", async () => {
    const app = await startApp((request, response) => request.pipe(response), { cleanup });
    const sidecar = await startSidecar({ target: app.address, cleanup });
    const url = `https://localhost:${sidecar.port}/`;
    const { stdout } = await run(curl.path("curl"), ["-sS", "--cacert", sidecar.files.ca, "--data", "hello", url]);
    expect(stdout).toBe("hello");
  });
});

describe.skipIf(openssl.skip)(openssl.title("openssl s_client"), () => {
  test.each(["-tls1_2", "-tls1_3"])("shakes hands with %s", async (version) => {
    const app = await startApp((_, response) => response.end("hello"), { cleanup });
    const sidecar = await startSidecar({ target: app.address, cleanup });
    const client = run(openssl.path("openssl"), [
      "s_client",
      "-connect",
      `127.0.0.1:${sidecar.port}`,
      "-servername",
      "localhost",
      "-verify_return_error",
      "-CAfile",
      sidecar.files.ca,
      "-ign_eof",
      version,
    ]);
    client.child.stdin!.end("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    const { stdout } = await client;
    expect(stdout).toContain("Verify return code: 0 (ok)");
    expect(stdout).toMatch(/HTTP\/1\.1 200 OK[^]*hello/);
  });

  test("versions before the lowest allowed are refused and counted", async () => {
    const app = await startApp((_, response) => response.end("hello"), { cleanup });
    const sidecar = await startSidecar({ target: app.address, args: ["--min-version", "1.3"], cleanup });
    const client = run(openssl.path("openssl"), ["s_client", "-connect", `127.0.0.1:${sidecar.port}`, "-tls1_2"]);
    await expect(client).rejects.toThrow("alert protocol version");
    const metrics = await sidecar.metrics();
    expect(metrics.value("tls_sidecar_handshake_failures_total", { reason: "no_shared_version" })).toBe(1);
  });
});

test("a Node client keeps its connection for many requests", async () => {
  const app = await startApp((request, response) => response.end(`you asked for ${request.url}`), { cleanup });
  const sidecar = await startSidecar({ target: app.address, cleanup });
  const get = (path: string): Promise<{ text: string; reused: boolean }> =>
    new Promise((resolve, reject) => {
      const request = httpsRequest({ port: sidecar.port, path, agent, ...clientOptions(sidecar) }, async (response) => {
        let text = "";
        for await (const bytes of response) text += String(bytes);
        resolve({ text, reused: request.reusedSocket });
      });
      request.on("error", reject).end();
    });
  const { Agent } = await import("node:https");
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  cleanup(() => agent.destroy());
  const answers = [];
  for (const path of ["/a", "/b", "/c"]) answers.push(await get(path));
  expect(answers.map(({ text }) => text)).toEqual(["you asked for /a", "you asked for /b", "you asked for /c"]);
  expect(answers.map(({ reused }) => reused)).toEqual([false, true, true]);
  const metrics = await sidecar.metrics();
  expect(metrics.value("tls_sidecar_handshakes_total", { version: "TLSv1.3" })).toBe(1);
  expect(metrics.value("tls_sidecar_requests_total", { status: "2xx" })).toBe(3);
  expect(metrics.value("tls_sidecar_request_duration_seconds_count")).toBe(3);
});

test("a WebSocket client talks through the sidecar", async () => {
  const app = await startApp((_, response) => response.end(), { cleanup });
  const sockets = new WebSocketServer({ server: app.server });
  sockets.on("connection", (socket) => socket.on("message", (text) => socket.send(`echo ${String(text)}`)));
  const sidecar = await startSidecar({ target: app.address, cleanup });
  const socket = new WebSocket(`wss://localhost:${sidecar.port}/chat`, clientOptions(sidecar));
  cleanup(() => socket.terminate());
  const answer = await new Promise((resolve, reject) => {
    socket.on("open", () => socket.send("hello"));
    socket.on("message", (text) => resolve(String(text)));
    socket.on("error", reject);
  });
  expect(answer).toBe("echo hello");
  expect((await sidecar.metrics()).value("tls_sidecar_requests_total", { status: "1xx" })).toBe(1);
});

test("a large body goes both ways unchanged", async () => {
  const app = await startApp((request, response) => request.pipe(response), { cleanup });
  const sidecar = await startSidecar({ target: app.address, cleanup });
  const body = Buffer.alloc(8 * 1024 * 1024, "0123456789abcdef").toString("latin1");
  const head = `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
  const { text } = await rawExchange({
    port: sidecar.port,
    tls: clientOptions(sidecar),
    send: head + body,
    timeoutMs: 20_000,
  });
  expect(text.startsWith("HTTP/1.1 200 OK")).toBe(true);
  expect((await sidecar.metrics()).value("tls_sidecar_received_bytes_total")).toBe(head.length + body.length);
});

test("the application on a Unix socket is reached", async () => {
  const app = await startApp((_, response) => response.end("from a socket"), {
    cleanup,
    path: `${(await import("@outrigger/testing")).tempDir(cleanup)}/app.sock`,
  });
  const sidecar = await startSidecar({ target: app.address, cleanup });
  const get = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  const { text } = await rawExchange({ port: sidecar.port, tls: clientOptions(sidecar), send: get });
  expect(text).toContain("from a socket");
});

test("what a client says of itself does not reach the application", async () => {
  const seen: string[] = [];
  const app = await startRawServer(
    (socket) =>
      socket.on("data", (bytes) => {
        seen.push(String(bytes));
        socket.end("HTTP/1.1 204 No Content\r\n\r\n");
      }),
    { cleanup },
  );
  const sidecar = await startSidecar({ target: app.address, cleanup });
  const spoofed = [
    "X-Forwarded-For: 9.9.9.9",
    "x_forwarded_for: 9.9.9.9",
    "X-Real-IP: 9.9.9.9",
    "X.Real.IP: 9.9.9.9",
    "Forwarded: for=9.9.9.9",
    "X-Forwarded-Proto: http",
    "Connection: close, X-Forwarded-For",
  ];
  const send = `GET /x HTTP/1.1\r\nHost: localhost\r\n${spoofed.join("\r\n")}\r\n\r\n`;
  await rawExchange({ port: sidecar.port, tls: clientOptions(sidecar), send });
  const head = seen.find((text) => text.startsWith("GET /x"))!;
  expect(head.split("\r\n").slice(1, -2)).toEqual([
    "Host: localhost",
    "X-Forwarded-For: 127.0.0.1",
    "X-Real-IP: 127.0.0.1",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Host: localhost",
    `X-Forwarded-Port: ${sidecar.port}`,
    'Forwarded: for=127.0.0.1;proto=https;host="localhost"',
  ]);
});

test("the word of a trusted proxy is kept and added to", async () => {
  const app = await startApp((request, response) => response.end(JSON.stringify(request.headers)), { cleanup });
  const sidecar = await startSidecar({
    target: app.address,
    args: ["--trusted-proxies", "127.0.0.0/8,10.0.0.0/8"],
    cleanup,
  });
  const send =
    "GET / HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 6.6.6.6, 198.51.100.7, 10.1.1.1\r\nX-Forwarded-Proto: http\r\nConnection: close\r\n\r\n";
  const { text } = await rawExchange({ port: sidecar.port, tls: clientOptions(sidecar), send });
  const fields = JSON.parse(text.slice(text.indexOf("\r\n\r\n"))) as Record<string, string>;
  expect(fields).toMatchObject({
    "x-forwarded-for": "6.6.6.6, 198.51.100.7, 10.1.1.1, 127.0.0.1",
    "x-real-ip": "198.51.100.7",
    "x-forwarded-proto": "http",
  });
});
