import { startApp, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { ok } from "../test-proxy.ts";
import type { Answer, TestProxySettings } from "../test-proxy.ts";
import { ERROR, FLAG, TYPE, headersFrames } from "./frames.ts";
import { block, blockOf, connectClient, frame, number } from "./test-client.ts";
import { setUpHttp2, startHttp2Proxy } from "./test-set-up.ts";

const setUp = (answer?: string | Answer, settings?: Partial<TestProxySettings>) =>
  setUpHttp2(cleanup, answer, settings);

describe("requests", () => {
  test("reach the application in HTTP/1.1, and the answer comes back", async () => {
    const answer = "HTTP/1.1 404 Not Found\r\nX-A: 1\r\nConnection: x-b\r\nX-B: 2\r\nContent-Length: 2\r\n\r\nno";
    const { app, client, heard } = await setUp(answer);
    client.request(1, { ":path": "/x?y", cookie: "a=1", "x-c": "3" });
    expect(await client.response(1)).toMatchObject({
      status: "404",
      body: "no",
      fields: [
        [":status", "404"],
        ["x-a", "1"],
        ["content-length", "2"],
      ],
    });
    expect(app.heads[0]).toMatch(
      /^GET \/x\?y HTTP\/1\.1\r\nhost: a\r\nx-c: 3\r\ncookie: a=1\r\nX-Forwarded-For: 192\.0\.2\.7/,
    );
    expect(heard).toEqual(["response 404"]);
  });

  test("may be many at a time, and are answered as the application answers them", async () => {
    const { client } = await setUp((head) => ok(head.split(" ")[1]));
    for (let stream = 1; stream < 20; stream += 2) client.request(stream, { ":path": `/${stream}` });
    for (let stream = 1; stream < 20; stream += 2) expect((await client.response(stream)).body).toBe(`/${stream}`);
  });

  test("pieces of a cookie are put together", async () => {
    const { app, client } = await setUp();
    const fields = [
      [":method", "GET"],
      [":scheme", "https"],
      [":path", "/"],
      [":authority", "a"],
      ["cookie", "a=1"],
      ["x", "y"],
      ["cookie", "b=2"],
    ] as const;
    client.send(headersFrames(1, block(fields), true));
    await client.response(1);
    expect(app.heads[0]).toContain("\r\ncookie: a=1; b=2\r\n");
  });

  test("bodies pass with and without a length, and so do their trailers, in both directions", async () => {
    const seen: string[] = [];
    const app = await startApp(
      (request, response) => {
        let text = "";
        request.on("data", (bytes) => (text += String(bytes)));
        request.on("end", () => {
          seen.push(`${request.headers["content-length"]} ${text} ${JSON.stringify(request.trailers)}`);
          response.writeHead(200, { Trailer: "X-End" });
          response.write("one");
          response.addTrailers({ "X-End": "there" });
          response.end("two");
        });
      },
      { cleanup },
    );
    const { port } = await startHttp2Proxy(app.port, { cleanup });
    const client = await connectClient(port, { cleanup });
    client.request(1, { ":method": "POST", "content-length": "4" }, false);
    client.send(frame(TYPE.data, 1, Buffer.from("ab")), frame(TYPE.data, 1, Buffer.from("cd"), FLAG.endStream));
    client.request(3, { ":method": "POST" }, false);
    client.send(frame(TYPE.data, 3, Buffer.from("ef")), headersFrames(3, block([["x-sum", "9"]]), true));
    const expected = { status: "200", body: "onetwo", trailers: [["x-end", "there"]] };
    expect(await client.response(1)).toMatchObject(expected);
    expect(await client.response(3)).toMatchObject(expected);
    expect(seen.toSorted()).toEqual(["4 abcd {}", 'undefined ef {"x-sum":"9"}']);
  });

  test("a head in many frames is one head", async () => {
    const { app, client } = await setUp();
    const whole = blockOf({ "x-long": "v".repeat(50) });
    client.send(
      frame(TYPE.headers, 1, whole.subarray(0, 5), FLAG.endStream),
      frame(TYPE.continuation, 1, whole.subarray(5, 20)),
      frame(TYPE.continuation, 1, whole.subarray(20), FLAG.endHeaders),
    );
    expect((await client.response(1)).status).toBe("200");
    expect(app.heads[0]).toContain(`x-long: ${"v".repeat(50)}\r\n`);
  });

  test("padding and priorities mean nothing", async () => {
    const { client } = await setUp();
    const padded = Buffer.concat([Buffer.from([3]), number(0), Buffer.from([16]), blockOf({}), Buffer.alloc(3)]);
    client.send(
      frame(TYPE.priority, 9, Buffer.alloc(5)),
      frame(TYPE.headers, 1, padded, FLAG.endStream | FLAG.endHeaders | FLAG.padded | FLAG.priority),
    );
    expect((await client.response(1)).status).toBe("200");
  });

  test("the answer to HEAD has no body, and one before the request's end ends the request as well", async () => {
    const { client } = await setUp((head) =>
      head.startsWith("HEAD")
        ? "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
        : "HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n",
    );
    client.request(1, { ":method": "HEAD" });
    expect(await client.response(1)).toMatchObject({ status: "200", body: "" });
    client.request(3, { ":method": "POST" }, false);
    expect((await client.response(3)).status).toBe("413");
    expect((await client.frame(TYPE.reset, 3)).payload).toEqual(number(ERROR.none));
  });

  test("interim answers are passed on, and an answer that breaks off breaks off its stream alone", async () => {
    const { client, app, heard } = await setUp((head) =>
      head.includes("/cut")
        ? "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"
        : `HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n${ok()}`,
    );
    client.request(1, {});
    const { fields, trailers } = await client.response(1);
    expect(fields).toEqual([
      [":status", "103"],
      ["link", "x"],
    ]);
    expect(trailers[0]).toEqual([":status", "200"]);
    client.request(3, { ":path": "/cut" });
    await until(() => client.seen.some(({ type, stream }) => type === TYPE.data && stream === 3));
    app.sockets.at(-1)!.destroy();
    expect((await client.frame(TYPE.reset, 3)).payload).toEqual(number(ERROR.internal));
    client.request(5, {});
    expect((await client.response(5)).trailers[0]).toEqual([":status", "200"]);
    expect(heard).toEqual(["response 200", "failure truncated", "incomplete 200", "response 200"]);
  });

  test("a client that breaks off a request gives it up, and the application's connection with it", async () => {
    const { client, app, heard } = await setUp(() => undefined);
    client.request(1, {});
    await until(() => app.heads.length === 1);
    client.send(frame(TYPE.reset, 1, number(ERROR.cancel)));
    await until(() => heard.length > 0);
    expect(heard).toEqual(["aborted"]);
    await until(() => app.sockets[0]!.destroyed);
  });
});

describe("what a client may not set", () => {
  test("is as for HTTP/1.1: forwarding fields in any spelling, and two hosts", async () => {
    const { client, app } = await setUp();
    client.request(1, { "x-forwarded-for": "6.6.6.6", x_forwarded_for: "6.6.6.6", "x.real.ip": "6.6.6.6" });
    await client.response(1);
    expect(app.heads[0]).not.toContain("6.6.6.6");
    client.request(3, { host: "b" });
    expect(await client.response(3)).toMatchObject({ status: "400", body: expect.stringContaining("several_hosts") });
    client.request(5, { ":method": "CONNECT" });
    expect((await client.response(5)).status).toBe("405");
    expect(app.heads).toHaveLength(1);
  });

  test.each<[string, readonly (readonly [string, string])[]]>([
    ["a name with capitals", [["X-A", "1"]]],
    ["a field about the connection", [["connection", "close"]]],
    ["transfer-encoding", [["transfer-encoding", "chunked"]]],
    ["an end of line in a value", [["x", "1\r\nx-forwarded-for: 6.6.6.6"]]],
    ["an end of line in a name", [["x: 1\r\ny", "2"]]],
    ["a colon in a name", [["x:y", "2"]]],
    ["an unknown pseudo-field", [[":protocol", "websocket"]]],
    [
      "a pseudo-field behind others",
      [
        ["x", "1"],
        [":path", "/other"],
      ],
    ],
    ["te other than trailers", [["te", "gzip"]]],
    [
      "two lengths",
      [
        ["content-length", "1"],
        ["content-length", "1"],
      ],
    ],
    ["a length that is no number", [["content-length", "+1"]]],
    ["a length without a body", [["content-length", "1"]]],
  ])("resets the stream: %s", async (_, more) => {
    const { client, app, heard } = await setUp();
    const base = [
      [":method", "GET"],
      [":scheme", "https"],
      [":path", "/"],
      [":authority", "a"],
    ] as const;
    client.send(headersFrames(1, block([...base, ...more]), true));
    expect((await client.frame(TYPE.reset, 1)).payload).toEqual(number(ERROR.protocol));
    expect([app.heads.length, heard[0]]).toEqual([0, "refused malformed_message"]);
    client.request(3, {});
    expect((await client.response(3)).status).toBe("200");
  });

  test.each<[string, Record<string, string | undefined>]>([
    ["no method", { ":method": undefined }],
    ["no path", { ":path": undefined }],
    ["an empty path", { ":path": "" }],
    ["a space in the path", { ":path": "/ HTTP/1.1" }],
    ["a space in the method", { ":method": "GET /x" }],
    ["an end of line in the path", { ":path": "/\r\nx" }],
    ["an end of line in the host", { ":authority": "a\r\nx: y" }],
  ])("resets the stream: %s", async (_, fields) => {
    const { client, app } = await setUp();
    client.request(1, fields);
    expect((await client.frame(TYPE.reset, 1)).payload).toEqual(number(ERROR.protocol));
    expect(app.heads).toHaveLength(0);
  });

  test("a body other than its length resets the stream, and the application sees no whole request", async () => {
    const { client, heard } = await setUp(() => undefined);
    client.request(1, { ":method": "POST", "content-length": "3" }, false);
    client.send(frame(TYPE.data, 1, Buffer.from("abcd"), FLAG.endStream));
    expect((await client.frame(TYPE.reset, 1)).payload).toEqual(number(ERROR.protocol));
    client.request(3, { ":method": "POST", "content-length": "3" }, false);
    client.send(frame(TYPE.data, 3, Buffer.from("ab"), FLAG.endStream));
    expect((await client.frame(TYPE.reset, 3)).payload).toEqual(number(ERROR.protocol));
    expect(heard).not.toContain("response 200");
  });
});
