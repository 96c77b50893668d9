// Bounds on what clients send and leave unread: sizes, rates, requests, and what waits in the whole process.
import { connect } from "node:net";

import { rawExchange, startRawServer, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { createFlight } from "./flight.ts";
import { ERROR, FLAG, TYPE } from "./h2/frames.ts";
import { connectClient, frame, number } from "./h2/test-client.ts";
import type { ProxySettings } from "./proxy.ts";
import { get, ok, startProxy, startScripted } from "./test-proxy.ts";

const HTTP2 = { maxStreams: 10, maxResetsPerSecond: 10 };

async function setUp(proxy: Partial<ProxySettings>, { h2 = false, responseMs = 10_000 } = {}) {
  const app = await startScripted(ok(), cleanup);
  const running = await startProxy(app.port, {
    cleanup,
    timeouts: { responseMs },
    peer: { protocol: h2 ? "h2" : "http/1.1" },
    proxy: { http2: HTTP2, ...proxy },
  });
  return { app, ...running };
}

const post = (lines: string, body: string): string => `POST / HTTP/1.1\r\nHost: a\r\n${lines}\r\n\r\n${body}`;

describe("the size of a body", () => {
  const bodies = { maxBytes: 10 };

  test("is refused by its length before the application hears of it, or by its data", async () => {
    const { port, app, heard } = await setUp({ bodies });
    const { text } = await rawExchange({ port, send: post("Content-Length: 11", "") });
    expect(text).toMatch(/^HTTP\/1\.1 413 .*body_too_large/s);
    expect(app.heads).toHaveLength(0);
    const silent = await startRawServer(() => undefined, { cleanup });
    const { port: other } = await startProxy(silent.port, { cleanup, proxy: { bodies } });
    const chunked = await rawExchange({
      port: other,
      send: post("Transfer-Encoding: chunked", "a\r\n0123456789\r\n1\r\nx\r\n"),
    });
    expect(chunked.text).toMatch(/^HTTP\/1\.1 413 /);
    expect(heard).toEqual(["refused body_too_large"]);
  });

  test("up to the limit passes", async () => {
    const { port } = await setUp({ bodies });
    const send = post("Content-Length: 10\r\nConnection: close", "0123456789");
    expect((await rawExchange({ port, send })).text).toContain("200 OK");
  });

  test("holds for HTTP/2 as well", async () => {
    const silent = await startRawServer(() => undefined, { cleanup });
    const { port } = await startProxy(silent.port, {
      cleanup,
      peer: { protocol: "h2" },
      proxy: { http2: HTTP2, bodies },
    });
    const client = await connectClient(port, { cleanup });
    client.request(1, { ":method": "POST" }, false);
    client.send(frame(TYPE.data, 1, Buffer.from("0123456789ab"), FLAG.endStream));
    expect((await client.response(1)).status).toBe("413");
  });
});

describe("the rate of a body", () => {
  const bodies = { minBytesPerSecond: 1000, rateWindowMs: 200 };

  test("is kept by who sends steadily, and refused to who sends a byte now and then", async () => {
    const silent = await startRawServer(() => undefined, { cleanup });
    const { port, heard } = await startProxy(silent.port, { cleanup, proxy: { bodies } });
    let closed = false;
    const send = async function* () {
      yield post("Content-Length: 1000000", "");
      const before = performance.now();
      for (let sent = 0; !closed; sent++) {
        // Fast for a second, then slow.
        yield performance.now() - before < 1000 ? "x".repeat(1000) : "x";
        await until(() => closed || performance.now() - before > 20 * sent);
        closed = heard.length > 0;
      }
    };
    const before = performance.now();
    const { text } = await rawExchange({ port, send: send() });
    expect(text).toMatch(/^HTTP\/1\.1 408 .*body_too_slow/s);
    expect(performance.now() - before).toBeGreaterThan(1000);
  });

  test("does not matter while the application takes nothing", async () => {
    let socketOfApp: { resume(): unknown } | undefined;
    const app = await startRawServer(
      (socket) => {
        socketOfApp = socket;
        let received = 0;
        socket.once("data", () => socket.pause());
        socket.on("data", (bytes) => {
          received += bytes.length;
          if (received >= 32 * 1024 * 1024) socket.end(ok());
        });
      },
      { cleanup },
    );
    const { port, heard } = await startProxy(app.port, { cleanup, proxy: { bodies } });
    const client = connect(port, "127.0.0.1");
    cleanup(() => void client.destroy());
    let answer = "";
    client.on("data", (bytes: Buffer) => (answer += bytes.toString()));
    client.write(post(`Content-Length: ${32 * 1024 * 1024}`, ""));
    client.write(Buffer.alloc(32 * 1024 * 1024));
    const before = performance.now();
    await until(() => performance.now() - before > 700);
    expect(heard).toEqual([]);
    socketOfApp!.resume();
    await until(() => answer.startsWith("HTTP/1.1 200"));
  });
});

test("after so many requests a connection ends in good order", async () => {
  const { port } = await setUp({ maxRequests: 3 });
  const { text } = await rawExchange({ port, send: get().repeat(5) });
  expect([text.split("HTTP/1.1 200").length - 1, text.split("Connection: close").length - 1]).toEqual([3, 1]);
  const h2 = await setUp({ maxRequests: 2 }, { h2: true });
  const client = await connectClient(h2.port, { cleanup });
  client.request(1, {});
  expect((await client.response(1)).status).toBe("200");
  client.request(3, {});
  expect((await client.response(3)).status).toBe("200");
  expect((await client.frame(TYPE.goaway)).payload.readUInt32BE(4)).toBe(ERROR.none);
});

describe("what waits in the whole process", () => {
  const large = `HTTP/1.1 200 OK\r\nContent-Length: 20000000\r\n\r\n`;

  /** A proxy in front of an application with one endless page, and a client that does not read it. */
  async function setUpFull(limit: number, responseMs = 10_000) {
    let waiting = 0;
    const flight = createFlight(limit, (bytes) => (waiting = bytes));
    const app = await startRawServer(
      (socket) => {
        socket.on("data", (bytes) => {
          if (bytes.toString().startsWith("GET /large")) socket.write(large + "x".repeat(20_000_000));
          else socket.write(ok());
        });
      },
      { cleanup },
    );
    const proxy = await startProxy(app.port, { cleanup, timeouts: { responseMs }, proxy: { flight } });
    const slow = connect(proxy.port, "127.0.0.1");
    cleanup(() => void slow.destroy());
    slow.on("error", () => undefined);
    slow.pause();
    slow.write(get("/large"));
    await until(() => flight.full);
    return { ...proxy, slow, waitingBytes: () => waiting };
  }

  test("stops the taking of requests, until it has left or its client has gone", async () => {
    const { port, slow, heard, waitingBytes } = await setUpFull(1000);
    const next = rawExchange({ port, send: get("/", "Connection: close\r\n") });
    await until(() => waitingBytes() > 0);
    expect(heard).toEqual([]);
    slow.destroy();
    expect((await next).text).toContain("200 OK");
    await until(() => waitingBytes() === 0);
    expect(heard).toEqual(["aborted", "response 200"]);
  });

  test("is bounded for a client that reads slowly, which still gets everything", async () => {
    const { slow, waitingBytes } = await setUpFull(1000);
    expect(waitingBytes()).toBeLessThan(2 * 1024 * 1024);
    let read = 0;
    slow.on("data", (bytes: Buffer) => (read += bytes.length));
    slow.resume();
    await until(() => read >= 20_000_000 + large.length);
    await until(() => waitingBytes() === 0);
  });

  test("answers 503 where waiting takes too long", async () => {
    const { port, heard } = await setUpFull(1000, 200);
    const { text } = await rawExchange({ port, send: get() });
    expect(text).toMatch(/^HTTP\/1\.1 503 .*overloaded/s);
    expect(heard).toContain("refused overloaded");
  });

  test("breaks off an upload of HTTP/2 that there is no room for", async () => {
    const flight = createFlight(1);
    flight.add(1);
    const app = await startRawServer((socket) => void socket.once("data", () => socket.pause()), { cleanup });
    const { port, heard } = await startProxy(app.port, {
      cleanup,
      peer: { protocol: "h2" },
      proxy: { http2: HTTP2, flight },
    });
    const client = await connectClient(port, { cleanup });
    flight.release(1);
    let sent = 0;
    client.request(1, { ":method": "POST" }, false);
    const data = Buffer.concat(Array<Buffer>(15).fill(frame(TYPE.data, 1, Buffer.alloc(16_000))));
    await until(() => {
      if (client.seen.some(({ type }) => type === TYPE.reset)) return true;
      const windows = client.seen.filter(({ type, stream }) => type === TYPE.windowUpdate && stream === 1);
      if (client.seen.length > 0 && windows.length >= sent) {
        client.send(data);
        sent++;
      }
      return false;
    });
    expect((await client.frame(TYPE.reset, 1)).payload).toEqual(number(ERROR.enhanceYourCalm));
    expect(heard).toContain("refused overloaded");
  });
});
