import { connect } from "node:net";
import type { Socket } from "node:net";

import { rawExchange, startRawServer, until } from "@outrigger/testing";
import { describe, expect, onTestFinished, test } from "vitest";

import type { ProxyTimeouts } from "./proxy.ts";
import { get, ok, startProxy, startScripted } from "./test-proxy.ts";
import type { Answer } from "./test-proxy.ts";

const cleanup = onTestFinished;

async function setUp(answer: string | Answer, timeouts: Partial<ProxyTimeouts> = {}) {
  const app = await startScripted(answer, cleanup);
  return { app, ...(await startProxy(app.port, { cleanup, timeouts })) };
}

function open(port: number): Socket {
  const socket = connect({ port, host: "127.0.0.1" }).on("error", () => {});
  cleanup(() => void socket.destroy());
  return socket;
}

/** Sends pieces for ever, each some milliseconds behind the last. */
async function* drip(first: string, piece: string): AsyncGenerator<string> {
  yield first;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    yield piece;
  }
}

describe("time-outs (6.3 row 16)", () => {
  test("a connection without a request is ended without a word", async () => {
    const { port, heard } = await setUp(ok(), { headMs: 100 });
    const { text, ended } = await rawExchange({ port, send: "" });
    expect([text, ended, heard]).toEqual(["", "close", []]);
  });

  test("a head that drips in has to be whole in time", async () => {
    const { port, heard } = await setUp(ok(), { headMs: 200 });
    const { text } = await rawExchange({ port, send: drip("GET / HTTP/1.1\r\nHost: a\r\n", "X: y\r\n") });
    expect(text).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n.*Connection: close.*408 head_timeout/s);
    expect(heard).toEqual(["refused head_timeout"]);
  });

  test("so has the head of a later request, from its first byte", async () => {
    const { port, heard } = await setUp(ok(), { headMs: 200 });
    const { text } = await rawExchange({ port, send: drip(get(), "G") });
    expect(text).toMatch(/ok.*(408 head_timeout|400 bad_request_line)/s);
    expect(heard).toHaveLength(2);
  });

  test("a kept connection without a request is ended without a word", async () => {
    const { port, heard } = await setUp(ok(), { idleMs: 100 });
    const { text, ended } = await rawExchange({ port, send: get() });
    expect([text, ended, heard]).toEqual([ok(), "close", ["response 200"]]);
  });

  test("a body that stops arriving is a 408", async () => {
    const { port, app, heard } = await setUp(() => undefined, { idleMs: 100 });
    const { text } = await rawExchange({ port, send: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab" });
    expect(text).toContain("408 body_timeout");
    expect(heard).toEqual(["refused body_timeout"]);
    await until(() => app.openConnections === 0);
  });

  test("a body that the application stops reading is a 504", async () => {
    const app = await startRawServer((socket) => void socket.pause(), { cleanup });
    const { port, heard } = await startProxy(app.port, { cleanup, timeouts: { idleMs: 300 } });
    const send = [`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${1 << 26}\r\n\r\n`, Buffer.alloc(1 << 26)];
    const { text } = await rawExchange({ port, send });
    expect(text).toContain("504 response_timeout");
    expect(heard).toContain("failure response_timeout");
  });

  test("an application that does not answer is a 504, and the client's connection goes on", async () => {
    const { port, app, heard } = await setUp((_, index) => (index === 0 ? undefined : ok()), { responseMs: 100 });
    const { text } = await rawExchange({ port, send: get() + get(), until: "200 OK" });
    expect(text).toMatch(/^HTTP\/1.1 504 Gateway Timeout\r\n.*504 response_timeout.*200 OK/s);
    expect(heard).toEqual(["failure response_timeout", "refused response_timeout", "response 200"]);
    expect(app.connections).toBe(2);
  });

  test("an answer that stops is broken off", async () => {
    const { port, heard } = await setUp("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\na", { idleMs: 100 });
    const { text, ended } = await rawExchange({ port, send: get() });
    expect([text.endsWith("\r\n\r\na"), ended, heard]).toEqual([true, "close", ["incomplete 200"]]);
  });

  test("an answer that drips, but goes on, is not", async () => {
    const app = await startRawServer(
      (socket) => {
        let left = 20;
        const more = (): void => void (socket.write("x"), --left > 0 && setTimeout(more, 20));
        socket.once("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n", more));
      },
      { cleanup },
    );
    const { port, heard } = await startProxy(app.port, { cleanup, timeouts: { idleMs: 250, responseMs: 250 } });
    await rawExchange({ port, send: get(), until: "x".repeat(20) });
    expect(heard).toEqual(["response 200"]);
  });

  test("a connection that was ended, but not by the client, is cut", async () => {
    const { port, sockets } = await setUp(ok(), { closeMs: 100 });
    const client = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    cleanup(() => void client.destroy());
    client.resume().write(get("/", "Connection: close\r\n"));
    await until(() => sockets[0]?.destroyed);
  });

  test("a kept connection of the application is ended after its time", async () => {
    const app = await startScripted(ok(), cleanup);
    const { port } = await startProxy(app.port, { cleanup, upstream: { keepAliveMs: 100 } });
    await rawExchange({ port, send: get(), until: "ok" });
    await until(() => app.openConnections === 0);
    expect((await rawExchange({ port, send: get(), until: "ok" })).text).toBe(ok());
  });

  test("no more connections of the application are kept than are allowed", async () => {
    const app = await startScripted(
      (_, index, socket) => void setTimeout(() => socket.write(ok()), index === 0 ? 50 : 0),
      cleanup,
    );
    const { port } = await startProxy(app.port, { cleanup, upstream: { maxIdle: 1 } });
    await Promise.all([1, 2, 3].map(() => rawExchange({ port, send: get(), until: "ok" })));
    await until(() => app.openConnections === 1);
  });
});

