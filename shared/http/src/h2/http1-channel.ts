// A client of HTTP/2, stream by stream, as a client of HTTP/1.1: what the stream brings becomes requests for one of our
// client connections, and what that answers becomes the stream's response. A channel serves one stream after another.
import { BODY, BodyDecoder } from "../body-decoder.ts";
import type { ClientSocket } from "../client-connection.ts";
import type { FieldSection } from "../field-section.ts";
import type { Flight } from "../flight.ts";
import type { HeadParser } from "../head-parser.ts";
import type { Refusal } from "../refusals.ts";
import { REFUSALS } from "../refusals.ts";
import { framingOf } from "../response-head.ts";
import type { Field } from "./field.ts";
import { ERROR } from "./frames.ts";
import type { ErrorCode } from "./frames.ts";
import type { Http2Stream, StreamUser } from "./h2-stream.ts";
import type { HpackEncoder } from "./hpack-encoder.ts";
import { requestTextOf, trailerTextOf } from "./message-text.ts";
import { encodeFields, encodeLines } from "./response-encoder.ts";

/** What the channels of a connection share. */
export type ChannelSettings = {
  readonly head: HeadParser;
  readonly trailers: FieldSection;
  readonly flight: Flight;
  readonly encoder: HpackEncoder;
  /** The channel can take another stream. */
  onFree(channel: Http1Channel): void;
  /** The channel can take no more. */
  onGone(channel: Http1Channel): void;
  /** A request was not one, or there was no room for its body; the stream has been reset. */
  onRefused(refusal: Refusal): void;
};

const LAST_CHUNK = Buffer.from("0\r\n\r\n", "latin1");

export class Http1Channel implements ClientSocket, StreamUser {
  readonly #settings: ChannelSettings;
  readonly #listeners = new Map<string, (bytes: Buffer) => void>();
  #stream: Http2Stream | undefined;
  /** Answers a request that is too large to be read, as the connection would. */
  refuse: (refusal: Refusal) => void = () => undefined;
  destroyed = false;

  /** The request. */
  #isHead = false;
  #chunked = false;
  #paused = false;
  #held: Buffer[] = [];
  #heldBytes = 0;

  /** The response. */
  #inBody = false;
  #last = false;
  readonly #body: BodyDecoder;

  constructor(settings: ChannelSettings) {
    this.#settings = settings;
    this.#body = new BodyDecoder(settings.trailers);
  }

  /** Serves a stream; its head follows by `onHeaders`. */
  take(stream: Http2Stream): void {
    this.#stream = stream;
    this.#inBody = false;
    this.#last = false;
    // What was left of the stream before leaves without us.
    this.#emit("drain");
  }

  on(event: string, listener: (bytes: Buffer) => void): this {
    this.#listeners.set(event, listener);
    return this;
  }

