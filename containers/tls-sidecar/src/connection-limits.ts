// How many clients may be connected at a time: in all, and from one address.
import type { Server, Socket } from "node:net";

import { createTrust, plainAddress } from "@outrigger/http";

import type { Metrics } from "./listener.ts";
import type { Values } from "./policy.ts";

/** Counts connections and closes those beyond the limits; gives what ends all that are open. */
export function limitConnections(server: Server, values: Values, metrics: Metrics): () => void {
  const open = new Set<Socket>();
  const accepted = metrics.connections.cell({});
  const active = metrics.active.cell({});
  const tooMany = metrics.connectionsRefused.cell({ reason: "too_many" });
  const tooManyPerClient = metrics.connectionsRefused.cell({ reason: "too_many_per_client" });
  const perClient = createClientLimit(values);
  server.on("connection", (socket: Socket) => {
    accepted.add(1);
    if (open.size >= values.maxConnections) {
      tooMany.add(1);
      socket.destroy();
      return;
    }
    // It is gone once the socket has closed.
    const address = plainAddress(socket.remoteAddress ?? "");
    if (!perClient.enter(address)) {
      tooManyPerClient.add(1);
      socket.destroy();
      return;
    }
    open.add(socket);
    active.set(open.size);
    socket.once("close", () => {
      perClient.leave(address);
      open.delete(socket);
      active.set(open.size);
    });
  });
  return () => {
    for (const socket of open) socket.destroy();
  };
}

/** Counts by address; trusted proxies may have as many as they like, as they speak for others. */
function createClientLimit({ maxConnectionsPerClient: limit, trustedProxies }: Values): {
  /** False when there is no room. */
  enter(address: string): boolean;
  leave(address: string): void;
} {
  if (limit === undefined) return { enter: () => true, leave: () => undefined };
  const isTrusted = createTrust(trustedProxies);
  const counts = new Map<string, number>();
  return {
    enter: (address) => {
      const count = counts.get(address) ?? 0;
      if (count >= limit && !isTrusted(address)) return false;
      counts.set(address, count + 1);
      return true;
    },
    leave: (address) => {
      const count = counts.get(address) ?? 0;
      if (count > 1) counts.set(address, count - 1);
      else counts.delete(address);
    },
  };
}
