import { connect } from "node:net";
import { join } from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { tempDir } from "./cleanup.ts";
import { rawExchange } from "./raw-exchange.ts";
import { request } from "./request.ts";
import { until } from "./until.ts";
import { startApp, startEchoServer, startRawServer } from "./upstreams.ts";

const cleanup = onTestFinished;

test("an application counts its connections and requests", async () => {
  const app = await startApp((request, response) => response.end(`path ${request.url}`), { cleanup });
  expect(app.address).toBe(`127.0.0.1:${app.port}`);
  expect([app.connections, app.requests]).toEqual([0, 0]);
  const get = "GET /a HTTP/1.1\r\nHost: app\r\n\r\n";
  const { text } = await rawExchange({ port: app.port, send: [get, get], until: /path[^]*path \/a/ });
  expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect([app.connections, app.requests]).toEqual([1, 2]);
  await until(() => app.openConnections === 0);
});

test("an application listens on a Unix socket", async () => {
  const path = join(tempDir(cleanup), "app.sock");
  const app = await startApp((_, response) => response.end("hello"), { path, cleanup });
  expect(app).toMatchObject({ address: `unix:${path}`, port: 0 });
  expect(await request({ path }, "/")).toMatchObject({ status: 200, body: "hello" });
});

test("a raw server says exactly the scripted bytes", async () => {
  const bytes = Buffer.from([0, 255, 13, 10, 128]);
  const server = await startRawServer((socket) => socket.end(bytes), { cleanup });
  const received = await rawExchange({ port: server.port, send: "" });
  expect(received).toMatchObject({ bytes, ended: "close" });
});

test("an echo server sends everything back, and ends after the peer has", async () => {
  const echo = await startEchoServer({ cleanup });
  const sent = "x".repeat(1_000_000);
  const { text, ended } = await rawExchange({ port: echo.port, send: sent, end: true });
  expect(ended).toBe("close");
  expect(text === sent).toBe(true);
});

test("closing a server destroys its open connections, and can be done twice", async () => {
  const server = await startRawServer((socket) => socket.write("held"));
  const socket = connect(server.port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  await rawExchange({ socket, send: "", until: "held" });
  expect(server.openConnections).toBe(1);
  await Promise.all([server.close(), rawExchange({ socket, send: "" })]);
  await server.close();
  expect(socket.destroyed).toBe(true);
  await expect(request({ host: "127.0.0.1", port: server.port }, "/")).rejects.toThrow("ECONNREFUSED");
});

test("dropping the connections leaves the server listening", async () => {
  const server = await startRawServer((socket) => socket.write("held"), { cleanup });
  const first = rawExchange({ port: server.port, send: "" });
  await until(() => server.openConnections === 1);
  server.dropConnections();
  await first;
  expect((await rawExchange({ port: server.port, send: "", until: "held" })).ended).toBe("until");
});

test("a server on a port that is taken is an error", async () => {
  const { port } = await startEchoServer({ cleanup });
  await expect(startEchoServer({ port })).rejects.toThrow("EADDRINUSE");
});
