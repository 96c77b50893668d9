// One stream of an HTTP/2 connection: its two windows, and what waits to be sent on it.
import type { Field } from "./field.ts";
import { ERROR } from "./frames.ts";
import type { ErrorCode } from "./frames.ts";

/** What uses a stream. */
export type StreamUser = {
  /** A header section: the message's head, an interim response's, or its trailers; undefined when it is too large. */
  onHeaders(fields: readonly Field[] | undefined, end: boolean): void;
  /** Valid beyond the call. What is done with goes to `stream.consumed`. */
  onData(bytes: Buffer, end: boolean): void;
  /** The peer, or the connection's end, has ended it before its time. */
  onReset(code: ErrorCode): void;
  /** What was sent has left, so there is room again. */
  onDrain(): void;
};

/** What a stream asks of its connection. */
export type StreamOwner = {
  sendHeaders(stream: Http2Stream, block: Buffer, end: boolean): void;
  sendData(stream: Http2Stream): void;
  sendReset(stream: Http2Stream, code: ErrorCode): void;
  credit(stream: Http2Stream, bytes: number): void;
};

export class Http2Stream {
  readonly id: number;
  readonly #owner: StreamOwner;
  user: StreamUser | undefined;
  /** How much the peer still takes. */
  sendWindow: number;
  /** How much the peer may still send, and how much of that has been used up and not been given back. */
  receiveWindow: number;
  spent = 0;
  localEnded = false;
  remoteEnded = false;
  /** Whether the peer's first header section has come, so that the next are trailers. */
  begun = false;
  /** The body's length as announced, -1 for unknown, and how much of it has come. */
  expected = -1;
  received = 0;
  /** What waits for a window, or for the connection. */
  readonly queue: Buffer[] = [];
  queued = 0;
  endQueued = false;
  /** Trailers that follow what waits. */
  trailers: Buffer | undefined;
  /** What the peer has still to send is not wanted; it is told once our side has ended. */
  abandoned = false;

  constructor(id: number, owner: StreamOwner, windows: { send: number; receive: number }) {
    this.id = id;
    this.#owner = owner;
    this.sendWindow = windows.send;
    this.receiveWindow = windows.receive;
  }

  get closed(): boolean {
    return this.localEnded && this.remoteEnded;
  }

  sendHeaders(block: Buffer, end: boolean): void {
    if (!this.localEnded) this.#owner.sendHeaders(this, block, end);
  }

  /** Sends data; false asks to wait for `onDrain`. */
  sendData(bytes: Buffer | undefined, end: boolean): boolean {
    if (this.localEnded || this.endQueued) return true;
    if (bytes !== undefined && bytes.length > 0) {
      this.queue.push(bytes);
      this.queued += bytes.length;
    }
    this.endQueued = end;
    this.#owner.sendData(this);
    return this.queued === 0;
  }

  /** Ends the stream with trailers behind all data. */
  sendTrailers(block: Buffer): void {
    this.trailers = block;
    this.sendData(undefined, true);
  }

  /** Lets the peer send so much more. */
  consumed(bytes: number): void {
    this.#owner.credit(this, bytes);
  }

  /** Our side is whole, and what is left of the peer's is of no interest (RFC 9113 section 8.1). */
  abandon(): void {
    this.abandoned = true;
    if (this.localEnded) this.reset(ERROR.none);
  }

  /** Ends it before its time; its user hears nothing more. */
  reset(code: ErrorCode): void {
    this.user = undefined;
    this.#owner.sendReset(this, code);
  }
}
