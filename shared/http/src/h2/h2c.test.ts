// Requests of HTTP/2 that are carried to an application which speaks it in plain text. The application and, where it
// matters what is sent exactly, the client are Node's own.
import * as http2 from "node:http2";
import type { AddressInfo } from "node:net";

import { startRawServer, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import type { TestProxySettings } from "../test-proxy.ts";
import { ERROR, FLAG, TYPE, headersFrames } from "./frames.ts";
import { block, connectClient, frame, number } from "./test-client.ts";
import { startHttp2Proxy } from "./test-set-up.ts";

type Handler = (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void;

async function startApp(handle: Handler, options: http2.ServerOptions = {}) {
  const sessions = new Set<http2.ServerHttp2Session>();
  const server = http2.createServer(options);
  server.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
    session.on("error", () => undefined);
  });
  server.on("stream", (stream, headers) => {
    stream.on("error", () => undefined);
    handle(stream as http2.ServerHttp2Stream, headers);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const session of sessions) session.destroy();
    });
  cleanup(close);
  return { port: (server.address() as AddressInfo).port, sessions, close };
}

async function setUp(port: number, settings: Partial<TestProxySettings> = {}) {
  const h2c = { address: { host: "127.0.0.1", port }, connectTimeoutMs: 500 };
  const proxy = await startHttp2Proxy(port, { cleanup, ...settings, proxy: { h2c, ...settings.proxy } });
  return { ...proxy, client: await connectClient(proxy.port, { cleanup }) };
}

