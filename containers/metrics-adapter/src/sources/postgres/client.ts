// A client of PostgreSQL for reading statistics: one connection, simple queries one after the other, bounded in time and
// size.
import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import { connect as connectTcp } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { connect as connectTls } from "node:tls";

import type { Address } from "@outrigger/options";

import type { Message } from "./messages.ts";
import { encode, int32, messagesOf, PostgresError, readerOf } from "./messages.ts";
import { createScram, MECHANISM } from "./scram.ts";

export type PostgresSettings = {
  readonly address: Address;
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string;
  /** Without it, the connection is not encrypted. */
  readonly tls: ConnectionOptions | undefined;
  readonly timeoutMs: number;
  readonly maxReplyBytes: number;
  readonly signal: AbortSignal;
};

/** Type is the OID of its type (pg_type). */
export type Column = { readonly name: string; readonly type: number };
export type Result = { readonly columns: readonly Column[]; readonly rows: readonly (readonly (string | null)[])[] };

export type PostgresConnection = {
  /** Asks with the session's settings as they are. Rejects with a PostgresError for what the server refuses. */
  query(sql: string): Promise<Result>;
  /** The same in a transaction that can only read, and that the server ends when the time is over. */
  read(sql: string): Promise<Result>;
  close(): void;
};

const PROTOCOL = 3 << 16;
const SSL_REQUEST = 80_877_103;

type Messages = AsyncGenerator<Message, never>;

/** Connects and logs in. Rejects with what the server, or the network, says. */
export async function connectPostgres(settings: PostgresSettings): Promise<PostgresConnection> {
  const { signal, maxReplyBytes } = settings;
  const socket = await open(settings);
  const abort = (): void => void socket.destroy(new Error("aborted"));
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  const messages = messagesOf(socket, maxReplyBytes);
  const close = (): void => {
    signal.removeEventListener("abort", abort);
    if (!socket.destroyed) socket.end(encode("X"));
    socket.destroySoon();
  };
  try {
    socket.write(startup(settings));
    await logIn(socket, messages, settings);
  } catch (error) {
    close();
    throw error;
  }
  const query = (sql: string): Promise<Result> => {
    socket.write(encode("Q", sql, "\0"));
    return readResult(messages, maxReplyBytes);
  };
  return { query, read: (sql) => readOnly(query, sql, settings.timeoutMs), close };
}

/** The bounds hold for one transaction, so that a pooler between us and the server gives them to nobody else. */
async function readOnly(query: PostgresConnection["query"], sql: string, timeoutMs: number): Promise<Result> {
  const timeout = Math.max(1, Math.ceil(timeoutMs));
  try {
    return await query(`BEGIN READ ONLY; SET LOCAL statement_timeout = ${timeout}; ${sql}; COMMIT`);
  } catch (error) {
    if (error instanceof PostgresError) await query("ROLLBACK");
    throw error;
  }
}

