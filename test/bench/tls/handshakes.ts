// Load of handshakes: connections with one request each, either all new or all resumed.
// An own generator, since wrk with `Connection: close` resumes every handshake but the first of each of its connections.
import { once } from "node:events";

import { CLOSING_REQUEST, exchangeOver } from "./answers.ts";
import type { Endpoint } from "./client.ts";
import { connectTls } from "./client.ts";

export type HandshakeLoad = { readonly count: number; readonly concurrency: number; readonly resume: boolean };

export type HandshakeReport = { readonly seconds: number; readonly connections: number };

type Connection = { resumed: boolean; ticket: Buffer | undefined };

async function connectOnce(endpoint: Endpoint, session: Buffer | undefined): Promise<Connection> {
  const socket = await connectTls(endpoint, session);
  let ticket: Buffer | undefined;
  socket.on("session", (fresh: Buffer) => {
    ticket = fresh;
  });
  const resumed = socket.isSessionReused();
  const closed = once(socket, "close");
  await exchangeOver(socket)(CLOSING_REQUEST);
  await closed;
  return { resumed, ticket };
}

/** Makes `count` connections, `concurrency` at a time. Rejects if any fails, or resumes against the plan. */
export async function runHandshakes(endpoint: Endpoint, load: HandshakeLoad): Promise<HandshakeReport> {
  // The connection that brings the first ticket is a full one, and counts: one among thousands.
  const first = load.resume ? await connectOnce(endpoint, undefined) : undefined;
  const begin = performance.now();
  let started = 0;
  let resumed = 0;
  const worker = async (): Promise<void> => {
    let ticket = first?.ticket;
    while (started < load.count) {
      started++;
      const connection = await connectOnce(endpoint, ticket);
      if (connection.resumed) resumed++;
      if (load.resume) ticket = connection.ticket ?? ticket;
    }
  };
  await Promise.all(Array.from({ length: load.concurrency }, worker));
  const expected = load.resume ? load.count : 0;
  if (resumed !== expected) throw new Error(`handshakes: expected ${expected} resumed, got ${resumed}`);
  return { seconds: (performance.now() - begin) / 1000, connections: load.count + (load.resume ? 1 : 0) };
}
