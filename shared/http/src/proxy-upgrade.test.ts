import { connect } from "node:net";
import type { Socket } from "node:net";

import { rawExchange, startRawServer, until } from "@outrigger/testing";
import { describe, expect, onTestFinished, test } from "vitest";

import { get, ok, startProxy, startScripted } from "./test-proxy.ts";
import type { TestProxySettings } from "./test-proxy.ts";

const cleanup = onTestFinished;
const upgrade = (protocol = "websocket", lines = ""): string =>
  get("/chat", `Connection: keep-alive, Upgrade\r\nUpgrade: ${protocol}\r\nSec-WebSocket-Key: k\r\n${lines}`);
const switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX: y\r\n\r\n";
const switched = "HTTP/1.1 101 Switching Protocols\r\nX: y\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";

/** An application that switches, says `early` at once, and then echoes what it gets in capitals. */
async function setUp({ early = "", settings = {} as Partial<TestProxySettings> } = {}) {
  const heads: string[] = [];
  const app = await startRawServer(
    (socket) => {
      socket.once("data", (bytes) => {
        const [head = "", ...rest] = bytes.toString("latin1").split(/(?<=\r\n\r\n)/);
        heads.push(head);
        socket.write(switching + early + rest.join("").toUpperCase());
        socket.on("data", (bytes) => socket.write(bytes.toString("latin1").toUpperCase(), "latin1"));
      });
    },
    { cleanup },
  );
  return { app, heads, ...(await startProxy(app.port, { cleanup, ...settings })) };
}

function open(port: number): Socket {
  const socket = connect({ port, host: "127.0.0.1" });
  cleanup(() => void socket.destroy());
  return socket;
}

describe("an upgraded connection", () => {
  test.each(["websocket", "some-protocol/7"])("carries bytes of %s both ways (6.3 row 16)", async (protocol) => {
    const { port, heads, heard } = await setUp();
    const client = open(port);
    const { text } = await rawExchange({ socket: client, send: upgrade(protocol), until: "\r\n\r\n" });
    expect(text).toBe(switched);
    expect(heads[0]).toContain(`\r\nConnection: upgrade\r\nUpgrade: ${protocol}\r\n`);
    expect(heads[0]!.match(/^connection:/gim)).toHaveLength(1);
    for (const frame of ["\x81\x05hello", "GET / HTTP/1.1\r\n\r\n", "\0\r\n"]) {
      const reply = await rawExchange({ socket: client, send: frame, until: (text) => text.length >= frame.length });
      expect(reply.text).toBe(frame.toUpperCase());
    }
    expect(heard).toEqual(["response 101"]);
  });

  test("loses no early bytes of either side", async () => {
    const { port } = await setUp({ early: "welcome " });
    const { text } = await rawExchange({ port, send: `${upgrade()}early frame`, until: "FRAME" });
    expect(text).toBe(`${switched}welcome EARLY FRAME`);
  });

  test("ends for the client when the application ends it, after all was passed on", async () => {
    const app = await startRawServer(
      (socket) => void socket.once("data", () => socket.end(`${switching}${"x".repeat(500_000)}`)),
      { cleanup },
    );
    const { port, proxy, heard } = await startProxy(app.port, { cleanup });
    const { text, ended } = await rawExchange({ port, send: upgrade() });
    expect([text.length, ended]).toEqual([switched.length + 500_000, "close"]);
    await proxy.drain();
    expect(heard).toEqual(["response 101"]);
  });

  test("ends for the application when the client ends it, after all was passed on", async () => {
    let received = 0;
    let ended = false;
    const app = await startRawServer(
      (socket) => {
        socket.once("data", () => {
          socket.write(switching);
          socket.on("data", (bytes) => (received += bytes.length)).on("end", () => (ended = true));
        });
      },
      { cleanup },
    );
    const { port, heard } = await startProxy(app.port, { cleanup });
    const client = open(port);
    await rawExchange({ socket: client, send: upgrade(), until: "\r\n\r\n" });
    client.end("x".repeat(5_000_000));
    await until(() => ended && app.openConnections === 0);
    expect([received, heard]).toEqual([5_000_000, ["response 101"]]);
  });

  test("does not outlive a client that resets it, nor take the process with it (6.3 row 9)", async () => {
    const { port, app, heads } = await setUp();
    const before = open(port).on("error", () => {});
    before.write(upgrade(), () => before.resetAndDestroy());
    const after = open(port);
    await rawExchange({ socket: after, send: upgrade(), until: "\r\n\r\n" });
    after.resetAndDestroy();
    await until(() => heads.length >= 1 && app.openConnections === 0);
  });

  test("makes either side wait for the other", async () => {
    let server: Socket | undefined;
    const app = await startRawServer(
      (socket) =>
        void socket.once("data", () => {
          server = socket;
          socket.write(switching);
          socket.pause();
        }),
      { cleanup },
    );
    const { port, sockets, counted } = await startProxy(app.port, { cleanup });
    const client = open(port);
    await rawExchange({ socket: client, send: upgrade(), until: "\r\n\r\n" });
    client.write(Buffer.alloc(64 * 1024 * 1024));
    await until(() => sockets[0]!.isPaused());
    expect(counted.received).toBeLessThan(32 * 1024 * 1024);
    client.pause();
    server!.write(Buffer.alloc(64 * 1024 * 1024));
    await until(() => sockets[0]!.writableNeedDrain);
    expect(sockets[0]!.writableLength).toBeLessThan(1024 * 1024);
    server!.resume();
    client.resume();
    await until(() => client.bytesRead > 64 * 1024 * 1024 && server!.bytesRead > 64 * 1024 * 1024, {
      timeoutMs: 10_000,
    });
  });

  test("ends when nothing moves on it for too long", async () => {
    const { port, app } = await setUp({ settings: { timeouts: { tunnelMs: 100 } } });
    expect((await rawExchange({ port, send: upgrade() })).ended).toBe("close");
    await until(() => app.openConnections === 0);
  });
});

describe("an upgrade that does not happen", () => {
  test("is an answer like any other, and the connection goes on (6.3 row 10)", async () => {
    const refusal = "HTTP/1.1 426 Upgrade Required\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n";
    const app = await startScripted((_, index) => (index === 0 ? refusal : ok()), cleanup);
    const { port, heard } = await startProxy(app.port, { cleanup });
    const { text } = await rawExchange({ port, send: upgrade() + get(), until: "ok" });
    expect(text).toBe(refusal + ok());
    expect([heard, app.connections]).toEqual([["response 426", "response 200"], 1]);
  });

  test.each([
    ["h2c", get("/", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n")],
    ["h2c among others", upgrade("websocket, h2c")],
    ["HTTP/1.0", upgrade().replace("HTTP/1.1", "HTTP/1.0")],
    ["no Connection: upgrade", get("/", "Upgrade: websocket\r\n")],
  ])("is not passed on: %s", async (_, request) => {
    const app = await startScripted(ok(), cleanup);
    const { port } = await startProxy(app.port, { cleanup });
    await rawExchange({ port, send: request, until: "ok" });
    expect(app.heads[0]).not.toMatch(/upgrade|http2-settings/i);
  });

  test("a switch before the request has ended is refused", async () => {
    const app = await startScripted(switching, cleanup);
    const { port, heard } = await startProxy(app.port, { cleanup });
    const { text } = await rawExchange({ port, send: upgrade("websocket", "Content-Length: 10\r\n") });
    expect(text).toContain("502 bad_response");
    expect(heard).toEqual(["failure bad_response", "refused bad_response"]);
  });
});
