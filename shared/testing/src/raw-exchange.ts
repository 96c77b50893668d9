// One conversation byte by byte, over a plain or a TLS socket: what an HTTP client library would tidy up.
import type { Socket } from "node:net";
import { connect } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { ConnectionOptions } from "node:tls";
import { connect as connectTls } from "node:tls";

/** Text stands for bytes as latin1, so that every byte can be written and read. */
export type Chunk = string | Uint8Array;

export type RawExchange = {
  /** Where to connect: a port of `host` (default 127.0.0.1), or a Unix socket. */
  readonly port?: number;
  readonly host?: string;
  readonly path?: string;
  /** An open socket to use instead; it is left open when `until` came true. */
  readonly socket?: Socket;
  /** TLS with these options; `{}` is enough to want it. */
  readonly tls?: ConnectionOptions;
  /** The chunks of an iterable are written one by one; an asynchronous one decides when. */
  readonly send: Chunk | Iterable<Chunk> | AsyncIterable<Chunk>;
  /** Ends our side after sending. Default: false. */
  readonly end?: boolean;
  /** Enough was received: it contains this text, matches, or fulfils this. Default: wait for the peer to close. */
  readonly until?: string | RegExp | ((text: string) => boolean);
  /** Default: 5000. */
  readonly timeoutMs?: number;
  /** Default: 16 MiB. */
  readonly maxBytes?: number;
};

export type Received = {
  readonly bytes: Buffer;
  /** The bytes as latin1. */
  readonly text: string;
  /** Why it ended: the peer closed, `until` came true, time or space ran out, or the socket failed (see `error`). */
  readonly ended: "close" | "until" | "timeout" | "limit" | "error";
  readonly error?: Error;
};

function open({ socket, port, host = "127.0.0.1", path, tls }: RawExchange): Socket {
  if (socket !== undefined) return socket;
  const target = path === undefined ? { host, port: port ?? 0 } : { path };
  return tls === undefined ? connect({ ...target, noDelay: true }) : connectTls({ ...target, ...tls });
}

const bytesOf = (chunk: Chunk): Uint8Array => (typeof chunk === "string" ? Buffer.from(chunk, "latin1") : chunk);

function testOf(until: RawExchange["until"]): ((text: string) => boolean) | undefined {
  if (until === undefined || typeof until === "function") return until;
  return (text) => (typeof until === "string" ? text.includes(until) : until.test(text));
}

async function sendAll(socket: Socket, { send, end = false }: RawExchange): Promise<void> {
  const chunks = typeof send === "string" || send instanceof Uint8Array ? [send] : send;
  for await (const chunk of chunks) {
    if (socket.destroyed) return;
    await new Promise<void>((resolve) => socket.write(bytesOf(chunk), () => resolve()));
    // Another turn of the event loop, so that the next chunk is a segment (or a TLS record) of its own.
    await nextTurn();
  }
  if (end) socket.end();
}

/** Sends, and gives everything received until the peer closes, `until` comes true, or a limit is reached. */
export function rawExchange(exchange: RawExchange): Promise<Received> {
  const { timeoutMs = 5000, maxBytes = 16 * 1024 * 1024 } = exchange;
  const enough = testOf(exchange.until);
  const socket = open(exchange);
  const chunks: Buffer[] = [];
  let size = 0;
  return new Promise((resolve) => {
    const finish = (ended: Received["ended"], error?: Error): void => {
      clearTimeout(timer);
      socket.off("data", onData).off("error", onError).off("close", onClose);
      // Errors after the end are of no interest, but must have a listener.
      socket.on("error", () => {});
      if (ended !== "until" || exchange.socket === undefined) socket.destroy();
      const bytes = Buffer.concat(chunks);
      resolve({ bytes, text: bytes.toString("latin1"), ended, ...(error === undefined ? {} : { error }) });
    };
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
      size += chunk.length;
      if (enough?.(Buffer.concat(chunks).toString("latin1")) === true) finish("until");
      else if (size > maxBytes) finish("limit");
    };
    const onError = (error: Error): void => finish("error", error);
    const onClose = (): void => finish("close");
    const timer = setTimeout(() => finish("timeout"), timeoutMs);
    socket.on("data", onData).on("error", onError).on("close", onClose);
    if (socket.destroyed) onClose();
    else sendAll(socket, exchange).catch(onError);
  });
}
