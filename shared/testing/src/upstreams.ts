// The applications that stand behind a container in a test: an HTTP server, a server that says exactly the scripted
// bytes, and an echo.
import type { RequestListener, Server as HttpServer } from "node:http";
import { createServer as createHttpServer } from "node:http";
import type { Socket } from "node:net";
import { createServer } from "node:net";

import type { Listening, ListenOptions } from "./listening.ts";
import { listen } from "./listening.ts";

export type App = Listening & {
  /** How many requests were received so far. */
  readonly requests: number;
  /** For what a request handler does not see: `upgrade`, `connect`, time-outs. */
  readonly server: HttpServer;
};

/** An HTTP/1.1 application by Node's own server. */
export async function startApp(handler: RequestListener, options: ListenOptions = {}): Promise<App> {
  let requests = 0;
  const server = createHttpServer((request, response) => {
    requests++;
    handler(request, response);
  });
  const listening = await listen(server, options);
  const counters = {
    server,
    get requests() {
      return requests;
    },
  };
  // The getters have to stay getters: a spread would freeze the counts.
  return Object.defineProperties(listening, Object.getOwnPropertyDescriptors(counters)) as App;
}

/** A TCP server for byte-exact upstreams: `onConnection` reads and writes each socket as it likes. */
export function startRawServer(
  onConnection: (socket: Socket) => void,
  options: ListenOptions & { readonly allowHalfOpen?: boolean } = {},
): Promise<Listening> {
  const server = createServer({ allowHalfOpen: options.allowHalfOpen ?? false, noDelay: true }, onConnection);
  return listen(server, options);
}

/** Sends back what it receives, and ends when the peer has ended. */
export function startEchoServer(options: ListenOptions = {}): Promise<Listening> {
  return startRawServer((socket) => socket.pipe(socket), { ...options, allowHalfOpen: true });
}
