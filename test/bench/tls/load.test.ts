import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";

import { expect, test } from "vitest";

import { answerReader } from "./answers.ts";
import { settled } from "./idle.ts";
import { sendOnSchedule } from "./open-loop.ts";
import { fillTemplate } from "./template.ts";
import { parseReport } from "./wrk.ts";

const ANSWER = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: 1024\r\n\r\n${"x".repeat(1024)}`);

test("answers are counted however they are cut into chunks", () => {
  const stream = Buffer.concat([ANSWER, ANSWER, ANSWER]);
  for (const size of [1, 7, ANSWER.length - 1, stream.length]) {
    let answers = 0;
    const read = answerReader(() => answers++);
    for (let at = 0; at < stream.length; at += size) read(stream.subarray(at, at + size));
    expect(answers).toBe(3);
  }
});

test("an answer with another status or length is an error", () => {
  const read = (text: string) => () => answerReader(() => {})(Buffer.from(text));
  expect(read("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 1024\r\n\r\n")).toThrow("got HTTP/1.1 502 Bad Gateway");
  expect(read("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")).toThrow("expected 200 with 1,024 bytes");
});

test("placeholders are filled in, and one without a value is an error", () => {
  expect(fillTemplate("listen {{port}}; # {{port}} {", { port: 80 })).toBe("listen 80; # 80 {");
  expect(() => fillTemplate("{{pem}}", { port: 80 })).toThrow("expected a value for {{pem}}");
});

test("the report of wrk is the line of JSON among what it prints", () => {
  const report = '{"requests":5,"bytes":7,"microseconds":9,"errors":0}';
  expect(parseReport(`Running 1s test\n  5 requests\n${report}\n`)).toEqual(JSON.parse(report));
  expect(() => parseReport("unable to connect")).toThrow("got unable to connect");
});

test("a gauge is read until it stands still", async () => {
  const readings = [10, 20, 30, 30.1, 30.2, 99];
  expect(await settled(() => readings.shift()!)).toBe(30.2);
});

/** A server that answers every request at once, but holds back all answers from `from` to `to` ms after its start. */
async function stallingServer(from: number, to: number): Promise<{ port: number; close: () => void }> {
  const start = performance.now();
  const server = createServer((socket) => {
    socket.on("data", () => {
      const now = performance.now() - start;
      if (now < from || now > to) socket.write(ANSWER);
      else setTimeout(() => socket.write(ANSWER), to - now);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

async function openSockets(port: number, count: number): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => connect(port, "127.0.0.1"));
  await Promise.all(sockets.map(async (socket) => once(socket, "connect")));
  return sockets;
}

test("at a fixed rate, a pause counts in every request that it delayed, not in one of each connection", async () => {
  const server = await stallingServer(300, 700);
  const sockets = await openSockets(server.port, 4);
  const latencies = await sendOnSchedule(sockets, { rate: 200, seconds: 1 });
  for (const socket of sockets) socket.destroy();
  server.close();
  expect(latencies).toHaveLength(200);
  // 80 requests fall due in the pause; all but those of its last 50 ms wait for longer than that.
  expect(latencies.filter((latency) => latency > 50_000).length).toBeGreaterThan(50);
});

test("at a fixed rate, a connection that ends is an error", async () => {
  const server = createServer((socket) => socket.once("data", () => socket.destroy())).listen(0, "127.0.0.1");
  await once(server, "listening");
  const sockets = await openSockets((server.address() as AddressInfo).port, 2);
  await expect(sendOnSchedule(sockets, { rate: 100, seconds: 1 })).rejects.toThrow(
    /got the end of the connection|ECONNRESET/,
  );
  for (const socket of sockets) socket.destroy();
  server.close();
});
