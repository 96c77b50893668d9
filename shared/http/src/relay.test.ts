import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { Socket } from "node:net";

import { rawExchange, startEchoServer, startRawServer, until } from "@outrigger/testing";
import { expect, onTestFinished, test } from "vitest";

import { createDeadlines } from "./deadlines.ts";
import { createRelay } from "./relay.ts";
import type { Relay } from "./relay.ts";
import { connectReading } from "./socket-reader.ts";
import type { Deliver } from "./socket-reader.ts";

const cleanup = onTestFinished;
const MIB = 1024 * 1024;

/** A relay in front of a port: clients connect to `port`. */
async function startRelay(target: number, { idleMs = 10_000, closeMs = 10_000 } = {}) {
  const deadlines = createDeadlines();
  const relays: Relay[] = [];
  const sockets: [Socket, Socket][] = [];
  const counted = { received: 0, sent: 0 };
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const connectTarget = (deliver: Deliver): Socket => {
      const other = connectReading({ port: target, host: "127.0.0.1", allowHalfOpen: true, noDelay: true }, deliver);
      sockets.push([socket, other]);
      return other;
    };
    relays.push(
      createRelay(socket, connectTarget, {
        deadlines,
        idleMs,
        closeMs,
        received: { add: (bytes) => void (counted.received += bytes) },
        sent: { add: (bytes) => void (counted.sent += bytes) },
      }),
    );
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  cleanup(() => {
    for (const relay of relays) relay.destroy();
    deadlines.stop();
    server.close();
  });
  return { port: (server.address() as { port: number }).port, relays, sockets, counted };
}

function open(port: number): Socket {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true }).on("error", () => {});
  cleanup(() => void socket.destroy());
  return socket;
}

test("bytes pass both ways unchanged, and each is counted once", async () => {
  const echo = await startEchoServer({ cleanup });
  const { port, relays, counted } = await startRelay(echo.port);
  const send = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 7) & 255));
  const { bytes } = await rawExchange({ port, send, until: (text) => text.length === send.length });
  expect(bytes.equals(send)).toBe(true);
  expect(await relays[0]!.closed).toEqual({ received: send.length, sent: send.length });
  expect(counted).toEqual({ received: send.length, sent: send.length });
});

test("a client that has ended its side still gets everything", async () => {
  const app = await startRawServer((socket) => void socket.resume().on("end", () => socket.end("x".repeat(5 * MIB))), {
    cleanup,
    allowHalfOpen: true,
  });
  const { port, relays } = await startRelay(app.port);
  const { text, ended } = await rawExchange({ socket: open(port), send: "request", end: true });
  expect([text.length, ended]).toEqual([5 * MIB, "close"]);
  await relays[0]!.closed;
});

test("a server that has ended its side still gets everything", async () => {
  let received = 0;
  const app = await startRawServer(
    (socket) =>
      void socket
        .on("data", (bytes) => (received += bytes.length))
        .on("end", () => socket.destroy())
        .end("bye"),
    { cleanup, allowHalfOpen: true },
  );
  const { port, relays } = await startRelay(app.port);
  const client = open(port);
  await once(client.resume(), "end");
  client.end(Buffer.alloc(5 * MIB));
  await relays[0]!.closed;
  await until(() => received === 5 * MIB);
});

test("whoever sends more than the other side reads has to wait", async () => {
  let server: Socket | undefined;
  const app = await startRawServer((socket) => (server = socket.pause()), { cleanup });
  const { port, sockets, counted } = await startRelay(app.port);
  const client = open(port);
  client.write(Buffer.alloc(64 * MIB));
  await until(() => sockets[0]?.[0].isPaused());
  expect(sockets[0]![1].writableLength).toBeLessThan(MIB);
  await until(() => server);
  server!.write(Buffer.alloc(64 * MIB));
  await until(() => sockets[0]![1].isPaused());
  expect(sockets[0]![0].writableLength).toBeLessThan(MIB);
  server!.resume();
  client.resume();
  await until(() => counted.received === 64 * MIB && counted.sent === 64 * MIB);
});

test("an error on one side closes the other", async () => {
  const servers: Socket[] = [];
  const app = await startRawServer((socket) => void servers.push(socket.on("data", () => socket.write("a"))), {
    cleanup,
  });
  const { port, relays } = await startRelay(app.port);
  for (const side of ["client", "server"]) {
    const client = open(port);
    await rawExchange({ socket: client, send: "a", until: "a" });
    (side === "client" ? client : servers.at(-1)!).resetAndDestroy();
    await relays.at(-1)!.closed;
    await until(() => app.openConnections === 0);
  }
});

test("a server that is not there closes the client's connection", async () => {
  const echo = await startEchoServer({ cleanup });
  await echo.close();
  const { port, relays } = await startRelay(echo.port);
  const { text } = await rawExchange({ port, send: "a" });
  expect(text).toBe("");
  await relays[0]!.closed;
});

test("a relay on which nothing moves is closed", async () => {
  const echo = await startEchoServer({ cleanup });
  const { port, relays } = await startRelay(echo.port, { idleMs: 150 });
  expect((await rawExchange({ port, send: "a" })).text).toBe("a");
  await relays[0]!.closed;
  await until(() => echo.openConnections === 0);
});

test("a relay of which one side has ended is closed sooner", async () => {
  const app = await startRawServer((socket) => void socket.resume(), { cleanup, allowHalfOpen: true });
  const { port, relays } = await startRelay(app.port, { closeMs: 150 });
  open(port).end("a");
  await until(() => relays.length === 1);
  await relays[0]!.closed;
});

test("a side that is gone does not leave the other one waiting for what nobody reads", async () => {
  let server: Socket | undefined;
  const app = await startRawServer((socket) => (server = socket.resume()), { cleanup, allowHalfOpen: true });
  const { port, relays, sockets } = await startRelay(app.port, { closeMs: 300 });
  const client = open(port);
  client.pause();
  await until(() => server);
  server!.write(Buffer.alloc(64 * MIB));
  await until(() => sockets[0]![1].isPaused());
  client.destroy();
  await relays[0]!.closed;
});

test("a side that has closed before the relay began closes the other", async () => {
  const echo = await startEchoServer({ cleanup });
  const deadlines = createDeadlines();
  cleanup(() => deadlines.stop());
  const gone = open(echo.port);
  gone.destroy();
  await once(gone, "close");
  const other = open(echo.port);
  await once(other, "connect");
  const sum = { add: () => undefined };
  await createRelay(gone, () => other, { deadlines, idleMs: 10_000, closeMs: 10_000, received: sum, sent: sum }).closed;
  expect(other.destroyed).toBe(true);
});