test("a call passes with its fields, its data and its trailers, in both directions", async () => {
  let seen: http2.IncomingHttpHeaders = {};
  let trailers: http2.IncomingHttpHeaders = {};
  const app = await startApp((stream, headers) => {
    seen = headers;
    stream.on("trailers", (given: http2.IncomingHttpHeaders) => (trailers = given));
    stream.respond({ ":status": 200, "content-type": "application/grpc", "x-a": "1" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.pipe(stream);
  });
  const { client, heard } = await setUp(app.port);
  client.request(
    1,
    {
      ":method": "POST",
      ":path": "/a.B/C",
      "content-type": "application/grpc",
      te: "trailers",
      "x-forwarded-for": "6.6.6.6",
    },
    false,
  );
  client.send(
    frame(TYPE.data, 1, Buffer.from("ping")),
    headersFrames(
      1,
      block([
        ["x-sum", "4"],
        ["x-real-ip", "6.6.6.6"],
      ]),
      true,
    ),
  );
  expect(await client.response(1)).toMatchObject({
    status: "200",
    body: "ping",
    fields: expect.arrayContaining([
      ["x-a", "1"],
      ["content-type", "application/grpc"],
    ]),
    trailers: [["grpc-status", "0"]],
  });
  expect(seen).toMatchObject({
    ":method": "POST",
    ":path": "/a.B/C",
    ":authority": "a",
    ":scheme": "http",
    te: "trailers",
  });
  expect(seen).toMatchObject({ "x-forwarded-for": "192.0.2.7", "x-forwarded-proto": "https" });
  expect(trailers).toMatchObject({ "x-sum": "4" });
  expect(JSON.stringify([seen, trailers])).not.toContain("6.6.6.6");
  expect(heard).toEqual(["response 200"]);
});

test("both sides may talk at the same time, and for as long as they like", async () => {
  const app = await startApp((stream) => {
    stream.respond({ ":status": 200, "content-type": "application/grpc" });
    stream.on("data", (bytes: Buffer) => stream.write(`got ${bytes.toString()};`));
    stream.on("end", () => stream.end());
  });
  const { client } = await setUp(app.port, { timeouts: { idleMs: 100, responseMs: 100 } });
  const bodyOf = (): string =>
    client.seen
      .filter(({ type }) => type === TYPE.data)
      .map(({ payload }) => payload.toString())
      .join("");
  client.request(1, { ":method": "POST", "content-type": "application/grpc" }, false);
  client.send(frame(TYPE.data, 1, Buffer.from("one")));
  await until(() => bodyOf() === "got one;");
  const before = Date.now();
  await until(() => Date.now() - before > 300);
  client.send(frame(TYPE.data, 1, Buffer.from("two"), FLAG.endStream));
  expect((await client.response(1)).body).toBe("got one;got two;");
});

test("large bodies pass whole, and a slow reader slows the sender down", async () => {
  const size = 8 * 1024 * 1024;
  let written = 0;
  const app = await startApp((stream) => {
    stream.respond({ ":status": 200 });
    const chunk = Buffer.alloc(64 * 1024, 1);
    const write = (): void => {
      for (; written < size;) {
        written += chunk.length;
        if (!stream.write(chunk)) return void stream.once("drain", write);
      }
      stream.end();
    };
    write();
  });
  const { port } = await setUp(app.port);
  const session = http2.connect(`http://127.0.0.1:${port}`);
  cleanup(() => session.destroy());
  const stream = session.request({ ":path": "/" });
  stream.pause();
  await new Promise((resolve) => stream.once("response", resolve));
  let last = -1;
  await until(() => {
    const still = written === last;
    last = written;
    return still;
  });
  expect(written).toBeLessThan(4 * 1024 * 1024);
  let read = 0;
  stream.on("data", (bytes: Buffer) => (read += bytes.length));
  stream.resume();
  await new Promise((resolve) => stream.once("end", resolve));
  expect(read).toBe(size);
});

describe("failures", () => {
  test("an application that is down is told as such, and the connection goes on", async () => {
    const app = await startApp((stream) => {
      stream.respond({ ":status": 204 }, { endStream: true });
    });
    await app.close();
    const { client, heard } = await setUp(app.port);
    client.request(1, {});
    expect(await client.response(1)).toMatchObject({ status: "502", body: expect.stringContaining("connect_refused") });
    client.request(3, {});
    expect((await client.response(3)).status).toBe("502");
    expect(heard).toContain("failure connect_refused");
  });

  test("a stream that the application breaks off is broken off with its code, the others go on", async () => {
    const app = await startApp((stream, headers) => {
      stream.respond({ ":status": 200 });
      stream.write("x");
      if (headers[":path"] === "/cut") setImmediate(() => stream.destroy(new Error("cut")));
      else stream.end();
    });
    const { client } = await setUp(app.port);
    client.request(1, { ":path": "/cut" });
    client.request(3, {});
    expect((await client.frame(TYPE.reset, 1)).payload).toEqual(number(ERROR.internal));
    expect((await client.response(3)).body).toBe("x");
  });

  test("a client that breaks off its request breaks it off at the application", async () => {
    let closed = -1;
    const app = await startApp((stream) => void stream.on("close", () => (closed = stream.rstCode)));
    const { client, heard } = await setUp(app.port);
    client.request(1, { ":method": "POST" }, false);
    await until(() => app.sessions.size === 1);
    client.send(frame(TYPE.data, 1, Buffer.from("x")), frame(TYPE.reset, 1, number(ERROR.cancel)));
    await until(() => closed !== -1);
    expect([closed, heard]).toEqual([ERROR.cancel, ["aborted"]]);
  });

  test("an application that does not answer is 504, one that does not speak HTTP/2 is 502", async () => {
    const silent = await startApp(() => undefined);
    const first = await setUp(silent.port, { timeouts: { responseMs: 200 } });
    first.client.request(1, {});
    expect((await first.client.response(1)).status).toBe("504");
    const other = await startRawServer((socket) => void socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"), { cleanup });
    const second = await setUp(other.port);
    second.client.request(1, {});
    expect((await second.client.response(1)).status).toBe("502");
    expect(second.heard).toContain("failure bad_response");
  });

  test("an application that is going away finishes what it has, and gets a new connection for what comes then", async () => {
    let served = 0;
    const app = await startApp((stream, headers) => {
      stream.respond({ ":status": 200 });
      if (headers[":path"] === "/first") stream.session!.close();
      setImmediate(() => stream.end(String(++served)));
    });
    const { client } = await setUp(app.port);
    client.request(1, { ":path": "/first" });
    expect((await client.response(1)).body).toBe("1");
    client.request(3, {});
    expect((await client.response(3)).body).toBe("2");
  });

  test("what is refused for HTTP/1.1 is refused, and the application sees nothing of it", async () => {
    let count = 0;
    const app = await startApp(() => count++);
    const { client, heard } = await setUp(app.port, {
      proxy: {
        h2c: { address: { host: "127.0.0.1", port: app.port }, connectTimeoutMs: 500 },
        route: (head) => ({ status: 403, lines: "", body: `no ${head.target}\n` }),
      },
    });
    client.request(1, { ":path": "/secret" });
    expect(await client.response(1)).toMatchObject({ status: "403", body: "no /secret\n" });
    client.request(3, { host: "b" });
    expect((await client.response(3)).status).toBe("400");
    client.send(
      headersFrames(
        5,
        block([
          [":method", "GET"],
          [":path", "/"],
        ]),
        true,
      ),
    );
    await client.frame(TYPE.reset, 5);
    expect(count).toBe(0);
    expect(heard).toEqual(["response 403", "refused several_hosts", "refused malformed_message"]);
  });
});
