import { once } from "node:events";
import { connect } from "node:net";
import { Worker } from "node:worker_threads";

import { rawExchange, startRawServer, tempDir, until } from "@outrigger/testing";
import { describe, expect, onTestFinished, test } from "vitest";

import { createDeadlines } from "./deadlines.ts";
import type { ProxySettings } from "./proxy.ts";
import { get, ok, startProxy, startScripted } from "./test-proxy.ts";
import type { Answer, TestProxySettings } from "./test-proxy.ts";
import { Upstream } from "./upstream.ts";

const cleanup = onTestFinished;

async function setUp(answer: string | Answer, settings: Partial<TestProxySettings> = {}) {
  const app = await startScripted(answer, cleanup);
  const proxy = await startProxy(app.port, { cleanup, ...settings });
  return { app, ...proxy };
}

/** A server that listens and never accepts, with a queue that is full: the system neither accepts nor refuses. */
async function startDeafServer(): Promise<number> {
  const worker = new Worker(
    `const { parentPort } = require("node:worker_threads");
     const server = require("node:net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
       parentPort.postMessage(server.address().port);
       setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
     });`,
    { eval: true },
  );
  cleanup(async () => void (await worker.terminate()));
  const [port] = (await once(worker, "message")) as [number];
  const queued = Array.from({ length: 4 }, () => connect({ port, host: "127.0.0.1" }).on("error", () => {}));
  cleanup(() => queued.forEach((socket) => socket.destroy()));
  await until(() => queued.filter(({ connecting }) => !connecting).length === 2);
  return port;
}

describe("with another upstream to turn to", () => {
  /** Two servers, of which the first fails as it is told; each request goes to it first. */
  async function setUpTwo(fail: Answer | undefined) {
    const first = await startScripted(fail ?? ok(), cleanup);
    if (fail === undefined) await first.close();
    const second = await startScripted(ok("second"), cleanup);
    const deadlines = createDeadlines();
    cleanup(deadlines.stop);
    const [one, two] = [first, second].map(({ port }) => {
      const settings = { connectTimeoutMs: 5000, keepAliveMs: 5000, maxIdle: 8 };
      const upstream = new Upstream({ host: "127.0.0.1", port }, settings, deadlines);
      cleanup(() => upstream.close());
      return upstream;
    });
    const moved: string[] = [];
    const reroute: ProxySettings["reroute"] = ({ method, target }, _, failed) => {
      moved.push(`${method} ${target}`);
      return failed === one ? two : undefined;
    };
    const { port, heard } = await startProxy(first.port, { cleanup, proxy: { route: () => one, reroute } });
    return { first, second, port, heard, moved };
  }
  const last = "Connection: close\r\n";

  test("a request without a body goes there if it was never sent, and if it was, only an idempotent one", async () => {
    const gone = await setUpTwo(undefined);
    const post = `POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n${last}\r\n`;
    expect((await rawExchange({ port: gone.port, send: post })).text).toMatch(/^HTTP\/1.1 200 [^]*second$/);
    expect((await rawExchange({ port: gone.port, send: get("/g", last) })).text).toMatch(/second$/);
    expect(gone.moved).toEqual(["POST /p", "GET /g"]);
    expect(gone.second.heads[1]).toMatch(/^GET \/g HTTP\/1.1\r\nHost: a\r\n/);
    const closing = await setUpTwo((_head, _index, socket) => void socket.destroy());
    expect((await rawExchange({ port: closing.port, send: post })).text).toMatch(/^HTTP\/1.1 502 /);
    expect((await rawExchange({ port: closing.port, send: get("/g", last) })).text).toMatch(/second$/);
    expect(closing.moved).toEqual(["GET /g"]);
    expect(closing.first.heads).toHaveLength(2);
  });

  test("a request with a body, and one that has had a part of an answer, do not go there", async () => {
    const { port, moved, heard } = await setUpTwo((_head, _index, socket) => {
      socket.end("HTTP/1.1 200 OK\r\nContent-");
      return undefined;
    });
    expect((await rawExchange({ port, send: get("/g", last) })).text).toMatch(/^HTTP\/1.1 502 /);
    const put = `PUT /p HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n${last}\r\nx`;
    expect((await rawExchange({ port, send: put })).text).toMatch(/^HTTP\/1.1 502 /);
    expect(moved).toEqual([]);
    expect(heard.filter((one) => one.startsWith("failure"))).toEqual(["failure closed_early", "failure closed_early"]);
  });
});