  onHeaders(fields: readonly Field[] | undefined, end: boolean): void {
    if (this.#stream!.received > 0 || this.#chunked) this.#onTrailers(fields);
    else if (fields === undefined) this.refuse(REFUSALS.headTooLarge);
    else this.#onRequest(fields, end);
  }

  onData(bytes: Buffer, end: boolean): void {
    if (!this.#paused) this.#pass(bytes, end);
    else if (this.#settings.flight.full) this.#giveUp(REFUSALS.overloaded, ERROR.enhanceYourCalm);
    else {
      this.#held.push(bytes);
      this.#heldBytes += bytes.length;
      this.#settings.flight.add(bytes.length);
    }
  }

  onReset(): void {
    this.#stream = undefined;
    this.#leave();
  }

  onDrain(): void {
    this.#emit("drain");
  }

  get writableLength(): number {
    return this.#stream?.queued ?? 0;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    const held = this.#forgetHeld();
    for (const [index, bytes] of held.entries()) {
      const rest = index === held.length - 1 && this.#stream?.remoteEnded === true;
      if (this.#paused) this.onData(bytes, rest);
      else this.#pass(bytes, rest);
    }
  }

  /** Takes what the connection answers. */
  write(data: Buffer | string): boolean {
    const bytes = typeof data === "string" ? Buffer.from(data, "latin1") : data;
    let open = true;
    for (let at = 0; at < bytes.length && this.#stream !== undefined;) {
      if (this.#inBody) {
        at = this.#body.decode(bytes, at);
        open = this.#sendBody(bytes);
      } else at = this.#sendHead(bytes, at);
      if (at <= 0) {
        this.destroy();
        return true;
      }
    }
    return open;
  }

  /** The connection ends: after a whole response that is in order, within one the stream is broken off. */
  end(): this {
    this.destroy();
    return this;
  }

  destroy(): this {
    this.#stream?.reset(ERROR.internal);
    this.#stream = undefined;
    // Not at once: the connection is in the middle of what made it end.
    if (!this.destroyed) queueMicrotask(() => this.#leave());
    return this;
  }

  /** Takes what is held out of the accounts. */
  #forgetHeld(): Buffer[] {
    const held = this.#held;
    this.#settings.flight.release(this.#heldBytes);
    this.#held = [];
    this.#heldBytes = 0;
    return held;
  }

  #leave(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.#forgetHeld();
    this.#settings.onGone(this);
    this.#emit("close");
  }

  #emit(event: string, bytes?: Buffer): void {
    this.#listeners.get(event)?.(bytes!);
  }

  #onRequest(fields: readonly Field[], end: boolean): void {
    const request = requestTextOf(fields, end);
    if (request === undefined) {
      this.#malformed();
      return;
    }
    this.#isHead = request.isHead;
    this.#chunked = request.chunked;
    this.#stream!.expected = request.length;
    if (end && request.length > 0) this.#malformed();
    else this.#emit("data", Buffer.from(request.head, "latin1"));
  }

  #onTrailers(fields: readonly Field[] | undefined): void {
    const lines = fields === undefined ? undefined : trailerTextOf(fields);
    if (lines === undefined) this.#malformed();
    else if (this.#chunked) this.#emit("data", Buffer.from(`0\r\n${lines}\r\n`, "latin1"));
  }

  /** Passes on data of the request, and lets the client send as much again. */
  #pass(bytes: Buffer, end: boolean): void {
    const stream = this.#stream;
    if (bytes.length > 0) this.#emit("data", this.#chunked ? chunkOf(bytes) : bytes);
    if (end && this.#chunked && this.#stream !== undefined) this.#emit("data", LAST_CHUNK);
    stream?.consumed(bytes.length);
  }

  #malformed(): void {
    this.#giveUp(REFUSALS.malformedMessage, ERROR.protocol);
  }

  #giveUp(refusal: Refusal, code: ErrorCode): void {
    this.#settings.onRefused(refusal);
    this.#stream?.reset(code);
    this.onReset();
  }

  #sendHead(bytes: Buffer, from: number): number {
    const { head, encoder } = this.#settings;
    const end = head.parseResponse(bytes, from);
    if (end <= 0) return end;
    const interim = head.status < 200;
    this.#body.begin(framingOf(head, this.#isHead), head.contentLength);
    this.#inBody = !interim;
    this.#last = head.close;
    const done = !interim && this.#body.done;
    this.#stream!.sendHeaders(encodeFields(encoder.begin().status(head.status), head).take(), done);
    if (done) this.#finish();
    return end;
  }

  #sendBody(bytes: Buffer): boolean {
    const { ranges, done, trailers, framing } = this.#body;
    const stream = this.#stream!;
    const inTrailers = done && framing === BODY.chunked && trailers !== "";
    let open = true;
    for (let i = 0; i < ranges.length; i += 2) {
      const end = done && !inTrailers && i + 2 === ranges.length;
      open = stream.sendData(bytes.subarray(ranges[i], ranges[i + 1]), end);
    }
    if (inTrailers) stream.sendTrailers(encodeLines(this.#settings.encoder.begin(), trailers).take());
    else if (done && ranges.length === 0) stream.sendData(undefined, true);
    if (done) this.#finish();
    return open;
  }

  /** The response is whole: what of it has not left does so without us. */
  #finish(): void {
    const stream = this.#stream!;
    this.#stream = undefined;
    stream.user = undefined;
    const served = stream.remoteEnded && this.#heldBytes === 0;
    if (!stream.remoteEnded) stream.abandon();
    if (served && !this.#last) this.#settings.onFree(this);
  }
}

function chunkOf(bytes: Buffer): Buffer {
  const size = `${bytes.length.toString(16)}\r\n`;
  const chunk = Buffer.allocUnsafe(size.length + bytes.length + 2);
  const at = chunk.write(size, 0, "latin1");
  bytes.copy(chunk, at);
  chunk.write("\r\n", at + bytes.length, "latin1");
  return chunk;
}