describe("draining", () => {
  test("ends idle connections soon, and lets requests in flight finish with Connection: close", async () => {
    let answer = (): void => undefined;
    const { port, proxy, heard } = await setUp((head, _, socket) => {
      if (!head.includes("/slow")) return ok();
      answer = () => void socket.write(ok("slow"));
      return undefined;
    });
    const idle = open(port);
    await rawExchange({ socket: idle, send: get(), until: "ok" });
    const slow = rawExchange({ port, send: get("/slow") });
    await until(() => answer.length === 0 && heard.length === 1);
    let drained = false;
    const draining = proxy.drain().then(() => (drained = true));
    expect((await rawExchange({ socket: idle, send: "" })).ended).toBe("close");
    expect(drained).toBe(false);
    answer();
    const { text, ended } = await slow;
    expect([text, ended]).toEqual(["HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nslow", "close"]);
    await draining;
    await proxy.drain();
  });

  test("lets a request that is arriving arrive", async () => {
    const { port, proxy, counted } = await setUp(ok());
    const client = open(port);
    await rawExchange({ socket: client, send: get(), until: "ok" });
    const send = async function* () {
      const before = counted.received;
      yield "GET / HTTP/1.1\r\n";
      await until(() => counted.received > before);
      void proxy.drain();
      // Longer than an idle connection would be kept.
      await new Promise((resolve) => setTimeout(resolve, 1300));
      yield "Host: a\r\n\r\n";
    };
    const { text } = await rawExchange({ socket: client, send: send() });
    expect(text).toContain("200 OK");
    expect(text).toContain("Connection: close");
  });

  test("serves a request on a connection that is idle still", async () => {
    const { port, proxy } = await setUp(ok());
    const client = open(port);
    await rawExchange({ socket: client, send: get(), until: "ok" });
    const drained = proxy.drain();
    const { text } = await rawExchange({ socket: client, send: get() });
    expect(text).toContain("Connection: close");
    await drained;
  });

  test("is over at once when there is nothing", async () => {
    const { proxy } = await setUp(ok());
    await proxy.drain();
  });
});

describe("a connection that is retired", () => {
  test("ends soon when it is idle, after its response when it is used, and the others go on", async () => {
    const nothing = (): void => undefined;
    let answer = nothing;
    const retired: (() => void)[] = [];
    const { port, proxy } = await setUp((head, _, socket) => {
      if (!head.includes("/slow")) return ok();
      answer = () => void socket.write(ok("slow"));
      return undefined;
    });
    const { serve } = proxy;
    Object.assign(proxy, { serve: (...given: Parameters<typeof serve>) => retired.push(serve(...given).retire) });
    const begin = async (): Promise<Socket> => {
      const socket = open(port);
      await rawExchange({ socket, send: get(), until: "ok" });
      return socket;
    };
    const [idle, used, other] = [await begin(), await begin(), await begin()];
    const slow = rawExchange({ socket: used, send: get("/slow") });
    await until(() => answer !== nothing);
    retired[0]!();
    retired[1]!();
    expect((await rawExchange({ socket: idle, send: "" })).ended).toBe("close");
    answer();
    expect((await slow).text).toContain("Connection: close\r\n\r\nslow");
    expect((await rawExchange({ socket: other, send: get(), until: "ok" })).text).not.toContain("Connection: close");
  });
});

test("closing ends every connection at once, and leaves nothing behind", async () => {
  const { port, app, proxy, listening, sockets } = await setUp((head) => (head.includes("/wait") ? undefined : ok()));
  const idle = rawExchange({ port, send: get() });
  const waiting = rawExchange({ port, send: get("/wait") });
  await until(() => app.heads.length === 2);
  proxy.close();
  expect([(await idle).ended, (await waiting).ended]).toEqual(["close", "close"]);
  await until(() => listening.openConnections === 0);
  expect(sockets.every(({ destroyed }) => destroyed)).toBe(true);
  await proxy.drain();
});
