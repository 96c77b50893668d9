// An HTTP/2 connection (RFC 9113), the server's or the client's side: its beginning and end, its settings, and the frames
// that are about all of it. What the streams carry is for their users to understand.
import type { Duplex } from "node:stream";

import type { Timed } from "../deadlines.ts";
import type { Sum } from "../proxy.ts";
import { problemOf } from "./frame-rules.ts";
import { FrameSender } from "./frame-sender.ts";
import type { ErrorCode, Frame } from "./frames.ts";
import {
  DEFAULT_WINDOW,
  ERROR,
  FLAG,
  FrameReader,
  MAX_WINDOW,
  PREFACE,
  SETTING,
  TYPE,
  numbersFrame,
  pingFrame,
  settingsAck,
  settingsFrame,
  trimPayload,
} from "./frames.ts";
import type { Http2Stream, StreamUser } from "./h2-stream.ts";
import { Http2Streams } from "./h2-streams.ts";
import { HpackDecoder } from "./hpack-decoder.ts";
import type { FieldLimits } from "./hpack-decoder.ts";
import { applySettings } from "./settings.ts";
import type { PeerSettings } from "./settings.ts";

export type Http2Settings = {
  readonly role: "server" | "client";
  readonly fields: FieldLimits;
  /** Streams that may be open at a time. */
  readonly maxStreams: number;
  /** Streams that the peer may break off in a second, itself or by making us do so. */
  readonly maxResetsPerSecond: number;
  /** What may be under way on one stream, and on all together, in bytes. */
  readonly streamWindow: number;
  readonly connectionWindow: number;
  /** In milliseconds: until the peer has introduced itself or ended a header section; without a stream; to close. */
  readonly timeouts: { readonly headMs: number; readonly idleMs: number; readonly closeMs: number };
  readonly received: Sum;
  readonly sent: Sum;
  /** The peer has opened a stream. */
  onStream(stream: Http2Stream): StreamUser;
  /** The connection was ended for what the peer did. */
  onAbuse(code: ErrorCode): void;
  onClose(): void;
};

const DRAIN_PING = Buffer.from("draining", "latin1");
/** How long the answer to the PING before the end may take. */
const DRAIN_MS = 1000;

type Block = { readonly stream: number; readonly end: boolean; readonly parts: Buffer[]; size: number };

export class Http2Connection implements Timed {
  readonly settings: Http2Settings;
  readonly sender: FrameSender;
  readonly #socket: Duplex;
  readonly #reader = new FrameReader();
  readonly #decoder: HpackDecoder;
  readonly #streams: Http2Streams;
  readonly #peer: PeerSettings = { initialWindow: DEFAULT_WINDOW, maxStreams: Infinity };
  #prefaced: boolean;
  #introduced = false;
  /** A header section of which not all frames have come; nothing else may come before they have. */
  #block: Block | undefined;
  /** No more streams are to be opened. */
  draining = false;
  /** The peer has seen that we drain, so that no stream of its is under way. */
  #drainSeen = false;
  /** Ended by an error or for good: what still arrives is dropped. */
  #ended = false;
  deadline: number;

