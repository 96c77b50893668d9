import { once } from "node:events";
// Clients that come by plain HTTP are sent on to HTTPS.
import { connect } from "node:net";

import { rawExchange, runContainer, startApp } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { createFiles, startSidecar } from "./sidecar.ts";
import type { Sidecar } from "./sidecar.ts";

async function start(args: string[] = []): Promise<{ sidecar: Sidecar; port: number }> {
  const app = await startApp((_, response) => response.end("hello"), { cleanup });
  const listen = ["--redirect-listen", "127.0.0.1:0"];
  const sidecar = await startSidecar({ target: app.address, args: [...listen, ...args], cleanup });
  return { sidecar, port: Number((await sidecar.address("redirect")).split(":").at(-1)) };
}

const ask = async (port: number, send: string): Promise<string> => (await rawExchange({ port, send })).text;
const CLOSE = "Connection: close\r\n\r\n";

test.each([
  ["GET /a?b=c HTTP/1.1\r\nHost: www.example\r\n", "https://www.example:PORT/a?b=c"],
  ["GET / HTTP/1.1\r\nHost: www.example:8080\r\n", "https://www.example:PORT/"],
  ["GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n", "https://[2001:db8::1]:PORT/"],
  ["GET / HTTP/1.0\r\nHost: old.example\r\n", "https://old.example:PORT/"],
  ["GET http://www.example/x HTTP/1.1\r\nHost: www.example\r\n", "https://www.example:PORT/x"],
  ["OPTIONS * HTTP/1.1\r\nHost: www.example\r\n", "https://www.example:PORT"],
])("%j is sent to %s", async (head, url) => {
  const { sidecar, port } = await start();
  const text = await ask(port, head + CLOSE);
  expect(text).toMatch(/^HTTP\/1\.1 308 Permanent Redirect\r\n/);
  expect(/\r\nLocation: (.*)\r\n/.exec(text)![1]).toBe(url.replace("PORT", String(sidecar.port)));
});

test("--redirect-port is the port of the URLs, and 443 is not written", async () => {
  const [https, other] = await Promise.all(["443", "444"].map((port) => start(["--redirect-port", port])));
  const head = `GET /a HTTP/1.1\r\nHost: www.example:80\r\n${CLOSE}`;
  expect(await ask(https!.port, head)).toContain("\r\nLocation: https://www.example/a\r\n");
  expect(await ask(other!.port, head)).toContain("\r\nLocation: https://www.example:444/a\r\n");
});

test("a connection is kept for the next request, but not behind a body that nobody reads", async () => {
  const { sidecar, port } = await start(["--hsts", "1d"]);
  const get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
  const post = "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nhalf";
  const text = await ask(port, get + get + post + get);
  expect(text.match(/HTTP\/1\.1 308 /g)).toHaveLength(3);
  expect(text.match(/Connection: close/g)).toHaveLength(1);
  // Which browsers ignore on plain HTTP, and RFC 6797 forbids there.
  expect(text).not.toContain("Strict-Transport-Security");
  expect((await sidecar.metrics()).value("tls_sidecar_redirects_total", { outcome: "redirected" })).toBe(3);
});

test.each([
  ["no host", "GET / HTTP/1.0\r\n\r\n", /^HTTP\/1\.1 400 [^]*no_host/],
  ["a line end in the target", "GET /\r\nSet-Cookie: a=b HTTP/1.1\r\nHost: a\r\n\r\n", /^HTTP\/1\.1 400 /],
  ["a bad host", 'GET / HTTP/1.1\r\nHost: a"b\r\n\r\n', /^HTTP\/1\.1 400 [^]*bad_host/],
  ["a huge header", `GET / HTTP/1.1\r\nHost: a\r\nX: ${"y".repeat(20_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
  ["TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", /^HTTP\/1\.1 400 /],
])("a request with %s is refused and counted", async (_, send, answer) => {
  const { sidecar, port } = await start();
  expect(await ask(port, send)).toMatch(answer);
  const metrics = await sidecar.metrics();
  expect(metrics.value("tls_sidecar_redirects_total", { outcome: "refused" })).toBe(1);
  expect(metrics.value("tls_sidecar_redirects_total", { outcome: "redirected" })).toBe(0);
});

test("half a request is cut off in time, and too many connections are closed at once", async () => {
  const { sidecar, port } = await start(["--header-timeout", "300ms", "--max-connections", "1"]);
  const half = rawExchange({ port, send: "GET / HTTP/1.1\r\nHo" });
  const second = connect(port, "127.0.0.1");
  cleanup(() => void second.destroy());
  await once(second.on("error", () => undefined).resume(), "close");
  expect((await sidecar.metrics()).value("tls_sidecar_connections_refused_total", { reason: "too_many" })).toBe(1);
  expect((await half).text).toMatch(/^HTTP\/1\.1 408 /);
});

test("SIGTERM ends it in order, and idle connections do not hold that up", async () => {
  const { sidecar, port } = await start();
  const idle = connect(port, "127.0.0.1");
  await rawExchange({ socket: idle, send: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", until: /HTTPS\n$/ });
  const closed = once(idle.resume(), "close");
  expect(await sidecar.stop({ timeoutMs: 5000 })).toEqual({ code: 0, signal: null });
  await closed;
});

test("a taken address and a port without a listener are told by flag", async () => {
  const { port } = await start();
  const taken = startSidecar({ target: "127.0.0.1:1", args: ["--redirect-listen", `127.0.0.1:${port}`], cleanup });
  await expect(taken).rejects.toThrow("--redirect-listen: expected a free address");
  const { cert, key } = await createFiles(cleanup);
  const args = ["--cert", cert, "--key", key, "--redirect-port", "443"];
  const { code, stderr } = await runContainer({ name: "tls-sidecar", args, env: {}, cleanup });
  expect([code, stderr]).toEqual([2, "tls-sidecar: --redirect-port: expected --redirect-listen beside it, got 443\n"]);
});
