import { once } from "node:events";
import { connect } from "node:net";
import { createServer as createTlsServer } from "node:tls";

import { expect, onTestFinished, test } from "vitest";

import { createCertificateAuthority } from "./certificates.ts";
import { listen } from "./listening.ts";
import { rawExchange } from "./raw-exchange.ts";
import { until } from "./until.ts";
import { startEchoServer, startRawServer } from "./upstreams.ts";

const cleanup = onTestFinished;

test("every byte is sent and received as it is", async () => {
  const { port } = await startEchoServer({ cleanup });
  const send = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  expect((await rawExchange({ port, send, end: true })).bytes).toEqual(send);
  const text = send.toString("latin1");
  expect((await rawExchange({ port, send: text, end: true })).text).toBe(text);
});

test("chunks are written one by one", async () => {
  const chunks: string[] = [];
  const { port } = await startRawServer(
    (socket) => socket.on("data", (chunk) => socket.write(`${chunks.push(String(chunk))};`)),
    { cleanup },
  );
  async function* send() {
    for (const text of ["GET ", "/ HT", "TP/1.1"]) {
      const before = chunks.length;
      yield text;
      await until(() => chunks.length > before);
    }
  }
  await rawExchange({ port, send: send(), until: "3;" });
  expect(chunks).toEqual(["GET ", "/ HT", "TP/1.1"]);
});

test("an exchange ends when enough was received", async () => {
  const { port } = await startEchoServer({ cleanup });
  for (const until of ["cd", /c.e/, (text: string) => text.length === 6])
    expect(await rawExchange({ port, send: "abcdef", until })).toMatchObject({ text: "abcdef", ended: "until" });
});

test("a socket that is handed in stays open for the next exchange", async () => {
  const { port } = await startEchoServer({ cleanup });
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  for (const text of ["one", "two"]) expect((await rawExchange({ socket, send: text, until: text })).text).toBe(text);
});

test("what was received until a time-out or a limit is given too", async () => {
  const { port } = await startEchoServer({ cleanup });
  expect(await rawExchange({ port, send: "abc", timeoutMs: 50 })).toMatchObject({ text: "abc", ended: "timeout" });
  expect((await rawExchange({ port, send: "x".repeat(10_000), maxBytes: 100 })).ended).toBe("limit");
});

test("a connection that fails is told as an error", async () => {
  const server = await startEchoServer();
  await server.close();
  const { ended, error } = await rawExchange({ port: server.port, send: "abc" });
  expect(ended).toBe("error");
  expect(error).toMatchObject({ code: "ECONNREFUSED" });
});

test("an exchange speaks TLS", async () => {
  const authority = await createCertificateAuthority();
  const { cert, key } = await authority.issue({ ips: ["127.0.0.1"] });
  const server = createTlsServer({ cert, key }, (socket) => socket.pipe(socket));
  const { port } = await listen(server, { cleanup });
  const tls = { ca: authority.pem };
  expect(await rawExchange({ port, tls, send: "abc", until: "abc" })).toMatchObject({ ended: "until", text: "abc" });
  const untrusted = await rawExchange({ port, tls: {}, send: "abc" });
  expect(untrusted.error).toMatchObject({ code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" });
});