/** Opens a socket, and encrypts it where that is wanted: a server that does not is refused. */
async function open({ address, tls, signal }: PostgresSettings): Promise<Socket> {
  const plain = connectTcp({ ...address });
  // Whoever reads hears of errors; what comes when nobody reads any more does not matter.
  plain.on("error", () => undefined);
  const abort = (): void => void plain.destroy(new Error("aborted"));
  signal.addEventListener("abort", abort);
  try {
    await happens(plain, "connect");
    if (tls === undefined) return plain;
    plain.write(encode("", int32(SSL_REQUEST)));
    const answer = (await happens(plain, "data")) as Buffer;
    if (answer.toString() !== "S") throw new Error("expected a server with TLS, got one without");
    const secure = connectTls({ ...tls, socket: plain });
    await happens(secure, "secureConnect");
    secure.on("error", () => undefined);
    return secure;
  } catch (error) {
    plain.destroy();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Waits for an event of a socket. Rejects when it fails or closes before. */
function happens(socket: Socket, event: string): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const closed = (): void => reject(new Error("expected a connection, got its end"));
  socket.once(event, resolve).once("error", reject).once("close", closed);
  return promise.finally(() => {
    socket.off(event, resolve).off("error", reject).off("close", closed);
    if (event === "data") socket.pause();
  });
}

/** Who asks, and in which way answers are written. */
function startup({ user, database }: PostgresSettings): Buffer {
  const parameters = {
    user,
    database,
    application_name: "metrics-adapter",
    client_encoding: "UTF8",
    DateStyle: "ISO",
    TimeZone: "UTC",
  };
  const pairs = Object.entries(parameters).map(([name, value]) => `${name}\0${value}\0`);
  return encode("", int32(PROTOCOL), ...pairs, "\0");
}

async function logIn(socket: Socket, messages: Messages, settings: PostgresSettings): Promise<void> {
  const password = (): string => {
    if (settings.password === undefined)
      throw new Error("expected no need for a password, got a server that wants one");
    return settings.password;
  };
  const state: { scram?: ReturnType<typeof createScram>; verified: boolean } = { verified: false };
  for (;;) {
    const { value: message } = await messages.next();
    const { type, body } = message as Message;
    if (type === "E") throw new PostgresError(body);
    if (type === "Z") return;
    if (type !== "R") continue;
    const answer = await answerOf(body, settings.user, password, state);
    if (answer !== undefined) socket.write(answer);
  }
}

/** What the server's wish for authentication is answered with. A password is never sent as it is without TLS. */
async function answerOf(
  body: Buffer,
  user: string,
  password: () => string,
  state: { scram?: ReturnType<typeof createScram>; verified: boolean },
): Promise<Buffer | undefined> {
  const reader = readerOf(body);
  const kind = reader.int32();
  if (kind === 0) {
    if (state.scram !== undefined && !state.verified) throw new Error("expected the server's proof, got none");
    return undefined;
  }
  if (kind === 5) {
    const inner = createHash("md5")
      .update(password() + user)
      .digest("hex");
    return encode("p", `md5${createHash("md5").update(inner).update(reader.rest()).digest("hex")}\0`);
  }
  if (kind === 10 && reader.rest().toString("latin1").split("\0").includes(MECHANISM)) {
    state.scram = createScram(password());
    return encode("p", `${MECHANISM}\0`, int32(state.scram.first.length), state.scram.first);
  }
  if (kind === 11 && state.scram !== undefined) {
    return encode("p", await state.scram.answer(reader.rest().toString("utf8")));
  }
  if (kind === 12 && state.scram !== undefined) {
    state.scram.verify(reader.rest().toString("utf8"));
    state.verified = true;
    return undefined;
  }
  throw new Error(`expected authentication by ${MECHANISM} or md5, got another (${kind})`);
}

async function readResult(messages: Messages, maxBytes: number): Promise<Result> {
  let columns: readonly Column[] = [];
  const rows: (string | null)[][] = [];
  let failure: PostgresError | undefined;
  let size = 0;
  for (;;) {
    const { value: message } = await messages.next();
    const { type, body } = message as Message;
    size += body.length;
    if (size > maxBytes) throw new Error(`expected at most ${maxBytes} bytes, got more`);
    if (type === "T") columns = columnsOf(body);
    else if (type === "D") rows.push(rowOf(body));
    else if (type === "E") failure = new PostgresError(body);
    else if (type === "Z") break;
  }
  if (failure !== undefined) throw failure;
  return { columns, rows };
}

function columnsOf(body: Buffer): Column[] {
  const reader = readerOf(body);
  return Array.from({ length: reader.int16() }, () => {
    const name = reader.string();
    reader.skip(6);
    const type = reader.int32();
    reader.skip(8);
    return { name, type };
  });
}

function rowOf(body: Buffer): (string | null)[] {
  const reader = readerOf(body);
  return Array.from({ length: reader.int16() }, () => {
    const size = reader.int32();
    return size < 0 ? null : reader.text(size);
  });
}
