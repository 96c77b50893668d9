// Servers on loopback for one test: where they listen, how many connections they had, and a close that waits for nobody.
import type { Server, Socket } from "node:net";

import { formatAddress } from "@outrigger/options";

import type { Cleanup } from "./cleanup.ts";

export type ListenOptions = {
  /** The path of a Unix socket; without it, a free port of 127.0.0.1. */
  readonly path?: string;
  /** A fixed port, for a server that comes back where another one was. */
  readonly port?: number;
  readonly cleanup?: Cleanup;
};

export type Listening = {
  /** `127.0.0.1:port` or `unix:/path`, as options of containers take it. */
  readonly address: string;
  /** 0 for a Unix socket. */
  readonly port: number;
  /** How many connections were accepted so far. */
  readonly connections: number;
  readonly openConnections: number;
  /** Ends every connection at once (by a reset where one still has data to send), and keeps listening. */
  readonly dropConnections: () => void;
  /** Stops listening and drops every connection. */
  readonly close: () => Promise<void>;
};

/** Binds `server` and keeps count of its connections. */
export async function listen(server: Server, { path, port = 0, cleanup }: ListenOptions): Promise<Listening> {
  const open = new Set<Socket>();
  let accepted = 0;
  server.on("connection", (socket: Socket) => {
    accepted++;
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    // A peer that goes away is nothing that a server under test's control should die of.
    socket.on("error", () => socket.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path === undefined ? { host: "127.0.0.1", port } : { path }, resolve);
  });
  const bound = server.address();
  const boundPort = typeof bound === "object" && bound !== null ? bound.port : 0;
  const dropConnections = (): void => {
    for (const socket of open) socket.destroy();
  };
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      // An error means that it was closed before.
      server.close(() => resolve());
      dropConnections();
    });
  cleanup?.(close);
  return {
    address: formatAddress(path === undefined ? { host: "127.0.0.1", port: boundPort } : { path }),
    port: boundPort,
    get connections() {
      return accepted;
    },
    get openConnections() {
      return open.size;
    },
    dropConnections,
    close,
  };
}
