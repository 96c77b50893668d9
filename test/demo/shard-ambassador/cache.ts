// A small cache that speaks enough of Redis to be a shard of the demo: GET, SET and PING, in the demo's own process.
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";

import { bulkReply, errorReply, OK, PONG } from "../../../containers/shard-ambassador/src/redis/replies.ts";
import { RequestParser } from "../../../containers/shard-ambassador/src/redis/request-parser.ts";

export type Cache = {
  readonly name: string;
  readonly port: number;
  /** What it holds; empty again after a restart. */
  readonly keys: () => string[];
  /** Ends it as a crash would. */
  readonly kill: () => void;
  /** Starts it again, empty, on the same port. */
  readonly restart: () => Promise<void>;
};

const NULL = Buffer.from("$-1\r\n");
const LIMITS = { maxBytes: 64 * 1024, maxArguments: 8 };

export async function startCache(name: string): Promise<Cache> {
  const items = new Map<string, string>();
  const clients = new Set<Socket>();
  let server = await listen(0, (socket) => serve(socket, items, clients));
  const { port } = server.address() as AddressInfo;
  return {
    name,
    port,
    keys: () => [...items.keys()],
    kill: () => {
      server.close();
      for (const socket of clients) socket.destroy();
      items.clear();
    },
    restart: async () => {
      server = await listen(port, (socket) => serve(socket, items, clients));
    },
  };
}

/** Listens without keeping the demo alive. */
async function listen(port: number, onClient: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ noDelay: true }, onClient).listen(port, "127.0.0.1");
  await once(server, "listening");
  return server.unref();
}

function serve(socket: Socket, items: Map<string, string>, clients: Set<Socket>): void {
  const parser = new RequestParser(LIMITS);
  clients.add(socket.unref());
  socket.on("error", () => undefined).on("close", () => void clients.delete(socket));
  socket.on("data", (chunk: Buffer) => {
    for (let at = 0; at < chunk.length;) {
      at = parser.read(chunk, at);
      if (parser.complete) socket.write(answer(parser, items));
      else if (parser.problem !== undefined) {
        socket.destroy();
        return;
      }
    }
  });
}

function answer(request: RequestParser, items: Map<string, string>): Buffer {
  const [command = "", key = "", value] = Array.from({ length: request.count }, (_, i) => request.text(i));
  switch (command.toLowerCase()) {
    case "ping":
      return PONG;
    case "get":
      return items.has(key) ? bulkReply(items.get(key)!) : NULL;
    case "set":
      items.set(key, value ?? "");
      return OK;
    default:
      return errorReply(`unknown command '${command}'`);
  }
}
