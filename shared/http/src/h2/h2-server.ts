// Serves clients that speak HTTP/2 by the same proxy that serves HTTP/1.1: each stream is a request like any other, with the
// same checks, limits and time-outs.
import type { Duplex } from "node:stream";

import type { Peer } from "../peer.ts";
import type { ProxyCore, Serving } from "../proxy.ts";
import { REFUSALS } from "../refusals.ts";
import { createChannels } from "./channels.ts";
import { ERROR } from "./frames.ts";
import { Http2Connection } from "./h2-connection.ts";
import { createBridge } from "./h2c-bridge.ts";
import { createHeadReader } from "./response-encoder.ts";

/** Bounds of a client's connection. */
export type Http2Limits = {
  readonly maxStreams: number;
  /** Streams that a client may break off in a second; more of them are an attack (CVE-2023-44487, CVE-2025-8671). */
  readonly maxResetsPerSecond: number;
};

/**
 * What may be under way of one message's body, and of all of a connection's, in bytes. A body that ends where its window
 * does gets a reset for its end from Node's server and others that are built on nghttp2, so the window is no size that
 * bodies have.
 */
const STREAM_WINDOW = 256 * 1024 - 1;
const CONNECTION_WINDOW = 1024 * 1024;

/** Makes what serves HTTP/2 on connected sockets, for one proxy. */
export function createHttp2Server(
  core: ProxyCore,
  limits: Http2Limits,
): (socket: Duplex, peer: Peer) => Serving & { drain(): void; destroy(): void } {
  // Bytes are counted here, as they pass on the connection; what its streams make of them is only ours.
  const uncounted = { add: () => undefined };
  const streamCore: ProxyCore = Object.create(core, {
    observer: { value: { ...core.observer, received: uncounted, sent: uncounted } },
  });
  const head = createHeadReader(core.limits.maxFields);
  const settings = {
    fields: { maxListBytes: core.limits.maxHeadBytes, maxFields: core.limits.maxFields },
    streamWindow: STREAM_WINDOW,
    connectionWindow: CONNECTION_WINDOW,
    timeouts: core.timeouts,
  };
  return (socket, peer) => {
    let served = 0;
    const streams =
      core.h2c === undefined
        ? createChannels(streamCore, { peer, head })
        : createBridge(streamCore, { peer, head, target: core.h2c, settings });
    const connection = new Http2Connection(socket, {
      role: "server",
      ...settings,
      ...limits,
      received: core.observer.received,
      sent: core.observer.sent,
      onStream: (stream) => {
        if (++served === core.maxRequests) connection.drain();
        return streams.onStream(stream);
      },
      onAbuse: (code) =>
        core.observer.onRefused(code === ERROR.enhanceYourCalm ? REFUSALS.tooMuch : REFUSALS.badFrame, peer, undefined),
      onClose: () => {
        streams.close();
        core.deadlines.delete(connection);
        core.connections.delete(connection);
        core.onConnectionGone();
      },
    });
    core.deadlines.add(connection);
    core.connections.add(connection);
    return { retire: () => connection.drain(), drain: () => connection.drain(), destroy: () => connection.destroy() };
  };
}
