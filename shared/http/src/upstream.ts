// An upstream: one server, with a pool of kept-alive connections to it. Which upstream serves a request is the caller's
// choice, request by request; a pool only knows how to connect, lend and take back.
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ConnectionOptions } from "node:tls";

import type { Deadlines, Timed } from "./deadlines.ts";
import type { Refusal } from "./refusals.ts";
import { UPSTREAM_FAILURES } from "./refusals.ts";
import { connectReading } from "./socket-reader.ts";

/** Where an upstream is: a host and port, or the path of a Unix socket. */
export type UpstreamAddress = { readonly host: string; readonly port: number } | { readonly path: string };

export type UpstreamSettings = {
  readonly connectTimeoutMs: number;
  /** How long an unused connection is kept; less than the server keeps it, or a request may meet its end. */
  readonly keepAliveMs: number;
  readonly maxIdle: number;
  /** What TLS to it is opened with; in plain text without. */
  readonly tls?: ((address: UpstreamAddress) => ConnectionOptions) | undefined;
};

/** Who a connection is lent to. */
export type Borrower = {
  onUpstreamConnect(connection: UpstreamConnection): void;
  /** The bytes are valid in the call only; see `kept`. */
  onUpstreamData(connection: UpstreamConnection, bytes: Buffer): void;
  onUpstreamDrain(connection: UpstreamConnection): void;
  /** The server sends nothing more. */
  onUpstreamEnd(connection: UpstreamConnection): void;
  /** The connection is gone; `failure` says why when it never served. */
  onUpstreamClose(connection: UpstreamConnection, failure: Refusal): void;
};

/** A request that cannot be sent twice takes only a connection that answered this recently, or a new one. */
const FRESH_MS = 1000;

export class Upstream {
  readonly address: UpstreamAddress;
  readonly #settings: UpstreamSettings;
  readonly #deadlines: Deadlines;
  readonly #idle: UpstreamConnection[] = [];
  readonly #open = new Set<UpstreamConnection>();
  #closed = false;

  constructor(address: UpstreamAddress, settings: UpstreamSettings, deadlines: Deadlines) {
    this.address = address;
    this.#settings = settings;
    this.#deadlines = deadlines;
  }

  /** Lends a kept-alive connection, the one last used first, or a new one that is still connecting. */
  lend(borrower: Borrower, { replayable }: { replayable: boolean }): UpstreamConnection {
    const kept = this.#idle.at(-1);
    if (kept === undefined || (!replayable && performance.now() - kept.idleSince > FRESH_MS))
      return this.lendNew(borrower);
    this.#idle.pop();
    kept.deadline = 0;
    kept.reused = true;
    kept.borrower = borrower;
    return kept;
  }

  lendNew(borrower: Borrower): UpstreamConnection {
    const connection = new UpstreamConnection(this, this.#settings.tls, borrower);
    connection.deadline = performance.now() + this.#settings.connectTimeoutMs;
    this.#open.add(connection);
    this.#deadlines.add(connection);
    return connection;
  }

  /** Connections that serve a request now. */
  get lent(): number {
    return this.#open.size - this.#idle.length;
  }

  /** Takes back a connection whose last exchange is complete on both sides. */
  takeBack(connection: UpstreamConnection): void {
    connection.borrower = undefined;
    // What has not even been sent may never be: a server can answer before it has read a request to its end.
    const sent = connection.socket.writableLength === 0;
    if (this.#closed || !sent || this.#idle.length >= this.#settings.maxIdle) {
      connection.destroy();
      return;
    }
    connection.idleSince = performance.now();
    connection.deadline = connection.idleSince + this.#settings.keepAliveMs;
    this.#idle.push(connection);
  }

  forget(connection: UpstreamConnection): void {
    this.#deadlines.delete(connection);
    this.#open.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
  }

  /** Ends all connections, lent ones too, and keeps none from now on. */
  close(): void {
    this.#closed = true;
    for (const connection of this.#open) connection.destroy();
  }
}

export class UpstreamConnection implements Timed {
  readonly upstream: Upstream;
  readonly socket: Socket;
  /** Whoever it is lent to; undefined while it waits in the pool. */
  borrower: Borrower | undefined;
  /** It has served before, so the server may end it at any time for its own reasons. */
  reused = false;
  connected = false;
  idleSince = 0;
  deadline = 0;
  #failure: Refusal = UPSTREAM_FAILURES.connectRefused;

  constructor(upstream: Upstream, tls: UpstreamSettings["tls"], borrower: Borrower) {
    const { address } = upstream;
    this.upstream = upstream;
    this.borrower = borrower;
    const plain = { ...address, noDelay: true };
    const onData = (bytes: Buffer): void => this.#onData(bytes);
    this.socket =
      tls === undefined ? connectReading(plain, onData) : connectTls({ ...plain, ...tls(address) }).on("data", onData);
    this.socket.on(tls === undefined ? "connect" : "secureConnect", () => this.#onConnect());
    this.socket.on("drain", () => this.borrower?.onUpstreamDrain(this));
    this.socket.on("end", () => this.#onEnd());
    this.socket.on("error", () => undefined);
    this.socket.on("close", () => this.#onClose());
  }

  /** Connecting took too long, or it was kept long enough. */
  onDeadline(): void {
    if (!this.connected) this.#failure = UPSTREAM_FAILURES.connectTimeout;
    this.destroy();
  }

  /** Ends it; its borrower hears of it. It is out of the pool at once, not only when it has closed. */
  destroy(): void {
    this.upstream.forget(this);
    this.socket.destroy();
  }

  /** Ends it; its borrower has no more interest. */
  discard(): void {
    this.borrower = undefined;
    this.destroy();
  }

  /** Ends it once all that was written has been sent, which may take `ms`; its borrower has no more interest. */
  finish(ms: number): void {
    this.borrower = undefined;
    this.deadline = performance.now() + ms;
    this.socket.end();
    this.socket.resume();
  }

  #onConnect(): void {
    this.connected = true;
    this.deadline = 0;
    this.#failure = UPSTREAM_FAILURES.closedEarly;
    this.borrower?.onUpstreamConnect(this);
  }

  /** A server that speaks without being asked is not to be trusted with the next request. */
  #onData(bytes: Buffer): void {
    if (this.borrower !== undefined) this.borrower.onUpstreamData(this, bytes);
    else if (!this.socket.writableEnded) this.destroy();
  }

  #onEnd(): void {
    if (this.borrower !== undefined) this.borrower.onUpstreamEnd(this);
    else if (!this.socket.writableEnded) this.destroy();
  }

  #onClose(): void {
    this.upstream.forget(this);
    const { borrower } = this;
    this.borrower = undefined;
    borrower?.onUpstreamClose(this, this.#failure);
  }
}