describe("an application that is not there", () => {
  test("is a 502, and the client's connection goes on", async () => {
    const app = await startScripted(ok(), cleanup);
    await app.close();
    const { port, heard, listening } = await startProxy(app.port, { cleanup });
    const { text } = await rawExchange({ port, send: get() + get("/", "Connection: close\r\n") });
    expect(text.split("HTTP/1.1 502 Bad Gateway")).toHaveLength(3);
    expect(text).toContain("502 connect_refused: the application does not accept connections\n");
    expect(listening.connections).toBe(1);
    const once = ["failure connect_refused", "refused connect_refused"];
    expect(heard).toEqual([...once, ...once]);
  });

  test("is a 502 without a body for HEAD, and closes an HTTP/1.0 connection", async () => {
    const { port } = await startProxy({ path: `${tempDir(cleanup)}/none` }, { cleanup });
    const head = await rawExchange({ port, send: "HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" });
    expect(head.text).toMatch(/^HTTP\/1.1 502 .*\r\n\r\n$/s);
    const old = await rawExchange({ port, send: "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" });
    expect([old.ended, old.text.includes("Connection: close")]).toEqual(["close", true]);
  });

  test("comes back behind a Unix socket", async () => {
    const path = `${tempDir(cleanup)}/app`;
    const { port } = await startProxy({ path }, { cleanup });
    expect((await rawExchange({ port, send: get(), until: "\n\r\n" })).text).toContain("502");
    await startRawServer((socket) => socket.on("data", () => socket.write(ok())), { path, cleanup });
    expect((await rawExchange({ port, send: get(), until: "ok" })).text).toBe(ok());
  });

  test("is a 504 when connecting takes too long", async () => {
    const port = await startDeafServer();
    const proxy = await startProxy(port, { cleanup, upstream: { connectTimeoutMs: 100 } });
    const { text } = await rawExchange({ port: proxy.port, send: get("/", "Connection: close\r\n") });
    expect(text).toMatch(/^HTTP\/1.1 504 Gateway Timeout\r\n.*504 connect_timeout/s);
    expect(proxy.heard).toEqual(["failure connect_timeout", "refused connect_timeout"]);
  });

  test("no upstream for a request is a 503", async () => {
    const { port, heard } = await setUp(ok(), { proxy: { route: () => undefined } });
    const { text } = await rawExchange({ port, send: get() + get("/", "Connection: close\r\n") });
    expect(text.split("HTTP/1.1 503 Service Unavailable")).toHaveLength(3);
    expect(heard).toEqual(["refused no_upstream", "refused no_upstream"]);
  });
});

