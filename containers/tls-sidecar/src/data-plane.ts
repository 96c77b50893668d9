// What serves clients on one thread: a listener, and behind it the HTTP proxy or the byte relay.
import { connect } from "node:net";
import type { NetConnectOpts } from "node:net";
import type { TLSSocket } from "node:tls";

import { Upstream, createDeadlines, createProxy, createRelay, createTrust, plainAddress } from "@outrigger/http";
import type { Deadlines, Peer, Proxy, Relay } from "@outrigger/http";
import type { Address } from "@outrigger/options";
import type { Logger, Recorder } from "@outrigger/runtime";

import { createListener } from "./listener.ts";
import type { Listener, Metrics } from "./listener.ts";
import type { Material } from "./material.ts";
import { createObserver } from "./observer.ts";
import type { Values } from "./policy.ts";

export type DataPlaneSettings = {
  readonly values: Values;
  readonly material: Material;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly record: Recorder["record"];
  readonly shared: boolean;
  /** Called on each sweep of the timeouts, for liveness. */
  readonly beat?: () => void;
};

export type DataPlane = {
  listen(address: Address): Promise<Address>;
  update(material: Material, values: Values): void;
  /** Tells clients to go elsewhere after their next response, while still accepting. */
  discourage(): void;
  /** Accepts no more, and resolves when nothing is in flight. */
  drain(): Promise<void>;
  /** Ends everything at once. */
  close(): Promise<void>;
};

/** Serves one mode's clients. */
type Service = {
  serve(socket: TLSSocket, peer: Peer): void;
  discourage(): void;
  drain(): Promise<void>;
  close(): void;
};

export function createDataPlane(settings: DataPlaneSettings): DataPlane {
  const { values } = settings;
  const deadlines = createDeadlines(settings.beat);
  const service = values.mode === "http" ? httpService(settings, deadlines) : tcpService(settings, deadlines);
  const isTrusted = createTrust(values.trustedProxies);
  const listener: Listener = createListener({
    ...settings,
    onClient: (socket) => service.serve(socket, peerOf(socket, isTrusted)),
  });
  return {
    listen: listener.listen,
    update: listener.update,
    discourage: service.discourage,
    // The listener is closed when the last connection is, handshakes included; only then is there nothing in flight.
    drain: async () => void (await Promise.all([listener.close(), service.drain()])),
    close: async () => {
      const closed = listener.close();
      listener.destroyHandshakes();
      service.close();
      deadlines.stop();
      await closed;
    },
  };
}

function peerOf(socket: TLSSocket, isTrusted: (address: string) => boolean): Peer {
  const address = plainAddress(socket.remoteAddress ?? "");
  return { address, localPort: socket.localPort ?? 0, scheme: "https", trusted: isTrusted(address) };
}

function httpService({ values, metrics, record }: DataPlaneSettings, deadlines: Deadlines): Service {
  const upstream = new Upstream(
    values.target,
    { connectTimeoutMs: values.connectTimeout, keepAliveMs: values.targetKeepAlive, maxIdle: values.maxIdleTargets },
    deadlines,
  );
  const proxy: Proxy = createProxy({
    limits: { maxHeadBytes: values.maxHeaderSize, maxFields: values.maxHeaders },
    timeouts: {
      headMs: values.headerTimeout,
      idleMs: values.idleTimeout,
      responseMs: values.responseTimeout,
      tunnelMs: values.tunnelTimeout,
      closeMs: values.closeTimeout,
    },
    deadlines,
    observer: createObserver(metrics, values.accessLog ? record : undefined),
    recordRequests: values.accessLog,
    route: () => upstream,
    isTrusted: createTrust(values.trustedProxies),
  });
  return {
    serve: proxy.serve,
    discourage: proxy.discourage,
    drain: proxy.drain,
    close: () => {
      proxy.close();
      upstream.close();
    },
  };
}

function tcpService({ values, metrics, record }: DataPlaneSettings, deadlines: Deadlines): Service {
  const relays = new Set<Relay>();
  const received = metrics.received.cell({});
  const sent = metrics.sent.cell({});
  const refused = metrics.targetErrors.cell({ reason: "connect_refused" });
  const timedOut = metrics.targetErrors.cell({ reason: "connect_timeout" });
  return {
    serve: (socket, peer) => {
      const began = performance.now();
      const target = connect({ ...values.target, noDelay: true, allowHalfOpen: true } as NetConnectOpts);
      const timer = setTimeout(() => {
        timedOut.add(1);
        target.destroy();
      }, values.connectTimeout);
      let connected = false;
      target.once("connect", () => {
        connected = true;
        clearTimeout(timer);
      });
      target.once("error", () => {
        if (!connected) refused.add(1);
      });
      const relay = createRelay(socket, target, {
        deadlines,
        idleMs: values.tunnelTimeout,
        closeMs: values.closeTimeout,
        received,
        sent,
      });
      relays.add(relay);
      void relay.closed.then(() => {
        clearTimeout(timer);
        relays.delete(relay);
        if (!values.accessLog) return;
        record("connection", { client: peer.address, connected, milliseconds: Math.round(performance.now() - began) });
      });
    },
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