  constructor(socket: Duplex, settings: Http2Settings) {
    this.settings = settings;
    this.#socket = socket;
    this.sender = new FrameSender(socket, settings.sent, (stream) => this.#streams.onSent(stream));
    this.#streams = new Http2Streams(this, DEFAULT_WINDOW);
    this.#decoder = new HpackDecoder(settings.fields);
    this.#prefaced = settings.role === "client";
    this.deadline = performance.now() + settings.timeouts.headMs;
    this.#introduce();
    socket.on("data", (bytes: Buffer) => this.#onData(bytes));
    socket.on("drain", () => this.sender.unclog());
    socket.on("end", () => this.#end(ERROR.none));
    socket.on("error", () => undefined);
    socket.on("close", () => this.#onClose());
  }

  /** Whether one more stream of ours can be opened. */
  get hasRoom(): boolean {
    const { maxStreams } = this.settings;
    return !this.#ended && !this.draining && this.#streams.size < Math.min(maxStreams, this.#peer.maxStreams);
  }

  /** Opens a stream of our own. */
  open(userOf: (stream: Http2Stream) => StreamUser): Http2Stream {
    this.deadline = this.#introduced ? 0 : this.deadline;
    return this.#streams.open(userOf);
  }

  send(frame: Buffer): void {
    if (!this.sender.send(frame)) this.#fail(ERROR.enhanceYourCalm);
  }

  /** Asks the peer to open no more streams, and ends the connection once those that are open have ended. */
  drain(): void {
    if (this.draining || this.#ended) return;
    this.draining = true;
    // The peer may have opened streams that have not arrived: whatever came before its answer is served (section 6.8).
    this.send(numbersFrame(TYPE.goaway, 0, [MAX_WINDOW, ERROR.none]));
    this.send(pingFrame(DRAIN_PING, 0));
    if (this.#streams.size === 0) this.deadline = performance.now() + DRAIN_MS;
  }

  destroy(): void {
    this.#ended = true;
    this.#socket.destroy();
  }

  onDeadline(): void {
    if (this.#ended) this.#socket.destroy();
    else this.#end(this.#introduced && this.#block === undefined ? ERROR.none : ERROR.settingsTimeout);
  }

  /** The last stream has ended. */
  onEmpty(): void {
    if (this.#ended) return;
    this.deadline = performance.now() + (this.draining ? DRAIN_MS : this.settings.timeouts.idleMs);
    this.#endIfDrained();
  }

  #introduce(): void {
    const { role, maxStreams, streamWindow, connectionWindow, fields } = this.settings;
    if (role === "client") this.sender.send(PREFACE);
    this.sender.send(
      settingsFrame([
        role === "client" ? [SETTING.enablePush, 0] : [SETTING.maxConcurrentStreams, maxStreams],
        [SETTING.initialWindowSize, streamWindow],
        [SETTING.maxHeaderListSize, fields.maxListBytes],
      ]),
    );
    const more = connectionWindow - DEFAULT_WINDOW;
    if (more > 0) this.sender.send(numbersFrame(TYPE.windowUpdate, 0, [more]));
  }

  #onData(bytes: Buffer): void {
    this.settings.received.add(bytes.length);
    if (this.#ended) return;
    this.#reader.push(bytes);
    if (!this.#prefaced) {
      const preface = this.#reader.skipPreface();
      if (preface === false) this.#fail(ERROR.protocol);
      if (preface !== true) return;
      this.#prefaced = true;
    }
    for (let frame = this.#reader.next(); frame !== undefined && !this.#ended; frame = this.#reader.next()) {
      const problem = frame === "tooLarge" ? ERROR.frameSize : this.#take(frame);
      if (problem !== undefined) this.#fail(problem);
    }
  }

  /** Takes one frame; gives the error for which the connection has to end. */
  #take(frame: Frame): ErrorCode | undefined {
    return this.#isInOrder(frame) ? (problemOf(frame) ?? this.#use(frame)) : ERROR.protocol;
  }

  /** SETTINGS come first, and between the frames of a header section there is nothing else (section 3.4, 4.3). */
  #isInOrder({ type, stream }: Frame): boolean {
    if (!this.#introduced && type !== TYPE.settings) return false;
    return type === TYPE.continuation ? stream === this.#block?.stream : this.#block === undefined;
  }

  #use(frame: Frame): ErrorCode | undefined {
    switch (frame.type) {
      case TYPE.data:
        return this.#streams.takeData(frame);
      case TYPE.headers:
        return this.#takeHeaders(frame);
      case TYPE.continuation:
        return this.#streams.spend() ?? this.#takeFragment(this.#block!, frame);
      case TYPE.reset:
        return this.#streams.takeReset(frame);
      case TYPE.settings:
        return this.#takeSettings(frame);
      case TYPE.ping:
        return this.#takePing(frame);
      case TYPE.goaway:
        return this.#takeGoaway(frame);
      case TYPE.windowUpdate:
        return this.#streams.takeWindowUpdate(frame);
      case TYPE.pushPromise:
        return ERROR.protocol;
      default:
        // PRIORITY, which means nothing any more (section 5.3), and types that nobody has to know.
        return this.#streams.spend();
    }
  }

  #takeHeaders(frame: Frame): ErrorCode | undefined {
    const { stream, flags } = frame;
    if (stream % 2 === 0 || !trimPayload(frame)) return ERROR.protocol;
    return this.#takeFragment({ stream, end: (flags & FLAG.endStream) !== 0, parts: [], size: 0 }, frame);
  }

  #takeFragment(block: Block, { bytes, start, end, flags }: Frame): ErrorCode | undefined {
    block.parts.push(bytes.subarray(start, end));
    block.size += end - start;
    if (block.size > this.settings.fields.maxListBytes) return ERROR.enhanceYourCalm;
    if ((flags & FLAG.endHeaders) === 0) {
      this.#block = block;
      this.deadline ||= performance.now() + this.settings.timeouts.headMs;
      return undefined;
    }
    this.#block = undefined;
    this.deadline = 0;
    const decoder = this.#decoder;
    if (!decoder.decode(block.parts.length === 1 ? block.parts[0]! : Buffer.concat(block.parts))) {
      return ERROR.compression;
    }
    const problem = this.#streams.onSection(block.stream, decoder.tooLarge ? undefined : decoder.fields, block.end);
    if (this.#streams.size === 0) this.onEmpty();
    return problem;
  }

  #takeSettings({ flags, bytes, start, end }: Frame): ErrorCode | undefined {
    if ((flags & FLAG.ack) !== 0) return undefined;
    const problem =
      applySettings(this.#peer, bytes.subarray(start, end)) ?? this.#streams.setInitialWindow(this.#peer.initialWindow);
    if (problem !== undefined) return problem;
    if (!this.#introduced) {
      this.deadline = this.#streams.size > 0 ? 0 : performance.now() + this.settings.timeouts.idleMs;
    }
    this.#introduced = true;
    this.send(settingsAck());
    this.sender.resume();
    return this.#streams.spend();
  }

  #takePing({ flags, bytes, start, end }: Frame): ErrorCode | undefined {
    const payload = bytes.subarray(start, end);
    if ((flags & FLAG.ack) === 0) this.send(pingFrame(payload, FLAG.ack));
    else if (this.draining && payload.equals(DRAIN_PING)) {
      this.#drainSeen = true;
      this.#endIfDrained();
    }
    return undefined;
  }

  #takeGoaway({ bytes, start }: Frame): ErrorCode | undefined {
    this.draining = true;
    this.#drainSeen = true;
    // What a server has not begun, it never will.
    if (this.settings.role === "client") {
      this.#streams.dropAll(ERROR.refusedStream, bytes.readUInt32BE(start) & 0x7fff_ffff);
    }
    this.#endIfDrained();
    return undefined;
  }

  #endIfDrained(): void {
    if (this.draining && this.#drainSeen && this.#streams.size === 0) this.#end(ERROR.none);
  }

  #fail(code: ErrorCode): void {
    if (this.#ended) return;
    this.settings.onAbuse(code);
    this.#end(code);
  }

  /** Says goodbye; what is open is lost. */
  #end(code: ErrorCode): void {
    if (this.#ended) return;
    this.sender.send(numbersFrame(TYPE.goaway, 0, [Math.max(this.#streams.lastId, 0), code]));
    this.#ended = true;
    this.sender.end();
    this.#socket.resume();
    this.deadline = performance.now() + this.settings.timeouts.closeMs;
    this.#streams.dropAll(ERROR.cancel);
  }

  #onClose(): void {
    this.#ended = true;
    this.#streams.dropAll(ERROR.cancel);
    this.settings.onClose();
  }
}
