// Takes the PROXY header off connections of trusted proxies before TLS begins, and keeps what it says.
import { createServer } from "node:net";
import type { Server, Socket } from "node:net";

import { createTrust, plainAddress } from "@outrigger/http";

import type { Values } from "./policy.ts";
import { parseProxyHeader } from "./proxy-protocol.ts";
import type { Ends } from "./proxy-protocol.ts";

export type ProxyFront = {
  /** The one that listens. */
  readonly server: Server;
  /** Begins TLS on `tls`; `onBad` hears of headers that are none, or that do not come. */
  passTo(tls: Server, onBad: (address: string | undefined) => void): void;
  /** The ends that a proxy has told of a connection, by the socket that TLS runs on. */
  endsOf(socket: Pick<Socket, "remoteAddress" | "remotePort">): Ends | undefined;
};

/** What is read at most before a header has to be whole. */
const MAX_HEADER = 8192;

export function createProxyFront(values: Values): ProxyFront {
  const isTrusted = createTrust(values.trustedProxies);
  const told = new Map<string, Ends>();
  const keyOf = ({ remoteAddress, remotePort }: Pick<Socket, "remoteAddress" | "remotePort">): string =>
    `${remoteAddress} ${remotePort}`;
  const server = createServer({ allowHalfOpen: values.mode === "tcp", noDelay: true });
  return {
    server,
    endsOf: (socket) => told.get(keyOf(socket)),
    passTo: (tls, onBad) => {
      server.on("connection", (socket: Socket) => {
        // It may have been one too many.
        if (socket.destroyed) return;
        if (!isTrusted(plainAddress(socket.remoteAddress ?? ""))) {
          tls.emit("connection", socket);
          return;
        }
        const key = keyOf(socket);
        readHeader(socket, values.handshakeTimeout, (ends) => {
          if (ends === null) {
            onBad(socket.remoteAddress);
            socket.destroy();
            return;
          }
          if (ends !== undefined) told.set(key, ends);
          socket.once("close", () => told.delete(key));
          tls.emit("connection", socket);
        });
      });
    },
  };
}

/** Gives the ends, undefined where the proxy speaks for itself, null where there is no header. */
function readHeader(socket: Socket, timeoutMs: number, done: (ends: Ends | undefined | null) => void): void {
  let gathered = Buffer.alloc(0);
  const finish = (ends: Ends | undefined | null): void => {
    clearTimeout(timer);
    socket.off("readable", onReadable);
    socket.off("end", onEnd);
    socket.off("error", onEnd);
    done(ends);
  };
  const onEnd = (): void => finish(null);
  const onReadable = (): void => {
    for (let bytes: Buffer | null; (bytes = socket.read() as Buffer | null) !== null;) {
      gathered = Buffer.concat([gathered, bytes]);
    }
    const header = parseProxyHeader(gathered);
    if (header === null || (header === undefined && gathered.length > MAX_HEADER)) return finish(null);
    if (header === undefined) return undefined;
    if (header.length < gathered.length) socket.unshift(gathered.subarray(header.length));
    return finish(header.ends);
  };
  const timer = setTimeout(onEnd, timeoutMs);
  socket.on("readable", onReadable);
  socket.on("end", onEnd);
  socket.on("error", onEnd);
}
