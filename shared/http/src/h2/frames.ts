// The frames of HTTP/2 (RFC 9113 section 4 and 6): their types, their heads, and how bytes are cut into them.

export const TYPE = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const FLAG = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 32 } as const;

/** Error codes (RFC 9113 section 7). */
export const ERROR = {
  none: 0,
  protocol: 1,
  internal: 2,
  flowControl: 3,
  settingsTimeout: 4,
  streamClosed: 5,
  frameSize: 6,
  refusedStream: 7,
  cancel: 8,
  compression: 9,
  enhanceYourCalm: 11,
} as const;
export type ErrorCode = number;

export const SETTING = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;

export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");
export const FRAME_HEAD = 9;
/** The largest frame that we take and send: the protocol's default, and the least that both sides must take. */
export const MAX_FRAME = 16_384;
export const MAX_WINDOW = 2 ** 31 - 1;
/** The window of each stream and connection at the beginning. */
export const DEFAULT_WINDOW = 65_535;

/** A frame as its head tells; the payload is `bytes[start, end)`. */
export type Frame = { type: number; flags: number; stream: number; bytes: Buffer; start: number; end: number };

/** Cuts bytes into frames: `push` what arrives, then `next` until there is none. */
export class FrameReader {
  #bytes: Buffer | undefined;
  #at = 0;
  readonly #frame: Frame = { type: 0, flags: 0, stream: 0, bytes: Buffer.alloc(0), start: 0, end: 0 };

  push(bytes: Buffer): void {
    const rest = this.#bytes?.subarray(this.#at);
    this.#bytes = rest === undefined || rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    this.#at = 0;
  }

  /** The next whole frame, valid until the next call; `"tooLarge"`, or undefined when more bytes are needed. */
  next(): Frame | "tooLarge" | undefined {
    const bytes = this.#bytes;
    if (bytes === undefined || bytes.length - this.#at < FRAME_HEAD) return undefined;
    const at = this.#at;
    const length = bytes.readUIntBE(at, 3);
    if (length > MAX_FRAME) return "tooLarge";
    const end = at + FRAME_HEAD + length;
    if (end > bytes.length) return undefined;
    this.#at = end;
    const frame = this.#frame;
    frame.type = bytes[at + 3]!;
    frame.flags = bytes[at + 4]!;
    frame.stream = bytes.readUInt32BE(at + 5) & 0x7fff_ffff;
    frame.bytes = bytes;
    frame.start = at + FRAME_HEAD;
    frame.end = end;
    return frame;
  }

  /** Skips the preface; false when it is not there, undefined when not all of it is. */
  skipPreface(): boolean | undefined {
    const bytes = this.#bytes!;
    const known = Math.min(PREFACE.length, bytes.length);
    if (PREFACE.compare(bytes, 0, known, 0, known) !== 0) return false;
    if (bytes.length < PREFACE.length) return undefined;
    this.#at = PREFACE.length;
    return true;
  }
}

/** Removes padding, and the priority of HEADERS, from a payload; false when there is less than it says. */
export function trimPayload(frame: Frame): boolean {
  if ((frame.flags & FLAG.padded) !== 0) {
    const padding = frame.bytes[frame.start]!;
    if (frame.end === frame.start) return false;
    frame.start += 1;
    frame.end -= padding;
  }
  if (frame.type === TYPE.headers && (frame.flags & FLAG.priority) !== 0) frame.start += 5;
  return frame.start <= frame.end;
}

/** A frame's head, to be followed by `length` bytes. */
export function writeFrameHead(
  out: Buffer,
  at: number,
  { length, type, flags, stream }: { length: number; type: number; flags: number; stream: number },
): number {
  out.writeUIntBE(length, at, 3);
  out[at + 3] = type;
  out[at + 4] = flags;
  out.writeUInt32BE(stream, at + 5);
  return at + FRAME_HEAD;
}

/** A whole frame with a payload of 32-bit numbers: RST_STREAM, WINDOW_UPDATE, GOAWAY. */
export function numbersFrame(type: number, stream: number, numbers: readonly number[]): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEAD + 4 * numbers.length);
  let at = writeFrameHead(frame, 0, { length: 4 * numbers.length, type, flags: 0, stream });
  for (const number of numbers) at = frame.writeUInt32BE(number, at);
  return frame;
}

/** A SETTINGS frame. */
export function settingsFrame(settings: readonly (readonly [id: number, value: number])[]): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEAD + 6 * settings.length);
  let at = writeFrameHead(frame, 0, { length: 6 * settings.length, type: TYPE.settings, flags: 0, stream: 0 });
  for (const [id, value] of settings) at = frame.writeUInt32BE(value, frame.writeUInt16BE(id, at));
  return frame;
}

/** A header block as HEADERS and, where it is large, CONTINUATION frames (RFC 9113 section 4.3). */
export function headersFrames(stream: number, block: Buffer, endStream: boolean): Buffer {
  const count = Math.max(1, Math.ceil(block.length / MAX_FRAME));
  const out = Buffer.allocUnsafe(block.length + count * FRAME_HEAD);
  let at = 0;
  for (let index = 0; index < count; index++) {
    const from = index * MAX_FRAME;
    const length = Math.min(MAX_FRAME, block.length - from);
    const last = index === count - 1 ? FLAG.endHeaders : 0;
    const first = index === 0 && endStream ? FLAG.endStream : 0;
    const type = index === 0 ? TYPE.headers : TYPE.continuation;
    at = writeFrameHead(out, at, { length, type, flags: last | first, stream });
    at += block.copy(out, at, from, from + length);
  }
  return out;
}

export const settingsAck = (): Buffer => {
  const frame = Buffer.allocUnsafe(FRAME_HEAD);
  writeFrameHead(frame, 0, { length: 0, type: TYPE.settings, flags: FLAG.ack, stream: 0 });
  return frame;
};

export function pingFrame(payload: Buffer, flags: number): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEAD + payload.length);
  payload.copy(frame, writeFrameHead(frame, 0, { length: payload.length, type: TYPE.ping, flags, stream: 0 }));
  return frame;
}
