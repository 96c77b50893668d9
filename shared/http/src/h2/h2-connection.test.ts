import { rawExchange, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { get, ok, startProxy, startScripted } from "../test-proxy.ts";
import type { Answer, TestProxySettings } from "../test-proxy.ts";
import { ERROR, FLAG, PREFACE, SETTING, TYPE, headersFrames, settingsFrame } from "./frames.ts";
import { blockOf, connectClient, frame, number } from "./test-client.ts";
import { setUpHttp2 } from "./test-set-up.ts";

const setUp = (answer?: string | Answer, settings?: Partial<TestProxySettings>) =>
  setUpHttp2(cleanup, answer, settings);

describe("the connection", () => {
  test.each<[string, Buffer, number]>([
    ["no preface", Buffer.from("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), ERROR.protocol],
    ["no settings first", Buffer.concat([PREFACE, frame(TYPE.ping, 0, Buffer.alloc(8))]), ERROR.protocol],
    [
      "a window that is too large",
      Buffer.concat([PREFACE, settingsFrame([[SETTING.initialWindowSize, 2 ** 31]])]),
      ERROR.flowControl,
    ],
    [
      "a frame that is too large",
      Buffer.concat([PREFACE, settingsFrame([]), Buffer.from([0, 64, 1, 0, 0, 0, 0, 0, 1])]),
      ERROR.frameSize,
    ],
    [
      "a pushed promise",
      Buffer.concat([PREFACE, settingsFrame([]), frame(TYPE.pushPromise, 1, Buffer.alloc(4))]),
      ERROR.protocol,
    ],
    [
      "a stream of the server's",
      Buffer.concat([PREFACE, settingsFrame([]), headersFrames(2, blockOf({}), true)]),
      ERROR.protocol,
    ],
    [
      "data of no stream",
      Buffer.concat([PREFACE, settingsFrame([]), frame(TYPE.data, 1, Buffer.from("x"))]),
      ERROR.protocol,
    ],
  ])("is ended by %s", async (_, bytes, error) => {
    const { port, heard } = await setUp();
    const client = await connectClient(port, { cleanup, introduce: false });
    client.send(bytes);
    expect((await client.frame(TYPE.goaway)).payload.readUInt32BE(4)).toBe(error);
    await until(() => client.closed);
    expect(heard).toContain("refused bad_frame");
  });

  test("answers pings", async () => {
    const { client } = await setUp();
    client.send(frame(TYPE.ping, 0, Buffer.from("12345678")));
    expect(await client.frame(TYPE.ping)).toMatchObject({ flags: FLAG.ack, payload: Buffer.from("12345678") });
  });

  test("without a preface, or without requests, it is ended in time", async () => {
    const { port, client } = await setUp(ok(), { timeouts: { headMs: 150, idleMs: 300, closeMs: 100 } });
    const silent = await connectClient(port, { cleanup, introduce: false });
    client.request(1, {});
    await client.response(1);
    await until(() => silent.closed && client.closed);
    expect(client.seen.at(-1)!.type).toBe(TYPE.goaway);
  });

  test("a head that does not end is ended in time, whatever else is open", async () => {
    const { client } = await setUp(() => undefined, { timeouts: { headMs: 150 } });
    client.request(1, {});
    client.send(frame(TYPE.headers, 3, blockOf({})));
    await client.frame(TYPE.goaway);
  });

  test("draining finishes what is open, takes what was under way, and ends", async () => {
    const answers: (() => void)[] = [];
    const { client, proxy } = await setUp((_head, _index, socket) => void answers.push(() => socket.write(ok())));
    client.request(1, {});
    await until(() => answers.length === 1);
    const drained = proxy.drain();
    await client.frame(TYPE.goaway);
    // The client had not seen that yet.
    client.request(3, {});
    await until(() => answers.length === 2);
    for (const answer of answers) answer();
    expect((await client.response(1)).status).toBe("200");
    expect((await client.response(3)).status).toBe("200");
    const ping = await client.frame(TYPE.ping);
    client.send(frame(TYPE.ping, 0, ping.payload, FLAG.ack));
    await drained;
    await until(() => client.closed);
    expect(client.seen.at(-1)).toMatchObject({
      type: TYPE.goaway,
      payload: Buffer.concat([number(3), number(ERROR.none)]),
    });
  });

  test("a small window of the client's holds a response back until it grows", async () => {
    const { port } = await setUp(ok("x".repeat(5000)));
    const client = await connectClient(port, { cleanup, introduce: false });
    client.send(PREFACE, settingsFrame([[SETTING.initialWindowSize, 1000]]));
    client.request(1, {});
    const dataBytes = (): number =>
      client.seen.filter(({ type }) => type === TYPE.data).reduce((sum, { payload }) => sum + payload.length, 0);
    await until(() => dataBytes() === 1000);
    client.send(frame(TYPE.windowUpdate, 1, number(1500)));
    await until(() => dataBytes() === 2500);
    client.send(settingsFrame([[SETTING.initialWindowSize, 4000]]));
    expect((await client.response(1)).body).toHaveLength(5000);
  });

  test("HTTP/1.1 is still spoken with whoever speaks it", async () => {
    const app = await startScripted(ok(), cleanup);
    const { port } = await startProxy(app.port, {
      cleanup,
      proxy: { http2: { maxStreams: 1, maxResetsPerSecond: 1 } },
    });
    const { text } = await rawExchange({ port, send: get("/", "Connection: close\r\n") });
    expect(text).toContain("HTTP/1.1 200 OK");
  });
});
