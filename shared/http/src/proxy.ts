// The HTTP/1.1 reverse proxy on sockets and bytes. A caller hands it connected sockets and a function that chooses the
// upstream of each request; it rewrites heads, re-frames bodies and passes them on with back-pressure.
import type { Duplex } from "node:stream";

import type { BodyLimits } from "./body-watch.ts";
import { ClientConnection } from "./client-connection.ts";
import type { Deadlines } from "./deadlines.ts";
import type { Exchange } from "./exchange.ts";
import { FIELD, createFieldNames } from "./field-names.ts";
import type { FieldNames } from "./field-names.ts";
import { FieldSection } from "./field-section.ts";
import type { HeadLimits } from "./field-section.ts";
import { createFlight } from "./flight.ts";
import type { Flight } from "./flight.ts";
import { FORWARDING_FIELDS } from "./forwarding.ts";
import { createHttp2Server } from "./h2/h2-server.ts";
import type { Http2Limits } from "./h2/h2-server.ts";
import type { H2cTarget } from "./h2/h2c-bridge.ts";
import { HeadParser } from "./head-parser.ts";
import type { FieldRule } from "./message-writer.ts";
import { MessageWriter } from "./message-writer.ts";
import type { Peer } from "./peer.ts";
import type { Refusal } from "./refusals.ts";
import { createResponseRules } from "./response-rules.ts";
import type { ResponseRules, ResponseSettings } from "./response-rules.ts";
import type { Upstream } from "./upstream.ts";

/** All in milliseconds. */
export type ProxyTimeouts = {
  /** From a head's first byte, or the connection's beginning, to the head's last byte. */
  readonly headMs: number;
  /** A kept-alive connection without a request, or a body of which nothing moves. */
  readonly idleMs: number;
  /** From a request's last byte to the first byte of its answer. */
  readonly responseMs: number;
  /** An upgraded connection on which nothing moves. */
  readonly tunnelMs: number;
  /** How long a connection that we have ended may take to end on the other side. */
  readonly closeMs: number;
};

/** Something that adds up. */
export type Sum = { add(amount: number): void };

/** A request and its response, as they are told of. */
export type Served = Pick<Exchange, "requestLine" | "host" | "status" | "complete" | "startedAt"> & {
  readonly upstream?: Upstream | undefined;
  readonly client: { readonly peer: Peer };
};

/** Hears of what happens; called on the hot path, so it must be quick. */
export type ProxyObserver = {
  readonly received: Sum;
  readonly sent: Sum;
  /** A response has been passed on whole, or broke off (`exchange.complete` tells); valid during the call only. */
  onResponse(exchange: Served): void;
  /** A request was answered by the proxy itself. `exchange` is undefined when it had not come that far. */
  onRefused(refusal: Refusal, peer: Peer, exchange: Served | undefined): void;
  /** `upstream` is the one that failed, where several are chosen from. */
  onUpstreamFailure(failure: Refusal, upstream?: Upstream): void;
  /** The client went away while its request was being served. */
  onAborted(exchange: Served): void;
};

/** An answer of the caller's own: lines with their CR LF, and an ASCII body. */
export type Answer = { readonly status: number; readonly lines: string; readonly body: string };

export type ProxySettings = {
  readonly limits: HeadLimits;
  readonly timeouts: ProxyTimeouts;
  readonly deadlines: Deadlines;
  readonly observer: ProxyObserver;
  /** Whether exchanges keep their request line and host as text, for an access log. */
  readonly recordRequests: boolean;
  /** Request fields, in lower case, that only `Peer.lines` may set: a client's are removed, in any spelling, trailers included. */
  readonly ownedFields?: readonly string[];
  readonly bodies?: BodyLimits;
  /** After so many requests a connection is ended in good order. */
  readonly maxRequests?: number | undefined;
  /** What bounds the bytes that wait in the whole process; by default nothing does. */
  readonly flight?: Flight;
  /** Clients that speak HTTP/2 are served with these bounds; without them, nobody is taken to speak it. */
  readonly http2?: Http2Limits;
  /** Where requests of HTTP/2 go as they are, to an application that speaks it in plain text; `route` may still answer. */
  readonly h2c?: H2cTarget;
  /** What is changed in responses. */
  readonly response?: ResponseSettings;
  /**
   * Chooses the upstream of one request, or what to answer in its place; undefined answers 503. Offsets and texts of the
   * head are valid in the call.
   */
  route(head: HeadParser, peer: Peer): Upstream | Answer | Refusal | undefined;
  /**
   * Chooses another upstream, once, for a request that may be sent again: nothing of an answer has come, it has no body, and
   * it is idempotent or was never sent. The head is the one that the first upstream was to get. Undefined: the client is told.
   */
  reroute?(head: HeadParser, peer: Peer, failed: Upstream): Upstream | undefined;
  /** Whether a forwarding chain's address is a proxy that may be believed. */
  isTrusted(address: string): boolean;
};

