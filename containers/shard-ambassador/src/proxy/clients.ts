// All clients: accepted, counted, and ended together.
import type { Address } from "@outrigger/options";
import type { Logger } from "@outrigger/runtime";

import type { Metrics } from "../metrics.ts";
import { ClientConnection } from "./client-connection.ts";
import type { ClientSettings, RequestReader } from "./client-connection.ts";
import { createListener } from "./listener.ts";
import type { ListenerSettings } from "./listener.ts";
import type { ClientStatistics } from "./statistics.ts";

export type ClientsSettings<Request extends RequestReader> = {
  readonly connection: Omit<ClientSettings<Request>, "onClose" | "onClosedByUs">;
  readonly listening: Pick<ListenerSettings, "maxConnections" | "backlog" | "keepAlive" | "reusePort" | "socketMode">;
  readonly metrics: Metrics;
  readonly log: Logger;
};

export type Clients = {
  listen(address: Address): Promise<Address>;
  statistics(): ClientStatistics;
  /** Accepts no more, and resolves when every client has got its replies and is gone. */
  drain(): Promise<void>;
  destroy(): void;
};

export function createClients<Request extends RequestReader>({
  connection,
  listening,
  metrics,
  log,
}: ClientsSettings<Request>): Clients {
  const all = new Set<ClientConnection<Request>>();
  const connections = metrics.connections.cell({});
  const active = metrics.active.cell({});
  let lastId = 0;
  let ended = 0;
  let failed = 0;
  let onEmpty = (): void => undefined;
  const settings: ClientSettings<Request> = {
    ...connection,
    onClosedByUs: (reason) => metrics.closed.inc({ reason }),
    onClose: (client, hasFailed) => {
      all.delete(client);
      active.add(-1);
      if (hasFailed) failed++;
      else ended++;
      if (all.size === 0) onEmpty();
    },
  };
  const listener = createListener({
    ...listening,
    tooMany: connection.wire.tooMany,
    count: () => all.size,
    onClient: (socket) => {
      all.add(new ClientConnection(++lastId, socket, settings));
      connections.add(1);
      active.add(1);
    },
    onRefused: (reason, error) => {
      metrics.connectionsRefused.inc({ reason });
      if (error !== undefined) log.error({ error }, "accepting failed");
    },
  });
  return {
    listen: listener.listen,
    statistics: () => ({ clients: all.size, clientsEver: lastId, clientsEnded: ended, clientsFailed: failed }),
    drain: async () => {
      listener.close();
      if (all.size === 0) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      onEmpty = resolve;
      for (const client of all) client.drain();
      await promise;
    },
    destroy: () => {
      listener.close();
      for (const client of all) client.destroy();
    },
  };
}
