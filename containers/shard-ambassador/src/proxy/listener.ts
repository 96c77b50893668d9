// Accepts clients, up to a number of them.
import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import { createServer } from "node:net";
import type { Socket } from "node:net";

import { formatAddress } from "@outrigger/options";
import type { Address } from "@outrigger/options";

export type ListenerSettings = {
  readonly maxConnections: number;
  /** How many may wait to be accepted. */
  readonly backlog: number;
  readonly keepAlive: boolean;
  readonly reusePort: boolean;
  /** The permissions of a Unix socket, if not those that the process gives. */
  readonly socketMode?: number | undefined;
  /** How many clients there are now. */
  count(): number;
  onClient(socket: Socket): void;
  /** What a client gets that is one too many. */
  readonly tooMany: Buffer;
  onRefused(reason: "too_many" | "accept_failed", error?: Error): void;
};

export type Listener = {
  /** Binds; resolves with the address as bound, rejects when it is taken. */
  listen(address: Address): Promise<Address>;
  /** Accepts no more. */
  close(): void;
};

export function createListener(settings: ListenerSettings): Listener {
  const { maxConnections, backlog, keepAlive, reusePort, socketMode, tooMany, count, onClient, onRefused } = settings;
  const server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive }, (socket) => {
    if (count() < maxConnections) return onClient(socket);
    onRefused("too_many");
    socket.on("error", () => undefined);
    socket.end(tooMany, () => socket.destroy());
  });
  // No descriptors left, for instance: the clients that wait are served later, those connected go on.
  server.on("error", (error) => {
    if (server.listening) onRefused("accept_failed", error);
  });
  return {
    listen: (address) => {
      const { promise, resolve, reject } = Promise.withResolvers<Address>();
      const onError = (error: NodeJS.ErrnoException): void => {
        const written = formatAddress(address);
        reject(new Error(`--listen: expected a free address, got ${written} (${error.code ?? error.message})`));
      };
      server.once("error", onError);
      removeStale(address);
      server.listen({ ...address, backlog, ...(reusePort ? { reusePort } : {}) }, () => {
        server.off("error", onError);
        if ("path" in address && socketMode !== undefined) chmodSync(address.path, socketMode);
        const bound = server.address();
        resolve(typeof bound === "object" && bound !== null ? { host: bound.address, port: bound.port } : address);
      });
      return promise;
    },
    close: () => void server.close(),
  };
}

/** Takes away the socket that a process which was killed has left behind. */
function removeStale(address: Address): void {
  if ("path" in address && lstatSync(address.path, { throwIfNoEntry: false })?.isSocket() === true)
    unlinkSync(address.path);
}
