import { connect } from "node:net";
import type { Socket } from "node:net";

import { startApp, until } from "@outrigger/testing";
import * as fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";

import { startProxy } from "./test-proxy.ts";

const cleanup = onTestFinished;

/** Requests from which the mutations start. */
const SEEDS = [
  "GET /a HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
  "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
  "PUT /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nX-T: y\r\n\r\n",
  "POST /d HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\nX-Forwarded-For: 1\r\n\r\nhi",
  "GET /e HTTP/1.0\r\nConnection: close, x\r\nX: y\r\n\r\n",
  "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
  "GET http://a/f HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n",
];

/** Bytes that have made parsers disagree. */
const SPICES = [
  "\r\n",
  "\n",
  "\r",
  " ",
  "\t",
  "\0",
  "\x0b",
  ":",
  ";",
  ",",
  "0",
  "1",
  "f",
  "+",
  "-",
  "_",
  "#",
  "\xe9",
  "\r\n\r\n",
  "0\r\n\r\n",
  "Content-Length: 3\r\n",
  "Content-Length: 0\r\n",
  "Content_Length: 9\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Transfer-Encoding : chunked\r\n",
  "Transfer-Encoding: identity\r\n",
  "transfer_encoding: chunked\r\n",
  "Host: b\r\n",
  " folded\r\n",
  "Connection: close\r\n",
  "Connection: content-length, transfer-encoding\r\n",
  "Upgrade: x\r\nConnection: upgrade\r\n",
  "HTTP/1.1",
  "HTTP/1.0",
  "GET /x HTTP/1.1\r\nHost: a\r\n\r\n",
];

/** A head as only the proxy writes it: its own fields stand at the end. */
const PASSED_HEAD = /^[!-~]+ [!-\xff]+ HTTP\/1\.1\r\n[^]*\r\nForwarded: for=[^\r]+\r\n\r\n/;

type Mutation = { kind: "insert" | "delete" | "replace" | "repeat"; at: number; length: number; spice: string };

function mutate(text: string, { kind, at, length, spice }: Mutation): string {
  const from = Math.floor(at * text.length);
  const part = text.slice(from, from + length);
  const put = { insert: spice + part, delete: "", replace: spice, repeat: part + part }[kind];
  return text.slice(0, from) + put + text.slice(from + length);
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom("insert", "delete", "replace", "repeat"),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.integer({ min: 0, max: 12 }),
  spice: fc.constantFrom(...SPICES),
});

const stream = fc.record({
  seeds: fc.array(fc.constantFrom(...SEEDS), { minLength: 1, maxLength: 4 }),
  mutations: fc.array(mutation, { maxLength: 4 }),
  cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 }),
});

/** Sends the pieces, ends, and waits for the other side to have ended too. */
function send(port: number, pieces: readonly string[], sockets: Set<Socket>): Promise<string> {
  return new Promise((resolve) => {
    let received = "";
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    sockets.add(socket);
    const next = (i: number): void => {
      if (i < pieces.length) socket.write(pieces[i]!, "latin1", () => setImmediate(next, i + 1));
    };
    socket.on("data", (bytes) => (received += bytes.toString("latin1"))).on("error", () => undefined);
    socket
      .on("connect", () => next(0))
      .on("close", () => {
        sockets.delete(socket);
        resolve(received);
      });
  });
}

test("whatever clients send, they get an end or answers, and the application gets nothing but whole requests", async () => {
  const seed = Math.trunc(Math.random() * 2 ** 31);
  const errors: string[] = [];
  const app = await startApp(
    (request, response) => {
      let size = 0;
      request
        .on("data", (piece: Buffer) => (size += piece.length))
        .on("end", () => response.end(`${request.url} ${size}`));
    },
    { cleanup },
  );
  // Node's own parser is the independent reading: it has to find nothing wrong but methods that it does not know.
  let unknownMethods = 0;
  app.server.on("clientError", (error: NodeJS.ErrnoException & { rawPacket?: Buffer }, socket) => {
    const packet = error.rawPacket?.toString("latin1") ?? "";
    if (error.code === "HPE_INVALID_METHOD" && PASSED_HEAD.test(packet)) unknownMethods++;
    else if (error.code?.startsWith("HPE_") === true && error.code !== "HPE_INVALID_EOF_STATE")
      errors.push(`${error.code} ${packet}`);
    socket.destroy();
  });
  const { port, heard, listening } = await startProxy(app.port, {
    cleanup,
    timeouts: { headMs: 200, idleMs: 200, responseMs: 2000, closeMs: 200 },
  });
  const sockets = new Set<Socket>();
  cleanup(() => sockets.forEach((socket) => socket.destroy()));

  const run = async ({
    seeds,
    mutations,
    cuts,
  }: {
    seeds: string[];
    mutations: Mutation[];
    cuts: number[];
  }): Promise<void> => {
    const text = mutations.reduce(mutate, seeds.join(""));
    const places = [0, ...cuts.map((cut) => Math.floor(cut * text.length)).sort((a, b) => a - b), text.length];
    const pieces = places.slice(1).map((end, i) => text.slice(places[i], end));
    const received = await send(
      port,
      pieces.filter((piece) => piece !== ""),
      sockets,
    );
    // What a client gets is a row of answers, each with a status line of its own, or nothing.
    if (received !== "") expect(received).toMatch(/^HTTP\/1\.1 \d{3} /);
    expect(errors, `with seed ${seed}`).toEqual([]);
  };

  const samples = fc.sample(stream, { numRuns: 400, seed });
  const batch = 40;
  for (let i = 0; i < samples.length; i += batch) await Promise.all(samples.slice(i, i + batch).map(run));

  await until(() => listening.openConnections === 0);
  // Everything that reached the application was a request that the proxy accounts for, and no other.
  const forwarded = heard.filter(
    (event) => event === "response 200" || event === "aborted" || event.startsWith("incomplete"),
  );
  const refusedLate = heard.filter((event) =>
    /refused (bad_chunk|body_timeout|closed_early|bad_response|response_timeout)/.test(event),
  );
  expect(app.requests).toBeLessThanOrEqual(forwarded.length + refusedLate.length);
  expect(app.requests).toBeGreaterThan(samples.length / 4);
  expect(heard.filter((event) => event.startsWith("failure")).length).toBeLessThanOrEqual(unknownMethods);
}, 20_000);

test("requests that are whole all arrive, each once, however they are cut", async () => {
  const app = await startApp((request, response) => void request.resume().on("end", () => response.end(request.url)), {
    cleanup,
  });
  const { port, heard } = await startProxy(app.port, { cleanup });
  const sockets = new Set<Socket>();
  const whole = SEEDS.filter((seed) => !seed.includes("HTTP/1.0"));
  const last = "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  const plan = fc.record({
    seeds: fc.array(fc.constantFrom(...whole), { maxLength: 6 }),
    size: fc.integer({ min: 1, max: 60 }),
  });
  await fc.assert(
    fc.asyncProperty(plan, async ({ seeds, size }) => {
      const before = [app.requests, heard.length];
      const text = seeds.join("") + last;
      const pieces = Array.from({ length: Math.ceil(text.length / size) }, (_, i) =>
        text.slice(i * size, (i + 1) * size),
      );
      const received = await send(port, pieces, sockets);
      expect(received.split("HTTP/1.1 200 OK").length - 1).toBe(seeds.length + 1);
      expect([app.requests, heard.length]).toEqual(before.map((count) => count + seeds.length + 1));
    }),
    { numRuns: 40 },
  );
}, 20_000);
