// One client's connection: cuts what arrives into requests, serves them one after another, and ends in good order.
import { STATUS_CODES } from "node:http";
import { Socket } from "node:net";

import type { Timed } from "./deadlines.ts";
import { Exchange } from "./exchange.ts";
import { INCOMPLETE, REFUSED } from "./field-section.ts";
import { StuckBytes } from "./flight.ts";
import type { ForwardingLines } from "./forwarding.ts";
import { createForwardingLines } from "./forwarding.ts";
import type { Peer } from "./peer.ts";
import type { ProxyCore } from "./proxy.ts";
import type { Refusal } from "./refusals.ts";
import { REFUSALS } from "./refusals.ts";
import { LF } from "./syntax.ts";

/** What is gathered of pipelined requests while one is served; then the client has to wait. */
const MAX_PENDING_BYTES = 64 * 1024;
/** How long an idle connection may still send a request once draining has begun. */
const DRAIN_IDLE_MS = 1000;

/** What a client's connection has to be able to do; a socket is one. */
export type ClientSocket = {
  readonly destroyed: boolean;
  /** Bytes that have been written and have not left. */
  readonly writableLength: number;
  on(event: string, listener: (bytes: Buffer) => void): unknown;
  /** False asks to wait for `drain`. */
  write(data: Buffer | string, encoding: "latin1"): boolean;
  end(): unknown;
  pause(): unknown;
  resume(): unknown;
  destroy(): unknown;
};

export class ClientConnection implements Timed {
  readonly core: ProxyCore;
  readonly socket: ClientSocket;
  readonly peer: Peer;
  readonly forwarding: ForwardingLines;
  deadline: number;
  readonly #exchange: Exchange;
  /** Bytes that cannot be used yet: an incomplete head, or requests behind the one that is served. */
  #pending: Buffer | undefined;
  /** Whether `#pending` is the beginning of a head: it has been parsed, and only a new line end can complete it. */
  #headBegan = false;
  #paused = false;
  /** Responses are waiting to be sent, so no more requests are taken on. */
  #clogged = false;
  #ending = false;
  /** What of its responses waits to be sent, as the whole process counts it. */
  readonly #stuck: StuckBytes;
  /** A request waits until the process has room for it; takes that back. */
  #giveUpWaiting: (() => void) | undefined;
  /** Its time is over: what is served now is the last. */
  retired = false;

