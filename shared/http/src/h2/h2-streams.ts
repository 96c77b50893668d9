// The streams of one HTTP/2 connection: which there are, what may be sent on them in either direction, and how they end
// (RFC 9113 section 5).
import { createBudget } from "./budget.ts";
import type { Field } from "./field.ts";
import type { FrameSender } from "./frame-sender.ts";
import type { ErrorCode, Frame } from "./frames.ts";
import { ERROR, FLAG, MAX_WINDOW, TYPE, headersFrames, numbersFrame, trimPayload } from "./frames.ts";
import type { Http2Settings } from "./h2-connection.ts";
import { Http2Stream } from "./h2-stream.ts";
import type { StreamOwner, StreamUser } from "./h2-stream.ts";

/** Frames in a second that move nothing: more of them are an attack. */
const MAX_IDLE_FRAMES = 1000;
/** Smaller updates of a window make more work than they are worth. */
const SMALL_UPDATE = 1024;
/** Streams that we have ended and that the peer may still be sending on. */
const MAX_REMEMBERED = 100;

/** What the streams need of their connection. */
type Connection = {
  readonly settings: Http2Settings;
  readonly sender: FrameSender;
  send(frame: Buffer): void;
  /** The last stream has ended. */
  onEmpty(): void;
};

/** Methods that take a frame give the error for which the connection has to end. */
export class Http2Streams implements StreamOwner {
  readonly #connection: Connection;
  readonly #settings: Http2Settings;
  readonly #open = new Map<number, Http2Stream>();
  readonly #resetByUs = new Set<number>();
  readonly #resets: ReturnType<typeof createBudget>;
  readonly #idleFrames = createBudget(MAX_IDLE_FRAMES);
  #receiveWindow: number;
  #spent = 0;
  /** The highest stream so far. A client's are odd, and a server opens none here. */
  lastId: number;
  /** The window with which each of our streams begins. */
  initialWindow: number;

