// Serves a client that speaks HTTP/2 by the same proxy that serves HTTP/1.1: its streams are clients of their own, with
// the same checks, limits and time-outs.
import type { Duplex } from "node:stream";

import { ClientConnection } from "../client-connection.ts";
import type { Peer } from "../peer.ts";
import type { ProxyCore, Serving } from "../proxy.ts";
import { REFUSALS } from "../refusals.ts";
import { ERROR } from "./frames.ts";
import { Http2Connection } from "./h2-connection.ts";
import { HpackEncoder } from "./hpack-encoder.ts";
import { Http1Channel } from "./http1-channel.ts";
import { createHeadReader } from "./response-encoder.ts";

/** Bounds of a client's connection. */
export type Http2Limits = {
  readonly maxStreams: number;
  /** Streams that a client may break off in a second; more of them are an attack (CVE-2023-44487, CVE-2025-8671). */
  readonly maxResetsPerSecond: number;
};

/** What may be under way of one request's body, and of all of a connection's, in bytes. */
const STREAM_WINDOW = 256 * 1024;
const CONNECTION_WINDOW = 1024 * 1024;

/** Serves HTTP/2 on connected sockets, for one proxy. */
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
  return (socket, peer) => {
    const free: Http1Channel[] = [];
    const settings = {
      head,
      trailers: core.trailerParser,
      encoder: new HpackEncoder(),
      onFree: (channel: Http1Channel) => void free.push(channel),
      onGone: (channel: Http1Channel) => {
        const at = free.indexOf(channel);
        if (at !== -1) free.splice(at, 1);
      },
      onMalformed: () => core.observer.onRefused(REFUSALS.malformedMessage, peer, undefined),
    };
    const newChannel = (): Http1Channel => {
      const channel = new Http1Channel(settings);
      const client = new ClientConnection(streamCore, channel, peer);
      channel.refuse = (refusal) => client.refuse(refusal);
      return channel;
    };
    const connection = new Http2Connection(socket, {
      role: "server",
      fields: { maxListBytes: core.limits.maxHeadBytes, maxFields: core.limits.maxFields },
      ...limits,
      streamWindow: STREAM_WINDOW,
      connectionWindow: CONNECTION_WINDOW,
      timeouts: core.timeouts,
      received: core.observer.received,
      sent: core.observer.sent,
      onStream: (stream) => {
        const channel = free.pop() ?? newChannel();
        channel.take(stream);
        return channel;
      },
      onAbuse: (code) =>
        core.observer.onRefused(code === ERROR.enhanceYourCalm ? REFUSALS.tooMuch : REFUSALS.badFrame, peer, undefined),
      onClose: () => {
        for (const channel of free) channel.destroy();
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
