// A collector of logs for tests: it keeps what it is sent, and answers as it is told to.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer as createTcpServer } from "node:net";
import { gunzipSync } from "node:zlib";

import type { Cleanup } from "@outrigger/testing";

export type Received = {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
};

export type Collector = {
  readonly port: number;
  /** What it has taken: answered with a status below 300. */
  readonly taken: Received[];
  /** How many requests have come, taken or not. */
  readonly requests: () => number;
  /** What the next requests are answered with: a status, and a text. */
  answer: () => { readonly status: number; readonly text?: string; readonly headers?: Record<string, string> };
};

export async function startCollector(cleanup: Cleanup): Promise<Collector> {
  const taken: Received[] = [];
  let requests = 0;
  const server = createServer((incoming, outgoing) => {
    const pieces: Buffer[] = [];
    incoming.on("data", (piece: Buffer) => void pieces.push(piece));
    incoming.on("end", () => {
      requests++;
      const { status, text = "{}", headers = {} } = collector.answer();
      const body = Buffer.concat(pieces);
      const plain = incoming.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body;
      if (status < 300) taken.push({ path: incoming.url!, headers: incoming.headers, text: plain.toString("utf8") });
      outgoing.writeHead(status, headers).end(text);
    });
  });
  const port = await listen(server, cleanup);
  const collector: Collector = { port, taken, requests: () => requests, answer: () => ({ status: 200 }) };
  return collector;
}

/** A TCP server that keeps the text it is sent. */
export async function startReceiver(cleanup: Cleanup): Promise<{ port: number; text(): string; hangUp(): void }> {
  let text = "";
  const sockets = new Set<{ destroy(): unknown }>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.setEncoding("utf8").on("data", (piece: string) => (text += piece));
  });
  cleanup(() => {
    for (const socket of sockets) socket.destroy();
  });
  const port = await listen(server, cleanup);
  return {
    port,
    text: () => text,
    hangUp: () => {
      for (const socket of sockets) socket.destroy();
      sockets.clear();
    },
  };
}

type Server = {
  listen(port: number, host: string, then: () => void): unknown;
  address(): unknown;
  close(): unknown;
  closeAllConnections?(): void;
};

async function listen(server: Server, cleanup: Cleanup): Promise<number> {
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  cleanup(() => {
    server.closeAllConnections?.();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
