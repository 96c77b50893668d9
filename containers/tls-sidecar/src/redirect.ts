// The listener for clients that come by plain HTTP: it sends each request to the same URL by HTTPS, and does nothing else.
import { createServer } from "node:net";

import { REFUSALS, createDeadlines, createProxy, plainAddress, secureUrlOf } from "@outrigger/http";
import type { Answer, Proxy, Refusal } from "@outrigger/http";
import type { Address } from "@outrigger/options";
import type { Logger } from "@outrigger/runtime";

import { proxySettingsOf } from "./http-service.ts";
import { listen } from "./listen.ts";
import type { Metrics } from "./listener.ts";
import type { Values } from "./policy.ts";

export type Redirect = {
  /** Binds; `tls` is where the TLS listener is. */
  listen(address: Address, tls: Address): Promise<Address>;
  discourage(): void;
  /** Accepts no more, and resolves when nothing is in flight. */
  drain(): Promise<void>;
  close(): void;
};

const HTTPS_PORT = 443;

export function createRedirect(values: Values, metrics: Metrics, log: Logger): Redirect {
  const deadlines = createDeadlines();
  let port = HTTPS_PORT;
  const proxy = createRedirectingProxy(values, metrics, { deadlines, port: () => port });
  const tooMany = metrics.connectionsRefused.cell({ reason: "too_many" });
  let open = 0;
  const server = createServer({ noDelay: true }, (socket) => {
    if (open >= values.maxConnections) {
      tooMany.add(1);
      socket.destroy();
      return;
    }
    open++;
    socket.once("close", () => open--);
    const address = plainAddress(socket.remoteAddress ?? "");
    proxy.serve(socket, { address, localPort: socket.localPort ?? 0, scheme: "http", trusted: false });
  });
  server.on("error", (error) => {
    if (server.listening) log.error({ error }, "accepting failed");
  });
  return {
    listen: (address, tls) => {
      port = values.redirectPort ?? ("port" in tls ? tls.port : HTTPS_PORT);
      return listen(server, address, { flag: "--redirect-listen", shared: false });
    },
    discourage: proxy.discourage,
    drain: async () => {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      await Promise.all([closed, proxy.drain()]);
    },
    close: () => {
      server.close();
      proxy.close();
      deadlines.stop();
    },
  };
}

/** The proxy without anything behind it: it reads requests as strictly, within the same limits and times. */
function createRedirectingProxy(
  values: Values,
  metrics: Metrics,
  { deadlines, port }: { deadlines: ReturnType<typeof createDeadlines>; port: () => number },
): Proxy {
  const redirected = metrics.redirects.cell({ outcome: "redirected" });
  const refused = metrics.redirects.cell({ outcome: "refused" });
  const uncounted = { add: () => undefined };
  return createProxy({
    ...proxySettingsOf(values),
    deadlines,
    recordRequests: false,
    observer: {
      received: uncounted,
      sent: uncounted,
      onResponse: () => redirected.add(1),
      onRefused: () => refused.add(1),
      onUpstreamFailure: () => undefined,
      onAborted: () => undefined,
    },
    route: (head) => answerOf(secureUrlOf(head, port())),
  });
}

/** 308 has the client send the same method and body again; an old client may not know the meaning, but sees the link. */
function answerOf(url: string | undefined): Answer | Refusal {
  if (url === undefined) return REFUSALS.noHost;
  return { status: 308, lines: `Location: ${url}\r\nContent-Type: text/plain\r\n`, body: "this is served by HTTPS\n" };
}
