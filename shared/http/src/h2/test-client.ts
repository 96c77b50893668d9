// A client of HTTP/2 for tests that says frame by frame what is sent, and keeps what comes.
import { connect } from "node:net";
import type { Socket } from "node:net";

import type { Cleanup } from "@outrigger/testing";
import { until } from "@outrigger/testing";

import { FLAG, FrameReader, PREFACE, TYPE, headersFrames, settingsFrame, writeFrameHead } from "./frames.ts";
import { HpackDecoder } from "./hpack-decoder.ts";
import { HpackEncoder } from "./hpack-encoder.ts";

export type Seen = { readonly type: number; readonly flags: number; readonly stream: number; readonly payload: Buffer };

export type TestClient = {
  readonly socket: Socket;
  readonly seen: readonly Seen[];
  readonly closed: boolean;
  send(...frames: Buffer[]): void;
  /** Sends a request's head; undefined fields are left out. */
  request(stream: number, fields: Fields, end?: boolean): void;
  /** Waits for a frame of this type, on this stream where given. */
  frame(type: number, stream?: number): Promise<Seen>;
  /** The status and the body of a stream's response, and its fields. */
  response(stream: number): Promise<{ status: string; body: string; fields: string[][]; trailers: string[][] }>;
};

export type Fields = Readonly<Record<string, string | undefined>>;

const DEFAULT: Fields = { ":method": "GET", ":scheme": "https", ":path": "/", ":authority": "a" };

/** A frame of any kind. */
export function frame(type: number, stream: number, payload: Buffer = Buffer.alloc(0), flags = 0): Buffer {
  const out = Buffer.alloc(9 + payload.length);
  payload.copy(out, writeFrameHead(out, 0, { length: payload.length, type, flags, stream }));
  return out;
}

export const number = (value: number): Buffer => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value]);

/** A header block with these fields, in this order. */
export function block(fields: readonly (readonly [string, string])[]): Buffer {
  const encoder = new HpackEncoder().begin();
  for (const [name, value] of fields) encoder.field(name, value);
  return encoder.take();
}

export const blockOf = (fields: Fields): Buffer =>
  block(Object.entries({ ...DEFAULT, ...fields }).filter((field): field is [string, string] => field[1] !== undefined));

/** Connects; with `introduce` false it says nothing by itself. */
export async function connectClient(
  port: number,
  { cleanup, introduce = true }: { cleanup: Cleanup; introduce?: boolean },
): Promise<TestClient> {
  const socket = connect(port, "127.0.0.1");
  cleanup(() => void socket.destroy());
  const seen: Seen[] = [];
  const reader = new FrameReader();
  let closed = false;
  socket.on("data", (bytes: Buffer) => {
    reader.push(bytes);
    for (let next = reader.next(); next !== undefined; next = reader.next()) {
      if (next === "tooLarge") throw new Error("a frame that is too large");
      const { type, flags, stream, start, end } = next;
      seen.push({ type, flags, stream, payload: Buffer.from(next.bytes.subarray(start, end)) });
    }
  });
  socket.on("error", () => undefined);
  socket.on("close", () => (closed = true));
  await new Promise((resolve) => socket.once("connect", resolve));
  if (introduce) socket.write(Buffer.concat([PREFACE, settingsFrame([])]));
  const find = (type: number, stream?: number): Seen | undefined =>
    seen.find((each) => each.type === type && (stream === undefined || each.stream === stream));
  const client: TestClient = {
    socket,
    seen,
    get closed() {
      return closed;
    },
    send: (...frames) => void socket.write(Buffer.concat(frames)),
    request: (stream, fields, end = true) => client.send(headersFrames(stream, blockOf(fields), end)),
    frame: async (type, stream) => {
      await until(() => find(type, stream) !== undefined);
      return find(type, stream)!;
    },
    response: async (stream) => {
      const ofStream = (): Seen[] => seen.filter((each) => each.stream === stream);
      const isEnd = ({ type, flags }: Seen): boolean =>
        (type === TYPE.data || type === TYPE.headers) && (flags & FLAG.endStream) !== 0;
      await until(() => ofStream().some(isEnd));
      const sections = ofStream().filter(({ type }) => type === TYPE.headers);
      const [fields = [], ...rest] = sections.map(({ payload }) => fieldsOf(payload));
      const body = Buffer.concat(
        ofStream()
          .filter(({ type }) => type === TYPE.data)
          .map(({ payload }) => payload),
      );
      return { status: fields[0]![1]!, body: body.toString("latin1"), fields, trailers: rest.at(-1) ?? [] };
    },
  };
  return client;
}

function fieldsOf(payload: Buffer): string[][] {
  const decoder = new HpackDecoder({ maxListBytes: 1 << 20, maxFields: 1000 });
  if (!decoder.decode(payload)) throw new Error("a block that is no HPACK");
  return decoder.fields.map(({ name, value }) => [name, value]);
}
