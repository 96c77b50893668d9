// The smallest WebSocket server (RFC 6455): it sends every data frame back as it came, answers pings, and closes.
import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const OPCODE = { binary: 2, close: 8, ping: 9, pong: 10 };
const FIN = 0x80;
const STATUS = { protocolError: 1002, tooBig: 1009 };

type Frame = { readonly head: number; readonly payload: Buffer; readonly rest: Buffer };

/** The first frame in `bytes`; undefined if it is not whole yet; a status code to close with if it is not acceptable. */
export function readFrame(bytes: Buffer): Frame | number | undefined {
  if (bytes.length < 2) return undefined;
  const masked = (bytes[1]! & 0x80) !== 0;
  const short = bytes[1]! & 0x7f;
  // Clients have to mask (5.1), and nothing here has negotiated a use for the reserved bits.
  if (!masked || (bytes[0]! & 0x70) !== 0) return STATUS.protocolError;
  // 127 announces a length of 64 bits: more than 65 535 bytes.
  if (short === 127) return STATUS.tooBig;
  const start = short === 126 ? 8 : 6;
  if (bytes.length < start) return undefined;
  const length = short === 126 ? bytes.readUInt16BE(2) : short;
  if (bytes.length < start + length) return undefined;
  const mask = bytes.subarray(start - 4, start);
  const payload = Buffer.from(bytes.subarray(start, start + length).map((byte, index) => byte ^ mask[index % 4]!));
  return { head: bytes[0]!, payload, rest: bytes.subarray(start + length) };
}

/** A frame as servers send it: not masked. `head` holds the FIN bit and the opcode. */
export function frameOf(head: number, payload: Buffer): Buffer {
  const size = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 0xff];
  return Buffer.concat([Buffer.from([head, ...size]), payload]);
}

function closingFrame(status: number): Buffer {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(status);
  return frameOf(FIN | OPCODE.close, payload);
}

type Reply = { readonly bytes: Buffer; readonly last: boolean };

function replyTo(frame: Frame | number): Reply {
  if (typeof frame === "number") return { bytes: closingFrame(frame), last: true };
  const { head, payload } = frame;
  const opcode = head & 0x0f;
  // Continuation, text, binary.
  if (opcode <= OPCODE.binary) return { bytes: frameOf(head, payload), last: false };
  if (opcode === OPCODE.ping) return { bytes: frameOf(FIN | OPCODE.pong, payload), last: false };
  if (opcode === OPCODE.pong) return { bytes: Buffer.alloc(0), last: false };
  if (opcode === OPCODE.close) return { bytes: frameOf(head, payload.subarray(0, 2)), last: true };
  return { bytes: closingFrame(STATUS.protocolError), last: true };
}

/** What `Sec-WebSocket-Accept` has to be for a `Sec-WebSocket-Key` (4.2.2). */
export const acceptOf = (key: string): string => createHash("sha1").update(`${key}${GUID}`).digest("base64");

/** Takes over the socket of an upgrade request and echoes until either side closes. */
export function serveEcho(request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const key = request.headers["sec-websocket-key"] ?? "";
  socket.write(
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      `Sec-WebSocket-Accept: ${acceptOf(key)}\r\n\r\n`,
  );
  let pending: Buffer = Buffer.alloc(0);
  const onData = (chunk: Buffer): void => {
    pending = Buffer.concat([pending, chunk]);
    for (let frame = readFrame(pending); frame !== undefined; frame = readFrame(pending)) {
      const { bytes, last } = replyTo(frame);
      if (last || typeof frame === "number") {
        socket.off("data", onData).resume().end(bytes);
        return;
      }
      send(socket, bytes);
      pending = frame.rest;
    }
  };
  socket.on("data", onData).on("end", () => socket.end());
  if (head.length > 0) onData(head);
}

/** Listens no more to a peer that does not listen, until it does. */
function send(socket: Duplex, bytes: Buffer): void {
  if (socket.write(bytes) || socket.isPaused()) return;
  socket.pause().once("drain", () => socket.resume());
}