  constructor(connection: Connection, initialWindow: number) {
    this.#connection = connection;
    this.#settings = connection.settings;
    this.#resets = createBudget(this.#settings.maxResetsPerSecond);
    this.#receiveWindow = this.#settings.connectionWindow;
    this.lastId = this.#settings.role === "client" ? -1 : 0;
    this.initialWindow = initialWindow;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Opens a stream of our own. */
  open(userOf: (stream: Http2Stream) => StreamUser): Http2Stream {
    this.lastId += 2;
    return this.#add(this.lastId, userOf);
  }

  sendHeaders(stream: Http2Stream, block: Buffer, end: boolean): void {
    this.#connection.send(headersFrames(stream.id, block, end));
    if (!end) return;
    stream.localEnded = true;
    this.onSent(stream);
  }

  sendData(stream: Http2Stream): void {
    this.#connection.sender.pump(stream);
  }

  sendReset(stream: Http2Stream, code: ErrorCode): void {
    if (!this.#open.has(stream.id)) return;
    this.#connection.send(numbersFrame(TYPE.reset, stream.id, [code]));
    this.#resetByUs.add(stream.id);
    if (this.#resetByUs.size > MAX_REMEMBERED) this.#resetByUs.delete(this.#resetByUs.values().next().value!);
    this.#remove(stream);
  }

  credit(stream: Http2Stream | undefined, bytes: number): void {
    this.#spent += bytes;
    if (this.#spent >= this.#settings.connectionWindow / 2) {
      this.#receiveWindow += this.#spent;
      this.#connection.send(numbersFrame(TYPE.windowUpdate, 0, [this.#spent]));
      this.#spent = 0;
    }
    if (stream === undefined || stream.remoteEnded) return;
    stream.spent += bytes;
    if (stream.spent < this.#settings.streamWindow / 2) return;
    stream.receiveWindow += stream.spent;
    this.#connection.send(numbersFrame(TYPE.windowUpdate, stream.id, [stream.spent]));
    stream.spent = 0;
  }

  /** All of our side of the stream has been sent. */
  onSent(stream: Http2Stream): void {
    if (stream.abandoned && !stream.remoteEnded) this.sendReset(stream, ERROR.none);
    else this.#closeIfDone(stream);
  }

  takeData(frame: Frame): ErrorCode | undefined {
    const whole = frame.end - frame.start;
    if (!trimPayload(frame)) return ERROR.protocol;
    this.#receiveWindow -= whole;
    if (this.#receiveWindow < 0) return ERROR.flowControl;
    const stream = this.#open.get(frame.stream);
    if (stream === undefined || stream.remoteEnded) {
      this.credit(undefined, whole);
      return this.#onDataOfNone(frame.stream, stream);
    }
    stream.receiveWindow -= whole;
    if (stream.receiveWindow < 0) return this.#abort(stream, ERROR.flowControl);
    return this.#onData(stream, frame, whole);
  }

  #onData(stream: Http2Stream, { bytes, start, end: until, flags }: Frame, whole: number): ErrorCode | undefined {
    const length = until - start;
    const end = (flags & FLAG.endStream) !== 0;
    if (whole > length) this.credit(stream, whole - length);
    if (length === 0 && !end) return this.spend();
    stream.received += length;
    const { expected, received } = stream;
    const wrong = expected !== -1 && (end ? received !== expected : received > expected);
    if (!stream.begun || wrong) return this.#abort(stream, ERROR.protocol);
    stream.remoteEnded = end;
    stream.user?.onData(bytes.subarray(start, until), end);
    if (stream.user === undefined) this.credit(stream, length);
    this.#closeIfDone(stream);
    return undefined;
  }

  /** Data of a stream that is not there: of one that we have reset they were under way, of others they are wrong. */
  #onDataOfNone(id: number, stream: Http2Stream | undefined): ErrorCode | undefined {
    if (stream !== undefined) return this.#abort(stream, ERROR.streamClosed);
    if (this.isIdle(id)) return ERROR.protocol;
    return this.#resetByUs.has(id) ? this.spend() : ERROR.streamClosed;
  }

  /** A header section is there: a message's beginning, or its trailers. Undefined fields are too large. */
  onSection(id: number, fields: readonly Field[] | undefined, end: boolean): ErrorCode | undefined {
    const known = this.#open.get(id);
    if (known?.remoteEnded === true) return ERROR.streamClosed;
    if (known !== undefined) return this.#onHeaders(known, fields, end);
    if (!this.isIdle(id)) return this.#resetByUs.has(id) ? this.spend() : ERROR.streamClosed;
    if (this.#settings.role === "client") return ERROR.protocol;
    const stream = this.#accept(id);
    return stream === undefined ? this.#spendReset() : this.#onHeaders(stream, fields, end);
  }

  #onHeaders(stream: Http2Stream, fields: readonly Field[] | undefined, end: boolean): ErrorCode | undefined {
    const incomplete = end && stream.expected > 0 && stream.received !== stream.expected;
    const trailers = stream.begun && this.#settings.role === "server";
    if (incomplete || (trailers && !end)) return this.#abort(stream, ERROR.protocol);
    stream.remoteEnded = end;
    stream.begun = true;
    stream.user?.onHeaders(fields, end);
    this.#closeIfDone(stream);
    return undefined;
  }

  takeReset({ stream: id, bytes, start }: Frame): ErrorCode | undefined {
    if (this.isIdle(id)) return ERROR.protocol;
    const stream = this.#open.get(id);
    if (stream !== undefined) this.drop(stream, bytes.readUInt32BE(start));
    return this.#spendReset();
  }

  takeWindowUpdate({ stream: id, bytes, start }: Frame): ErrorCode | undefined {
    const more = bytes.readUInt32BE(start) & 0x7fff_ffff;
    const problem = id === 0 ? this.#widenAll(more) : this.#widen(id, more);
    this.#connection.sender.resume();
    return problem ?? (more < SMALL_UPDATE ? this.spend() : undefined);
  }

  #widenAll(more: number): ErrorCode | undefined {
    const { sender } = this.#connection;
    sender.window += more;
    if (more === 0) return ERROR.protocol;
    return sender.window > MAX_WINDOW ? ERROR.flowControl : undefined;
  }

  #widen(id: number, more: number): ErrorCode | undefined {
    if (this.isIdle(id)) return ERROR.protocol;
    const stream = this.#open.get(id);
    if (stream === undefined) return undefined;
    if (more === 0) return this.#abort(stream, ERROR.protocol);
    stream.sendWindow += more;
    return stream.sendWindow > MAX_WINDOW ? this.#abort(stream, ERROR.flowControl) : undefined;
  }

  /** The peer has changed the window that streams begin with, which changes those that are open as well. */
  setInitialWindow(size: number): ErrorCode | undefined {
    const more = size - this.initialWindow;
    this.initialWindow = size;
    for (const stream of this.#open.values()) {
      stream.sendWindow += more;
      if (stream.sendWindow > MAX_WINDOW) return ERROR.flowControl;
    }
    return undefined;
  }

  /** A frame that moves nothing. */
  spend(): ErrorCode | undefined {
    return this.#idleFrames.spend() ? undefined : ERROR.enhanceYourCalm;
  }

  isIdle(id: number): boolean {
    return id > this.lastId || id % 2 === 0;
  }

  /** The peer, or the connection's end, has ended streams; those behind `after`. */
  dropAll(code: ErrorCode, after = 0): void {
    for (const stream of this.#open.values()) if (stream.id > after) this.drop(stream, code);
  }

  drop(stream: Http2Stream, code: ErrorCode): void {
    this.#remove(stream);
    stream.user?.onReset(code);
  }

  #spendReset(): ErrorCode | undefined {
    return this.#resets.spend() ? undefined : ERROR.enhanceYourCalm;
  }

  /** Ends a stream for what the peer did on it; to make us do so is as good an attack as to do it. */
  #abort(stream: Http2Stream, code: ErrorCode): ErrorCode | undefined {
    const { user } = stream;
    stream.reset(code);
    user?.onReset(code);
    return this.#spendReset();
  }

  /** A new stream of the peer's, or undefined when there are too many. */
  #accept(id: number): Http2Stream | undefined {
    this.lastId = id;
    if (this.#open.size < this.#settings.maxStreams) return this.#add(id, (stream) => this.#settings.onStream(stream));
    this.#connection.send(numbersFrame(TYPE.reset, id, [ERROR.refusedStream]));
    return undefined;
  }

  #add(id: number, userOf: (stream: Http2Stream) => StreamUser): Http2Stream {
    const windows = { send: this.initialWindow, receive: this.#settings.streamWindow };
    const stream = new Http2Stream(id, this, windows);
    this.#open.set(id, stream);
    stream.user = userOf(stream);
    return stream;
  }

  #closeIfDone(stream: Http2Stream): void {
    if (stream.closed) this.#remove(stream);
  }

  #remove(stream: Http2Stream): void {
    stream.localEnded = true;
    stream.remoteEnded = true;
    this.#connection.sender.forget(stream);
    if (this.#open.delete(stream.id) && this.#open.size === 0) this.#connection.onEmpty();
  }
}
