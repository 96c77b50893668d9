import { connect } from "node:net";
import type { Socket } from "node:net";

import { rawExchange, startApp, startRawServer, until } from "@outrigger/testing";
import { describe, expect, onTestFinished, test } from "vitest";

import { get, ok, startProxy, startScripted } from "./test-proxy.ts";

const cleanup = onTestFinished;
const MIB = 1024 * 1024;
const PIECE = Buffer.alloc(64 * 1024, "x");

/** Writes for ever, as far as the reader lets it; gives how much has been handed to the system. */
function flood(socket: Socket): () => number {
  const more = (): void => void (socket.destroyed || socket.write(PIECE, more));
  more();
  return () => socket.bytesWritten - socket.writableLength;
}

/** Waits until a number does not grow any more. */
async function settled(value: () => number): Promise<number> {
  let last = -1;
  let same = 0;
  await until(
    () => {
      same = value() === last ? same + 1 : 0;
      last = value();
      return same > 20;
    },
    { timeoutMs: 15_000 },
  );
  return last;
}

function open(port: number): Socket {
  const socket = connect({ port, host: "127.0.0.1" }).on("error", () => {});
  cleanup(() => void socket.destroy());
  return socket;
}

describe("back-pressure", () => {
  test("an application that sends more than its client reads has to wait", async () => {
    let sent = (): number => 0;
    const app = await startRawServer(
      (socket) =>
        socket.once("data", () => {
          socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n");
          sent = flood(socket);
        }),
      { cleanup },
    );
    const { port, sockets } = await startProxy(app.port, { cleanup });
    const client = open(port);
    client.write(get());
    await until(() => sent() > 0);
    const before = await settled(sent);
    expect(sockets[0]!.writableLength).toBeLessThan(MIB);
    client.resume();
    await until(() => sent() > before + 10 * MIB);
  });

  test("a client that sends more than its application reads has to wait", async () => {
    let server: Socket | undefined;
    const app = await startRawServer((socket) => (server = socket.pause()), { cleanup });
    const { port, counted } = await startProxy(app.port, { cleanup });
    const client = open(port);
    client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${1024 * MIB}\r\n\r\n`);
    flood(client);
    await until(() => counted.received > 0);
    const before = await settled(() => counted.received);
    server!.resume();
    await until(() => counted.received > before + 10 * MIB);
    server!.pause();
    const paused = await settled(() => counted.received);
    expect(paused - server!.bytesRead).toBeLessThan(64 * MIB);
  });

  test("a client that pipelines and reads nothing is not served any more", async () => {
    const app = await startApp((_, response) => response.end("x".repeat(10_000)), { cleanup });
    const { port, sockets } = await startProxy(app.port, { cleanup });
    const client = open(port);
    const requests = get().repeat(2000);
    const more = (): void => void (client.destroyed || client.write(requests, more));
    more();
    await until(() => app.requests > 0);
    const served = await settled(() => app.requests);
    expect(sockets[0]!.writableLength).toBeLessThan(MIB);
    client.resume();
    await until(() => app.requests > served + 1000);
  });

  test("requests behind the one that is served are gathered only up to a bound", async () => {
    const app = await startScripted(() => undefined, cleanup);
    const { port, counted } = await startProxy(app.port, { cleanup });
    const client = open(port);
    client.write(get());
    await until(() => app.heads.length === 1);
    const sent = flood(client);
    await until(() => sent() > 0);
    await settled(sent);
    expect(counted.received).toBeLessThan(MIB / 4);
  });
});

describe("bodies", () => {
  test.each(["length", "chunked"])("16 MiB pass both ways unchanged, framed by %s", async (framing) => {
    const app = await startApp(
      (request, response) => {
        if (framing === "length") response.setHeader("Content-Length", request.headers["content-length"]!);
        request.pipe(response);
      },
      { cleanup },
    );
    const { port, heard } = await startProxy(app.port, { cleanup });
    const data = Buffer.alloc(16 * MIB);
    for (let i = 0; i < data.length; i += 4) data.writeUInt32LE((i * 2654435761) >>> 0, i);
    const response = await fetch(`http://127.0.0.1:${port}/`, {
      method: "POST",
      body: framing === "length" ? data : new Blob([data]).stream(),
      duplex: "half",
    } as RequestInit);
    expect(Buffer.from(await response.arrayBuffer()).equals(data)).toBe(true);
    expect(heard).toEqual(["response 200"]);
  });

  test("a chunked upload is framed anew: DELETE keeps its body inside one request (6.3 row 2)", async () => {
    const bodies: string[] = [];
    const app = await startApp(
      (request, response) => {
        let body = "";
        request
          .on("data", (piece) => (body += String(piece)))
          .on("end", () => {
            bodies.push(`${request.method} ${request.url} ${body}`);
            response.end("done");
          });
      },
      { cleanup },
    );
    const { port } = await startProxy(app.port, { cleanup });
    const inner = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    const chunked = (method: string): string =>
      `${method} / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${inner.length.toString(16)};e\r\n${inner}\r\n0\r\n\r\n`;
    await rawExchange({
      port,
      send: chunked("DELETE") + chunked("OPTIONS") + chunked("GET") + get("/", "Connection: close\r\n"),
    });
    expect(bodies).toEqual([`DELETE / ${inner}`, `OPTIONS / ${inner}`, `GET / ${inner}`, "GET / "]);
  });

  test("a Trailer field and trailers of a request do no harm (6.3 row 1)", async () => {
    const app = await startApp(
      (request, response) => {
        request.resume().on("end", () => response.end(JSON.stringify(request.trailers)));
      },
      { cleanup },
    );
    const { port } = await startProxy(app.port, { cleanup });
    const send = `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n0\r\nX-Sum: 1\r\nHost: b\r\n\r\n${get("/", "Trailer: x\r\nConnection: close\r\n")}`;
    const { text } = await rawExchange({ port, send });
    expect(text).toContain('{"x-sum":"1"}');
    expect(text.split("200 OK")).toHaveLength(3);
  });

  test("a body that is malformed is refused, and the application's connection is not used again", async () => {
    const app = await startScripted(() => undefined, cleanup);
    const { port, heard } = await startProxy(app.port, { cleanup });
    const { text } = await rawExchange({
      port,
      send: "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    });
    expect(text).toContain("400 bad_chunk");
    await until(() => app.openConnections === 0);
    expect(heard).toEqual(["refused bad_chunk"]);
  });

  test("a body that is malformed behind the beginning of the answer breaks off, without a second head", async () => {
    const app = await startScripted("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", cleanup);
    const { port, heard } = await startProxy(app.port, { cleanup });
    const client = open(port);
    const send = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    await rawExchange({ socket: client, send, until: "abc" });
    const { text, ended } = await rawExchange({ socket: client, send: "zz\r\n" });
    expect([text, ended]).toEqual(["", "close"]);
    expect(heard).toEqual(["incomplete 200"]);
  });

  test("an answer that comes before the end of the upload reaches a client that is still sending", async () => {
    const app = await startRawServer(
      (socket) => {
        socket.once("data", () => socket.write("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig"));
      },
      { cleanup },
    );
    const { port, heard } = await startProxy(app.port, { cleanup });
    const send = function* () {
      yield `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${64 * MIB}\r\n\r\n`;
      for (let i = 0; i < 100; i++) yield PIECE;
    };
    const { text, ended } = await rawExchange({ port, send: send(), end: true });
    expect(text).toBe("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig");
    expect(ended).toBe("close");
    await until(() => app.openConnections === 0);
    expect(heard).toEqual(["response 413"]);
  });

  test("a client that goes away ends the application's work (6.3 row 7)", async () => {
    const app = await startScripted(
      (head) => (head.includes("/begun") ? "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\na" : undefined),
      cleanup,
    );
    const { port, heard } = await startProxy(app.port, { cleanup });
    const begun = open(port);
    await rawExchange({ socket: begun, send: get("/begun"), until: "\r\n\r\na" });
    const waiting = open(port);
    waiting.write(get("/waiting"));
    await until(() => app.openConnections === 2);
    begun.destroy();
    waiting.destroy();
    await until(() => app.openConnections === 0);
    expect(heard).toEqual(["aborted", "aborted"]);
  });

  test("a client that ends its side is taken for gone", async () => {
    const app = await startScripted(() => undefined, cleanup);
    const { port, heard } = await startProxy(app.port, { cleanup });
    const { text } = await rawExchange({ port, send: get(), end: true });
    await until(() => app.openConnections === 0);
    expect([text, heard]).toEqual(["", ["aborted"]]);
  });
});

test("each byte of clients is counted once", async () => {
  const app = await startScripted(ok(), cleanup);
  const { port, counted } = await startProxy(app.port, { cleanup });
  const { bytes } = await rawExchange({ port, send: get() + get("/", "Connection: close\r\n") });
  expect(counted).toEqual({ received: get().length * 2 + "Connection: close\r\n".length, sent: bytes.length });
});
