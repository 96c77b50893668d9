// Mode tcp: each client gets a connection to the application, and bytes pass as they are.
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";

import { connectReading, createRelay } from "@outrigger/http";
import type { Deadlines, Deliver, Relay } from "@outrigger/http";

import type { DataPlaneSettings, Service, SidecarPeer } from "./data-plane.ts";
import type { Metrics } from "./listener.ts";
import type { Values } from "./policy.ts";
import { writeProxyHeader } from "./proxy-protocol.ts";
import type { ProxyVersion } from "./proxy-protocol.ts";

export function createTcpService({ values, metrics, record }: DataPlaneSettings, deadlines: Deadlines): Service {
  const relays = new Set<Relay>();
  const settings = {
    deadlines,
    idleMs: values.tunnelTimeout,
    closeMs: values.closeTimeout,
    received: metrics.received.cell({}),
    sent: metrics.sent.cell({}),
  };
  return {
    serve: (socket, peer) => {
      const { address } = peer;
      const began = performance.now();
      const header = values.proxyProtocol === "off" ? undefined : headerOf(values.proxyProtocol, socket, peer);
      const connect = (deliver: Deliver): Socket => {
        const target = connectTarget(values, metrics, deliver);
        if (header !== undefined) target.write(header);
        return target;
      };
      const relay = createRelay(socket, connect, settings);
      relays.add(relay);
      void relay.closed.then(({ received, sent }) => {
        relays.delete(relay);
        if (!values.accessLog) return;
        const milliseconds = Math.round(performance.now() - began);
        record("connection", { client: address, received, sent, milliseconds });
      });
      return relay.destroy;
    },
    update: () => undefined,
    // Bytes have no place for such a word.
    discourage: () => undefined,
    drain: async () => {
      while (relays.size > 0) await Promise.all([...relays].map(({ closed }) => closed));
    },
    close: () => {
      for (const relay of relays) relay.destroy();
    },
  };
}

/** What the application is told of a client before its first byte. */
function headerOf(version: ProxyVersion, socket: TLSSocket, { ends, client }: SidecarPeer): Buffer {
  return writeProxyHeader(version, ends, {
    alpn: socket.alpnProtocol || undefined,
    serverName: (socket.servername as string | false | undefined) || undefined,
    version: socket.getProtocol() ?? "",
    cipher: socket.getCipher().name,
    client:
      client === undefined ? undefined : { commonName: client.identity.commonNames[0], der: client.certificate.raw },
  });
}

/** Connects to the application; whoever holds the socket sees a failure as its end, and here it is counted. */
function connectTarget(values: Values, metrics: Metrics, deliver: Deliver): Socket {
  const target = connectReading({ ...values.target, noDelay: true, allowHalfOpen: true }, deliver);
  let failure: "connect_refused" | "connect_timeout" | undefined = "connect_refused";
  const timer = setTimeout(() => {
    failure = "connect_timeout";
    target.destroy();
  }, values.connectTimeout);
  target.once("connect", () => {
    clearTimeout(timer);
    failure = undefined;
  });
  target.once("close", () => {
    clearTimeout(timer);
    if (failure !== undefined) metrics.targetErrors.inc({ reason: failure });
  });
  return target;
}