  constructor(core: ProxyCore, socket: ClientSocket, peer: Peer) {
    this.core = core;
    this.socket = socket;
    this.peer = peer;
    this.forwarding = createForwardingLines(peer, core.names, core.isTrusted);
    this.#stuck = new StuckBytes(core.flight);
    this.#exchange = new Exchange(this);
    this.deadline = performance.now() + core.timeouts.headMs;
    core.connections.add(this);
    core.deadlines.add(this);
    socket.on("data", (bytes: Buffer) => this.#onData(bytes));
    socket.on("drain", () => this.#onDrain());
    socket.on("end", () => this.#onEnd());
    socket.on("error", () => undefined);
    socket.on("close", () => this.#onClose());
  }

  /** Sends to the client; false asks to wait for `onClientDrain`. */
  write(bytes: Buffer | string): boolean {
    if (this.#ending) return true;
    this.core.observer.sent.add(bytes.length);
    this.#clogged = !this.socket.write(bytes, "latin1");
    if (this.#clogged) this.#stuck.set(this.socket.writableLength);
    return !this.#clogged;
  }

  /** Whether no request is to follow the one that is served. */
  get last(): boolean {
    return this.retired || this.core.draining || this.#exchange.served >= (this.core.maxRequests ?? Infinity);
  }

  /** Whether it has been told to wait. */
  get paused(): boolean {
    return this.#paused;
  }

  /** Something has to happen by then, in the milliseconds of performance.now(). */
  expectBy(time: number): void {
    if (!this.#ending) this.deadline = time;
  }

  pause(): void {
    this.#paused = true;
    this.socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.socket.resume();
  }

  /** The exchange is over; the connection goes on with the next request, or ends. */
  exchangeDone(keep: boolean): void {
    if (!keep) {
      this.end();
      return;
    }
    this.deadline = performance.now() + this.core.timeouts.idleMs;
    if (this.last) this.drain();
    this.resume();
    this.#takePending();
  }

  /** What the client sent behind a request that has become a tunnel. */
  takeTunnelBytes(): Buffer | undefined {
    const pending = this.#pending;
    this.#pending = undefined;
    this.resume();
    return pending;
  }

  /** Answers in the application's place. The connection goes on only when the request is known to have ended. */
  refuse(refusal: Refusal, { keep = false, exchange }: { keep?: boolean; exchange?: Exchange } = {}): void {
    const { status, reason, text } = refusal;
    this.core.observer.onRefused(refusal, this.peer, exchange);
    const body = `${status} ${reason}: ${text}\n`;
    const connection = keep ? "" : "Connection: close\r\n";
    const fields = `Content-Type: text/plain\r\nContent-Length: ${body.length}\r\n${connection}${this.core.response.lines}`;
    this.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${fields}\r\n${exchange?.isHead === true ? "" : body}`);
    this.exchangeDone(keep);
  }

  /** Ends our side; what still arrives is dropped, until the client ends too or the time is over. */
  end(): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#pending = undefined;
    this.deadline = performance.now() + this.core.timeouts.closeMs;
    this.socket.end();
    this.socket.resume();
  }

  destroy(): void {
    this.#ending = true;
    this.socket.destroy();
  }

  /** Cuts it so that what was sent cannot be taken for whole: TCP needs a reset for that, TLS has its own end. */
  reset(): void {
    this.#ending = true;
    if (this.socket instanceof Socket && !("encrypted" in this.socket)) this.socket.resetAndDestroy();
    else this.socket.destroy();
  }

  /** It is to end: an idle connection is ended soon, one in use (or about to be) after its response. */
  drain(): void {
    if (this.#exchange.active || this.#ending || this.#pending !== undefined) return;
    this.deadline = Math.min(this.deadline, performance.now() + DRAIN_IDLE_MS);
  }

  retire(): void {
    this.retired = true;
    if (this.#exchange.active && this.#exchange.tunnel) this.destroy();
    else this.drain();
  }

  onDeadline(): void {
    if (this.#ending) this.destroy();
    else if (this.#giveUpWaiting !== undefined) this.#onNoRoom();
    else if (this.#exchange.active) this.#exchange.onDeadline();
    else if (this.#headBegan) this.refuse(REFUSALS.headTimeout);
    else this.end();
  }

  #onData(bytes: Buffer): void {
    this.core.observer.received.add(bytes.length);
    if (this.#ending) return;
    if (this.#pending === undefined) this.#consume(bytes);
    else {
      const gathered = Buffer.concat([this.#pending, bytes]);
      const canComplete = !this.#headBegan || bytes.includes(LF) || gathered.length > this.core.limits.maxHeadBytes;
      if (canComplete) this.#consume(gathered);
      else this.#pending = gathered;
    }
  }

  #takePending(): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending !== undefined) this.#consume(pending);
  }

  #consume(bytes: Buffer): void {
    this.#pending = undefined;
    let at = 0;
    while (at < bytes.length && !this.#ending) {
      const exchange = this.#exchange;
      const wait = exchange.active ? exchange.requestDone && !exchange.tunnel : this.#clogged;
      if (wait) {
        this.#keepForLater(bytes, at);
        return;
      }
      if (!exchange.active) at = this.#startRequest(bytes, at);
      else if (!exchange.requestDone) at = exchange.takeBody(bytes, at);
      else {
        exchange.takeTunnelled(at === 0 ? bytes : bytes.subarray(at));
        return;
      }
      if (at < 0) return;
    }
  }

  /** Starts serving the request at `at`; gives the offset behind its head, or -1 when there is no whole one. */
  #startRequest(bytes: Buffer, at: number): number {
    if (this.core.flight.full) {
      this.#waitForRoom(bytes, at);
      return -1;
    }
    const parser = this.core.requestParser;
    const end = parser.parseRequest(bytes, at);
    if (end === REFUSED) {
      this.refuse(parser.refusal);
      return -1;
    }
    if (end === INCOMPLETE) {
      // Empty lines may stand before a request, but do not begin one.
      this.#headBegan &&= parser.start < bytes.length;
      if (parser.start === bytes.length) return -1;
      // The first head of a connection has had its time since the connection began.
      if (!this.#headBegan && this.#exchange.served > 0) this.deadline = performance.now() + this.core.timeouts.headMs;
      this.#headBegan = true;
      this.#pending = Buffer.from(bytes.subarray(at));
      return -1;
    }
    this.#headBegan = false;
    this.#exchange.begin(parser);
    return end;
  }

  /** Takes no more requests on while too much waits in this process. */
  #waitForRoom(bytes: Buffer, at: number): void {
    this.#pending = Buffer.from(bytes.subarray(at));
    this.pause();
    this.deadline = performance.now() + this.core.timeouts.responseMs;
    this.#giveUpWaiting ??= this.core.flight.whenRoom(() => {
      this.#giveUpWaiting = undefined;
      if (this.#ending) return;
      this.deadline = performance.now() + this.core.timeouts.headMs;
      this.resume();
      this.#takePending();
    });
  }

  #onNoRoom(): void {
    this.#stopWaiting();
    this.resume();
    this.refuse(REFUSALS.overloaded);
  }

  #stopWaiting(): void {
    this.#giveUpWaiting?.();
    this.#giveUpWaiting = undefined;
  }

  #keepForLater(bytes: Buffer, at: number): void {
    this.#pending = at === 0 ? bytes : Buffer.from(bytes.subarray(at));
    if (this.#clogged || this.#pending.length > MAX_PENDING_BYTES) this.pause();
  }

  #onDrain(): void {
    this.#clogged = false;
    this.#stuck.set(0);
    if (this.#exchange.active) {
      this.#exchange.onClientDrain();
      return;
    }
    this.resume();
    this.#takePending();
  }

  /** A client that ends its side is taken for gone: a closed connection begins like a half-closed one. */
  #onEnd(): void {
    if (this.#exchange.active) this.#exchange.onClientEnd();
    this.end();
  }

  #onClose(): void {
    this.#ending = true;
    this.#stuck.set(0);
    this.#stopWaiting();
    this.core.deadlines.delete(this);
    this.core.connections.delete(this);
    if (this.#exchange.active) this.#exchange.onClientGone();
    this.core.onConnectionGone();
  }
}
