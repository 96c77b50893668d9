// One connection to a Redis server: commands are written as they come and answered in order.
import { connect as connectTcp } from "node:net";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ConnectionOptions } from "node:tls";

import type { Address } from "@outrigger/options";
import { formatAddress } from "@outrigger/options";

import { createReplyReader } from "./reply-reader.ts";
import type { Reply } from "./reply.ts";
import { RedisError } from "./reply.ts";

/** TLS towards the server. Without `ca`, the authorities of the runtime are trusted. All are PEM. */
export type RedisTls = {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** The name in the server's certificate, where it is not the host of the address. */
  readonly serverName?: string;
  /** Accept any certificate: traffic is encrypted, but the server is not known. */
  readonly unsafeSkipVerify?: boolean;
};

export type RedisSettings = {
  readonly address: Address;
  /** An ACL user (Redis 6 and later). Without one, `password` is the server's `requirepass`. */
  readonly username?: string;
  readonly password?: string;
  readonly tls?: RedisTls;
  /** How long connecting, and each command after it, may take, in milliseconds. */
  readonly timeoutMs: number;
  /** How large one reply may be. */
  readonly maxReplyBytes: number;
  /** 3 asks for RESP3, which servers before Redis 6 refuse. Default: 2. */
  readonly protocol?: 2 | 3;
  /** Ends the connection, and what waits for it. */
  readonly signal?: AbortSignal;
};

export type RedisConnection = {
  /**
   * Sends a command. Commands that are not waited for are pipelined. Rejects with a RedisError when that is the answer, and
   * with another error when the connection ends, the time is up (which ends the connection) or the reply is too large.
   */
  command(...args: readonly (string | number | Buffer)[]): Promise<Reply>;
  /** Ends the connection; commands that are not answered yet are rejected. */
  close(): void;
};

type Waiting = {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
  readonly deadline: number;
};

function openSocket({ address, tls }: RedisSettings): { socket: Socket; connected: string } {
  if (tls === undefined) return { socket: connectTcp({ ...address, noDelay: true }), connected: "connect" };
  const { ca, cert, key, serverName, unsafeSkipVerify = false } = tls;
  const host = "host" in address && /[A-Za-z]/.test(address.host) ? address.host : undefined;
  const servername = serverName ?? host;
  const options: ConnectionOptions = {
    ...address,
    rejectUnauthorized: !unsafeSkipVerify,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(servername === undefined ? {} : { servername }),
  };
  return { socket: connectTls(options), connected: "secureConnect" };
}

function encode(args: readonly (string | number | Buffer)[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${args.length}\r\n`)];
  for (const arg of args) {
    const body = Buffer.isBuffer(arg) ? arg : Buffer.from(String(arg));
    parts.push(Buffer.from(`$${body.length}\r\n`), body, Buffer.from("\r\n"));
  }
  return Buffer.concat(parts);
}

/** Connects, and authenticates where there is a password. Rejects with what went wrong, the address in its message. */
export async function connectRedis(settings: RedisSettings): Promise<RedisConnection> {
  const { socket, connected } = openSocket(settings);
  const connection = converse(socket, settings);
  const ready = Promise.withResolvers<void>();
  socket.once(connected, () => ready.resolve());
  connection.failed.then(ready.reject, ready.reject);
  const timer = setTimeout(
    () => connection.fail(new Error(`no connection within ${settings.timeoutMs} ms`)),
    settings.timeoutMs,
  );
  try {
    await ready.promise;
    await introduce(connection, settings);
  } catch (error) {
    connection.close();
    if (error instanceof RedisError) throw error;
    throw new Error(`${formatAddress(settings.address)}: ${(error as Error).message}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
  return { command: connection.command, close: connection.close };
}

async function introduce(
  { command }: Pick<RedisConnection, "command">,
  { username, password, protocol = 2 }: RedisSettings,
): Promise<void> {
  if (protocol === 3) {
    await command("HELLO", 3, ...(password === undefined ? [] : ["AUTH", username ?? "default", password]));
  } else if (password !== undefined) {
    await command("AUTH", ...(username === undefined ? [] : [username]), password);
  }
}

type Conversation = RedisConnection & {
  fail(error: Error): void;
  /** Resolves with why the connection has ended. */
  readonly failed: Promise<Error>;
};

/** Matches replies to commands, in order; one timer watches the oldest. */
function converse(socket: Socket, { timeoutMs, maxReplyBytes, signal }: RedisSettings): Conversation {
  const reader = createReplyReader({ maxReplyBytes });
  const waiting: Waiting[] = [];
  const outgoing: Buffer[] = [];
  const ended = Promise.withResolvers<Error>();
  let failure: Error | undefined;
  let timer: NodeJS.Timeout | undefined;

  const fail = (error: Error): void => {
    if (failure !== undefined) return;
    failure = error;
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
    socket.destroy();
    for (const { reject } of waiting.splice(0)) reject(error);
    ended.resolve(error);
  };
  const abort = (): void => fail(new Error("aborted"));
  const watchOldest = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const oldest = waiting[0];
    if (oldest === undefined) return;
    const late = (): void => fail(new Error(`no reply within ${timeoutMs} ms`));
    timer = setTimeout(late, Math.max(1, oldest.deadline - performance.now()));
  };

  /** Commands that are given together leave together. */
  const send = (bytes: Buffer): void => {
    if (outgoing.push(bytes) > 1) return;
    queueMicrotask(() => socket.write(outgoing.length === 1 ? outgoing.pop()! : Buffer.concat(outgoing.splice(0))));
  };

  socket.on("data", (chunk: Buffer) => {
    try {
      for (const reply of reader.push(chunk)) {
        const first = waiting.shift();
        if (first === undefined) throw new Error("redis reply: expected none, got one");
        if (reply instanceof RedisError) first.reject(reply);
        else first.resolve(reply);
      }
      if (failure === undefined) watchOldest();
    } catch (error) {
      fail(error as Error);
    }
  });
  socket.on("error", (error) => fail(error));
  socket.on("close", () => fail(new Error("the server closed the connection")));
  if (signal?.aborted === true) abort();
  else signal?.addEventListener("abort", abort);

  return {
    fail,
    failed: ended.promise,
    close: () => fail(new Error("closed")),
    command: (...args) => {
      if (failure !== undefined) return Promise.reject(failure);
      const { promise, resolve, reject } = Promise.withResolvers<Reply>();
      waiting.push({ resolve, reject, deadline: performance.now() + timeoutMs });
      if (waiting.length === 1) watchOldest();
      send(encode(args));
      return promise;
    },
  };
}
