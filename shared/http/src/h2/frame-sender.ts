// What an HTTP/2 connection sends: frames gathered over a turn of the event loop and written at once, and the data of
// streams for as long as windows and the socket have room, one frame of each stream after another.
import type { Duplex } from "node:stream";

import type { Sum } from "../proxy.ts";
import { DEFAULT_WINDOW, FLAG, FRAME_HEAD, MAX_FRAME, TYPE, headersFrames, writeFrameHead } from "./frames.ts";
import type { Http2Stream } from "./h2-stream.ts";

/** What is gathered before it is written without waiting for the end of the turn. */
const BATCH_BYTES = 64 * 1024;
/** What may wait behind a peer that does not read; answers to its PINGs are all that is not under flow control. */
const MAX_WAITING_BYTES = 1024 * 1024;

export class FrameSender {
  readonly #socket: Duplex;
  readonly #sent: Sum;
  readonly #onEnded: (stream: Http2Stream) => void;
  #out: Buffer[] = [];
  #outBytes = 0;
  #scheduled = false;
  #clogged = false;
  #ended = false;
  /** How much the peer takes on all streams together. */
  window = DEFAULT_WINDOW;
  /** Streams with data that cannot be sent yet. */
  readonly #waiting = new Set<Http2Stream>();

  /** `onEnded` hears of each stream whose end has been sent. */
  constructor(socket: Duplex, sent: Sum, onEnded: (stream: Http2Stream) => void) {
    this.#socket = socket;
    this.#sent = sent;
    this.#onEnded = onEnded;
  }

  /** Sends a frame; false when so much waits that the peer must be taken for an attacker. */
  send(frame: Buffer): boolean {
    if (this.#ended) return true;
    this.#out.push(frame);
    this.#outBytes += frame.length;
    if (this.#clogged) return this.#outBytes <= MAX_WAITING_BYTES;
    if (this.#outBytes >= BATCH_BYTES) this.flush();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        if (!this.#clogged) this.flush();
      });
    }
    return true;
  }

  flush(): void {
    if (this.#out.length === 0 || this.#ended) return;
    const bytes = this.#out.length === 1 ? this.#out[0]! : Buffer.concat(this.#out, this.#outBytes);
    this.#out = [];
    this.#outBytes = 0;
    this.#sent.add(bytes.length);
    this.#clogged = !this.#socket.write(bytes);
  }

  /** The socket has room again. */
  unclog(): void {
    this.#clogged = false;
    this.flush();
    this.resume();
  }

  /** Sends what has been sent so far, and nothing more. */
  end(): void {
    this.flush();
    this.#ended = true;
    this.#socket.end();
  }

  /** Forgets what waits of a stream. */
  forget(stream: Http2Stream): void {
    this.#waiting.delete(stream);
  }

  /** Sends of a stream's data what can be sent. */
  pump(stream: Http2Stream): void {
    while (this.#sendOne(stream));
    if (stream.queued > 0) this.#waiting.add(stream);
  }

  /** Goes on with all that wait, in turns; those that have nothing left are told. */
  resume(): void {
    for (let moved = true; moved && !this.#clogged;) {
      moved = false;
      for (const stream of this.#waiting) {
        moved = this.#sendOne(stream) || moved;
        if (stream.queued > 0) continue;
        this.#waiting.delete(stream);
        if (!stream.localEnded) stream.user?.onDrain();
      }
    }
  }

  /** Sends one frame, with the end behind the last; false when there is nothing to send, or no room. */
  #sendOne(stream: Http2Stream): boolean {
    if (stream.localEnded || this.#clogged) return false;
    if (stream.queued === 0) {
      if (!stream.endQueued) return false;
      this.#sendEnd(stream);
      return false;
    }
    const room = Math.min(this.window, stream.sendWindow, MAX_FRAME);
    if (room <= 0) return false;
    const first = stream.queue[0]!;
    const length = Math.min(first.length, room);
    if (length === first.length) stream.queue.shift();
    else stream.queue[0] = first.subarray(length);
    stream.queued -= length;
    stream.sendWindow -= length;
    this.window -= length;
    const end = stream.queued === 0 && stream.endQueued && stream.trailers === undefined;
    this.send(dataFrame(stream.id, first.subarray(0, length), end));
    if (end) this.#finish(stream);
    return !end;
  }

  #sendEnd(stream: Http2Stream): void {
    const { id, trailers } = stream;
    this.send(trailers === undefined ? dataFrame(id, Buffer.alloc(0), true) : headersFrames(id, trailers, true));
    this.#finish(stream);
  }

  #finish(stream: Http2Stream): void {
    stream.localEnded = true;
    this.#onEnded(stream);
  }
}

function dataFrame(stream: number, data: Buffer, end: boolean): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEAD + data.length);
  writeFrameHead(frame, 0, { length: data.length, type: TYPE.data, flags: end ? FLAG.endStream : 0, stream });
  data.copy(frame, FRAME_HEAD);
  return frame;
}
