// Carries a client's HTTP/2 connection to an application that speaks HTTP/2 in plain text (h2c): one connection to the
// application for each client's, made with the first request, so that no client waits for another.
import { connect } from "node:net";
import type { Socket } from "node:net";

import type { Timed } from "../deadlines.ts";
import { createForwardingLines } from "../forwarding.ts";
import type { HeadParser } from "../head-parser.ts";
import type { Peer } from "../peer.ts";
import type { ProxyCore } from "../proxy.ts";
import type { Refusal } from "../refusals.ts";
import { UPSTREAM_FAILURES } from "../refusals.ts";
import type { UpstreamAddress } from "../upstream.ts";
import { Http2Connection } from "./h2-connection.ts";
import type { Http2Settings } from "./h2-connection.ts";
import type { Http2Stream, StreamUser } from "./h2-stream.ts";
import { H2cExchange } from "./h2c-exchange.ts";
import { HpackEncoder } from "./hpack-encoder.ts";

export type H2cTarget = { readonly address: UpstreamAddress; readonly connectTimeoutMs: number };

type ConnectionSettings = Pick<Http2Settings, "fields" | "streamWindow" | "connectionWindow" | "timeouts">;

/** Makes what serves the streams of one client. `close` ends the application's side. */
export function createBridge(
  core: ProxyCore,
  { peer, head, target, settings }: { peer: Peer; head: HeadParser; target: H2cTarget; settings: ConnectionSettings },
): { onStream(stream: Http2Stream): StreamUser; close(): void } {
  const all = new Set<UpstreamLink>();
  let current: UpstreamLink | undefined;
  const forwarding = createForwardingLines(peer, core.names, core.isTrusted);
  const connectLink = (): UpstreamLink => {
    const made = new UpstreamLink(core, target, settings, () => {
      all.delete(made);
      if (current === made) current = undefined;
    });
    all.add(made);
    return made;
  };
  const bridge = {
    core,
    peer,
    forwarding,
    head,
    toClient: new HpackEncoder(),
    open: (user: (stream: Http2Stream) => StreamUser) => {
      // One that is going away keeps what it has.
      if (current?.connection.draining === true) current = undefined;
      current ??= connectLink();
      const link = current;
      const { connection, encoder } = link;
      return connection.hasRoom ? { stream: connection.open(user), encoder, failure: () => link.failure } : undefined;
    },
  };
  return {
    onStream: (stream) => new H2cExchange(bridge, stream),
    close: () => {
      for (const each of all) each.connection.destroy();
    },
  };
}

/** A connection to the application. */
class UpstreamLink implements Timed {
  readonly connection: Http2Connection;
  readonly encoder = new HpackEncoder();
  readonly #socket: Socket;
  /** Why it has ended, when it has. */
  failure: Refusal = UPSTREAM_FAILURES.connectRefused;
  deadline: number;

  constructor(core: ProxyCore, target: H2cTarget, settings: ConnectionSettings, onGone: () => void) {
    const uncounted = { add: () => undefined };
    this.#socket = connect({ ...target.address, noDelay: true });
    this.deadline = performance.now() + target.connectTimeoutMs;
    core.deadlines.add(this);
    this.#socket.once("connect", () => {
      core.deadlines.delete(this);
      this.failure = UPSTREAM_FAILURES.closedEarly;
    });
    // Before the streams hear of it, so that they can tell why.
    this.#socket.once("close", () => {
      core.deadlines.delete(this);
      core.deadlines.delete(this.connection);
      onGone();
    });
    this.connection = new Http2Connection(this.#socket, {
      ...settings,
      role: "client",
      maxStreams: Infinity,
      // Whatever the application does, it is believed not to attack us.
      maxResetsPerSecond: Infinity,
      received: uncounted,
      sent: uncounted,
      onStream: () => {
        throw new TypeError("a server opens no streams");
      },
      onAbuse: () => (this.failure = UPSTREAM_FAILURES.badResponse),
      onClose: () => undefined,
    });
    core.deadlines.add(this.connection);
  }

  /** Connecting took too long. */
  onDeadline(): void {
    this.failure = UPSTREAM_FAILURES.connectTimeout;
    this.#socket.destroy();
  }
}
