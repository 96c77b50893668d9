// The dictionary as a value: an HTTP server that does not listen yet, and writes its log where it is told.
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

import { serveEcho } from "./echo.ts";
import type { Level } from "./log.ts";
import { entryOf } from "./log.ts";
import { answer } from "./routes.ts";
import { createStatistics } from "./statistics.ts";
import { WORDS } from "./words.ts";

const GRACE_MS = 3000;

function peerOf(request: IncomingMessage): string {
  const forwarded = String(request.headers["x-forwarded-for"] ?? "-").slice(0, 200);
  return `peer=${request.socket.remoteAddress} xff=${forwarded}`;
}

/** @param write Takes whole entries of the log. */
export function createDictionary(write: (entry: string) => void) {
  const words = new Map(Object.entries(WORDS));
  const sockets = new Set<Socket>();
  const busy = new Set<Socket>();
  let stopping = false;
  const statistics = createStatistics(() => sockets.size);
  const log = (level: Level, text: string): void => write(entryOf(new Date(), level, text));

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const began = performance.now();
    statistics.requests++;
    const peer = peerOf(request);
    const { socket } = request;
    busy.add(socket);
    response.once("close", () => {
      busy.delete(socket);
      if (stopping) socket.end();
    });
    try {
      const url = new URL(request.url ?? "/", "http://dictionary");
      const { what, result, level = "I" } = await answer({ request, response, url, words, statistics });
      log(level, `${what} ~ ${result} (${Math.round(performance.now() - began)}ms) ${peer}`);
    } catch (error) {
      statistics.errors++;
      log("E", `request ~ ${(error as Error).stack} ${peer}`);
      if (!response.headersSent) response.writeHead(500, { "Content-Type": "text/plain" });
      response.end("internal error\n");
    }
    statistics.busyMs += performance.now() - began;
  };

  const server = createServer((request, response) => void handle(request, response));
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => socket.destroy());
    if (request.url !== "/echo" || request.headers.upgrade?.toLowerCase() !== "websocket") {
      socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    log("I", `echo ~ open ${peerOf(request)}`);
    serveEcho(request, socket, head);
  });

  /** Stops listening, finishes what it is answering for a few seconds, and then drops the rest. */
  const stop = (): void => {
    stopping = true;
    server.close();
    for (const socket of sockets) if (!busy.has(socket)) socket.destroy();
    setTimeout(() => server.closeAllConnections(), GRACE_MS).unref();
  };
  let configured: readonly string[] = [];
  /** These words instead of those that were configured before. */
  const configure = (more: ReadonlyMap<string, string>): void => {
    for (const word of configured) words.delete(word);
    for (const [word, definition] of more) words.set(word, definition);
    configured = [...more.keys()];
  };
  return { server, log, configure, stop };
}
