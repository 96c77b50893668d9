import { startRawServer, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import type { Answer, TestProxySettings } from "../test-proxy.ts";
import { ERROR, TYPE, settingsFrame } from "./frames.ts";
import { blockOf, connectClient, frame, number } from "./test-client.ts";
import { setUpHttp2, startHttp2Proxy } from "./test-set-up.ts";

const setUp = (answer?: string | Answer, settings?: Partial<TestProxySettings>) =>
  setUpHttp2(cleanup, answer, settings);

/** In front of an application that takes the head of a request and reads nothing more. */
async function setUpDeaf() {
  const app = await startRawServer((socket) => void socket.once("data", () => socket.pause()), { cleanup });
  const { port } = await startHttp2Proxy(app.port, { cleanup });
  return { client: await connectClient(port, { cleanup }) };
}

describe("bounds", () => {
  const goaway = async (client: Awaited<ReturnType<typeof connectClient>>): Promise<number> =>
    (await client.frame(TYPE.goaway)).payload.readUInt32BE(4);

  test("more streams than allowed are refused, and those allowed go on", async () => {
    const { client, app } = await setUp(() => undefined);
    for (let stream = 1; stream <= 21; stream += 2) client.request(stream, {});
    expect((await client.frame(TYPE.reset, 21)).payload).toEqual(number(ERROR.refusedStream));
    await until(() => app.heads.length === 10);
    expect(client.closed).toBe(false);
  });

  test("rapid resets end the connection", async () => {
    const { client, heard } = await setUp(() => undefined);
    for (let stream = 1; stream <= 61; stream += 2) {
      client.request(stream, {});
      client.send(frame(TYPE.reset, stream, number(ERROR.cancel)));
    }
    expect(await goaway(client)).toBe(ERROR.enhanceYourCalm);
    await until(() => client.closed);
    expect(heard).toContain("refused too_much");
  });

  test("a client that makes us reset its streams is ended as one that does it itself", async () => {
    const { client } = await setUp(() => undefined);
    for (let stream = 1; stream <= 61; stream += 2) {
      client.request(stream, {});
      client.send(frame(TYPE.windowUpdate, stream, number(0)));
    }
    expect(await goaway(client)).toBe(ERROR.enhanceYourCalm);
  });

  test("a head that is too large is answered 431, and one without an end closes the connection", async () => {
    const { client } = await setUp();
    const large = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`x-${i}`, "v".repeat(180)]));
    client.request(1, large);
    expect(await client.response(1)).toMatchObject({ status: "431" });
    client.send(frame(TYPE.headers, 3, Buffer.alloc(16_000, 0x82)));
    expect(await goaway(client)).toBe(ERROR.enhanceYourCalm);
  });

  test("continuations without a byte end the connection", async () => {
    const { client } = await setUp();
    client.send(frame(TYPE.headers, 1, blockOf({})));
    const empty = frame(TYPE.continuation, 1);
    client.send(...Array<Buffer>(2000).fill(empty));
    expect(await goaway(client)).toBe(ERROR.enhanceYourCalm);
  });

  test.each([
    ["empty data", frame(TYPE.data, 1)],
    ["settings", settingsFrame([])],
    ["priorities", frame(TYPE.priority, 1, Buffer.alloc(5))],
    ["frames of unknown types", frame(77, 0)],
    ["window updates of one byte", frame(TYPE.windowUpdate, 1, number(1))],
  ])("a flood of %s ends the connection", async (_, flood) => {
    const { client } = await setUp(() => undefined);
    client.request(1, { ":method": "POST" }, false);
    client.send(...Array<Buffer>(3000).fill(flood));
    expect(await goaway(client)).toBe(ERROR.enhanceYourCalm);
  });

  test("a client that pings and does not read is cut off before its answers fill the memory", async () => {
    const { client, sockets } = await setUp();
    await client.frame(TYPE.settings);
    client.socket.pause();
    const pings = Buffer.concat(Array<Buffer>(10_000).fill(frame(TYPE.ping, 0, Buffer.alloc(8))));
    const flood = (): void => {
      if (client.socket.destroyed) return;
      if (client.socket.write(pings)) setImmediate(flood);
      else client.socket.once("drain", flood);
    };
    flood();
    await until(() => sockets[0]!.writableEnded || sockets[0]!.destroyed);
    expect(sockets[0]!.writableLength).toBeLessThan(4 * 1024 * 1024);
  });

  test("data beyond the window are refused", async () => {
    const { client } = await setUpDeaf();
    client.request(1, { ":method": "POST" }, false);
    const data = Buffer.concat(Array<Buffer>(50).fill(frame(TYPE.data, 1, Buffer.alloc(16_000))));
    const isRefused = (): boolean => client.seen.some(({ type }) => type === TYPE.reset || type === TYPE.goaway);
    await until(() => {
      if (!isRefused()) client.send(data);
      return isRefused();
    });
    const error = client.seen.find(({ type }) => type === TYPE.reset)?.payload ?? number(await goaway(client));
    expect(error).toEqual(number(ERROR.flowControl));
  });

  test("an upload stops where the application does", async () => {
    const { client } = await setUpDeaf();
    client.request(1, { ":method": "POST" }, false);
    const window = (): number =>
      client.seen
        .filter(({ type, stream }) => type === TYPE.windowUpdate && stream === 1)
        .reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 262_143);
    let total = 0;
    let before = -1;
    await until(async () => {
      for (; total + 16_000 <= window(); total += 16_000) client.send(frame(TYPE.data, 1, Buffer.alloc(16_000)));
      // What has been sent has arrived when a PING behind it is answered.
      client.send(frame(TYPE.ping, 0, Buffer.alloc(8)));
      const pongs = (): number => client.seen.filter(({ type }) => type === TYPE.ping).length;
      const answered = pongs();
      await until(() => pongs() > answered);
      const still = before === total;
      before = total;
      return still;
    });
    expect(total).toBeLessThan(64 * 1024 * 1024);
  });
});