/** What the connections of one proxy share: as parsing is done within one turn, one parser serves them all. */
export type ProxyCore = Omit<ProxySettings, "response" | "bodies" | "flight"> & {
  readonly bodies: BodyLimits;
  readonly flight: Flight;
  readonly names: FieldNames;
  readonly requestParser: HeadParser;
  readonly responseParser: HeadParser;
  readonly trailerParser: FieldSection;
  readonly writer: MessageWriter;
  readonly requestFields: FieldRule;
  readonly response: ResponseRules;
  readonly connections: Set<{ drain(): void; destroy(): void }>;
  draining: boolean;
  onConnectionGone(): void;
};

/** A connection that is being served. */
export type Serving = {
  /** The response in flight is the last, an idle connection is ended soon, an upgraded one at once. */
  retire(): void;
};

export type Proxy = {
  /** Serves requests on a connected socket, TLS or not, until it closes; `peer.protocol` says in which protocol. */
  serve(socket: Duplex, peer: Peer): Serving;
  /** From now on responses carry Connection: close, and idle connections are ended soon. */
  discourage(): void;
  /** Discourages, and resolves once there is no connection. Stop accepting first, or there may be new ones later. */
  drain(): Promise<void>;
  /** Ends all connections at once. */
  close(): void;
};

export function createProxy(settings: ProxySettings): Proxy {
  const names = createFieldNames([...FORWARDING_FIELDS, ...(settings.ownedFields ?? [])]);
  const response = createResponseRules(settings.response ?? {});
  let waiting: (() => void)[] = [];
  const discourage = (): void => {
    core.draining = true;
    for (const connection of core.connections) connection.drain();
  };
  const core: ProxyCore = {
    ...settings,
    bodies: settings.bodies ?? {},
    flight: settings.flight ?? createFlight(Infinity),
    names,
    requestParser: new HeadParser(names, settings.limits),
    responseParser: new HeadParser(response.names, settings.limits),
    trailerParser: new FieldSection(names, settings.limits),
    writer: new MessageWriter(),
    requestFields: { dropped: requestTable(names.size), dropAliases: true },
    response,
    connections: new Set(),
    draining: false,
    onConnectionGone: () => {
      if (core.connections.size > 0) return;
      for (const resolve of waiting) resolve();
      waiting = [];
    },
  };
  const serveHttp2 = createHttp2Server(core, settings.http2 ?? { maxStreams: 0, maxResetsPerSecond: 0 });
  return {
    serve: (socket, peer) => {
      if (peer.protocol === "h2" && !socket.destroyed) return serveHttp2(socket, peer);
      // One that has closed already would never say so again.
      const connection = socket.destroyed ? undefined : new ClientConnection(core, socket, peer);
      return { retire: () => connection?.retire() };
    },
    discourage,
    drain: () => {
      discourage();
      return new Promise((resolve) => {
        waiting.push(resolve);
        core.onConnectionGone();
      });
    },
    close: () => {
      for (const connection of core.connections) connection.destroy();
    },
  };
}

/** Requests: framing and hop-by-hop fields are written anew, forwarding fields and the caller's are ours alone. */
function requestTable(size: number): Uint8Array {
  const table = new Uint8Array(size).fill(1);
  for (const id of [0, FIELD.host, FIELD.trailer]) table[id] = 0;
  return table;
}