describe("an application that fails before it has answered", () => {
  const close: Answer = (_, __, socket) => void socket.end();

  test("is a 502 on a new connection, without another try", async () => {
    const { port, app, heard } = await setUp(close);
    const { text } = await rawExchange({ port, send: get("/", "Connection: close\r\n") });
    expect(text).toContain("502 closed_early");
    expect(app.heads).toHaveLength(1);
    expect(heard).toEqual(["failure closed_early", "refused closed_early"]);
  });

  test.each([
    ["a reset", (_: string, index: number, socket) => (index === 1 ? void socket.resetAndDestroy() : ok())],
    ["an end", (_: string, index: number, socket) => (index === 1 ? void socket.end() : ok())],
  ] as [string, Answer][])(
    "on a reused connection, %s is tried once more with an idempotent request",
    async (_, answer) => {
      const { port, app, heard } = await setUp(answer);
      const { text } = await rawExchange({ port, send: get() + get("/2", "Connection: close\r\n") });
      expect(text.split("200 OK")).toHaveLength(3);
      expect([app.heads.length, app.connections]).toEqual([3, 2]);
      expect(heard).toEqual(["response 200", "response 200"]);
    },
  );

  test("is tried only once more", async () => {
    const { port, app, heard } = await setUp((head, index, socket) => (index > 0 ? close(head, index, socket) : ok()));
    const { text } = await rawExchange({ port, send: get() + get("/2", "Connection: close\r\n") });
    expect(text).toContain("502 closed_early");
    expect(app.heads).toHaveLength(3);
    expect(heard).toEqual(["response 200", "failure closed_early", "refused closed_early"]);
  });

  test.each([
    ["part of a head", "HTTP/1.1 200"],
    ["an interim response", "HTTP/1.1 103 Early Hints\r\n\r\n"],
  ])("is not tried again once it has sent %s", async (_, part) => {
    const { port, app } = await setUp((_, index, socket) => (index > 0 ? void socket.end(part) : ok()));
    const { text } = await rawExchange({ port, send: get() + get("/2", "Connection: close\r\n") });
    expect(text).toContain("502 closed_early");
    expect(app.heads).toHaveLength(2);
  });

  test.each([
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    "PATCH / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
  ])("never gets %j twice", async (request) => {
    const { port, app } = await setUp((_, index, socket) => (index === 1 ? void socket.resetAndDestroy() : ok()));
    const { text } = await rawExchange({ port, send: get() + request });
    expect(text).toContain("502 closed_early");
    expect([app.heads.length, app.connections]).toEqual([2, 1]);
  });

  test("a connection that it ended while idle is not lent again", async () => {
    const { port, app } = await setUp(ok());
    for (let i = 1; i <= 3; i++) {
      await rawExchange({ port, send: get(), until: "ok" });
      app.dropConnections();
      await until(() => app.openConnections === 0);
    }
    const { text } = await rawExchange({
      port,
      send: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
      until: "ok",
    });
    expect([text, app.heads.length]).toEqual([ok(), 4]);
  });
});

describe("an application whose answer is wrong", () => {
  test.each([
    ["garbage", "SSH-2.0-OpenSSH\r\n"],
    ["both lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"],
    ["another encoding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"],
    ["LF alone", "HTTP/1.1 200 OK\nX: y\n\n"],
    ["a NUL (6.3 row 13)", "HTTP/1.1 200 OK\r\nX: \0\r\n\r\n"],
    ["too large a head", `HTTP/1.1 200 OK\r\nX: ${"x".repeat(9000)}\r\n\r\n`],
    ["too many fields", `HTTP/1.1 200 OK\r\n${"X: y\r\n".repeat(60)}\r\n`],
    ["a malformed chunk in the first piece", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
    [
      "an upgrade that nobody asked for",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    ],
  ])("gives a 502: %s", async (_, answer) => {
    const { port, app, heard } = await setUp(answer);
    const { text } = await rawExchange({ port, send: get("/", "Connection: close\r\n") });
    expect(text).toMatch(/^HTTP\/1.1 502 Bad Gateway\r\n.*502 bad_response/s);
    await until(() => app.openConnections === 0);
    expect(heard).toEqual(["failure bad_response", "refused bad_response"]);
  });

  test.each([
    ["length", "Content-Length: 10\r\n", "abc"],
    ["chunked", "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n"],
  ])("an answer that breaks off is not taken for whole, framed by %s (6.3 row 8)", async (_, line, body) => {
    const { port, heard } = await setUp((_, __, socket) => void socket.end(`HTTP/1.1 200 OK\r\n${line}\r\n${body}`));
    const { text, ended } = await rawExchange({ port, send: get() });
    expect([text, ended]).toEqual([`HTTP/1.1 200 OK\r\n${line}\r\n${body}`, "close"]);
    expect(heard).toEqual(["failure truncated", "incomplete 200"]);
  });

  test("an HTTP/1.0 client, who only sees the end, gets a reset", async () => {
    const { port } = await setUp(
      (_, __, socket) => void socket.end("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
    );
    const { ended, error } = await rawExchange({ port, send: "GET / HTTP/1.0\r\n\r\n" });
    expect([ended, error?.message]).toEqual(["error", "read ECONNRESET"]);
  });

  test("a chunk that is malformed later breaks off", async () => {
    const { port, app, heard } = await setUp("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    const client = connect({ port, host: "127.0.0.1" });
    await rawExchange({ socket: client, send: get(), until: "abc\r\n" });
    app.sockets[0]!.write("zz");
    const { text, ended } = await rawExchange({ socket: client, send: "" });
    expect([text, ended]).toEqual(["", "close"]);
    expect(heard).toEqual(["failure bad_response", "incomplete 200"]);
  });
});
