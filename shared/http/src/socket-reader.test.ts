import { once } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";

import { startRawServer, until } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { connectReading, kept } from "./socket-reader.ts";

test("what has been kept is not changed by what arrives later, small or large, on this socket or another", async () => {
  const sizes = [1, 100, 20_000, 7, 300_000, 15_999, 16_384, 3];
  const server = await startRawServer(
    (socket) => {
      let next = 0;
      // One piece for each byte that asks for it, so that pieces stay apart.
      socket.on("data", () => socket.write(Buffer.alloc(sizes[next]!, 97 + next++)));
    },
    { cleanup },
  );
  const received = [0, 1].map(() => [] as Buffer[]);
  const sockets = received.map((chunks) =>
    connectReading({ port: server.port, host: "127.0.0.1" }, (bytes) => chunks.push(kept(bytes))),
  );
  for (const socket of sockets) cleanup(() => void socket.destroy());
  let expected = 0;
  for (const size of sizes) {
    for (const socket of sockets) socket.write("?");
    expected += size;
    await until(() => received.every((chunks) => Buffer.concat(chunks).length === expected));
  }
  const whole = Buffer.concat(sizes.map((size, index) => Buffer.alloc(size, 97 + index)));
  for (const chunks of received) expect(Buffer.concat(chunks).equals(whole)).toBe(true);
});

test("a paused socket delivers nothing until it is resumed, and tells of the end", async () => {
  const server = await startRawServer((socket) => socket.end(Buffer.alloc(1024 * 1024)), { cleanup });
  let size = 0;
  const socket = connectReading({ port: server.port, host: "127.0.0.1" }, (bytes) => {
    size += bytes.length;
    socket.pause();
  });
  const ended = once(socket, "end");
  for (let last = 0; last < 1024 * 1024; last = size) {
    await until(() => size > last);
    const before = size;
    await nextTurn();
    expect(size).toBe(before);
    socket.resume();
  }
  await ended;
});
