import { rawExchange, startApp, until } from "@outrigger/testing";
import { describe, expect, onTestFinished, test } from "vitest";

import { get, ok, startProxy, startScripted } from "./test-proxy.ts";
import type { Answer, TestProxySettings } from "./test-proxy.ts";

const cleanup = onTestFinished;

async function setUp(answer: string | Answer, settings: Partial<TestProxySettings> = {}) {
  const app = await startScripted(answer, cleanup);
  const proxy = await startProxy(app.port, { cleanup, ...settings });
  return { app, ...proxy };
}

const countOf = (text: string, part: string): number => text.split(part).length - 1;
const bodyOf = (text: string): string => text.slice(text.indexOf("\r\n\r\n") + 4);

describe("connections", () => {
  test("a connection serves one request after another, and so does the application's (6.3 row 4)", async () => {
    const { port, app, listening, heard } = await setUp(ok());
    const send = async function* () {
      for (let i = 1; i <= 5; i++) {
        yield get(`/${i}`);
        await until(() => heard.length === i);
      }
      yield get("/last", "Connection: close\r\n");
    };
    const { text, ended } = await rawExchange({ port, send: send() });
    expect(countOf(text, "HTTP/1.1 200 OK")).toBe(6);
    expect(countOf(text, "Connection: close")).toBe(1);
    expect([ended, listening.connections, app.connections]).toEqual(["close", 1, 1]);
    expect(heard).toEqual(Array<string>(6).fill("response 200"));
  });

  test("many requests leave no more listeners on a connection than one does", async () => {
    const { port, sockets, heard } = await setUp(ok());
    const countListeners = (): number[] => sockets[0]!.eventNames().map((name) => sockets[0]!.listenerCount(name));
    let first: number[] = [];
    const send = async function* () {
      yield get();
      await until(() => heard.length === 1);
      first = countListeners();
      yield get().repeat(100);
      await until(() => heard.length === 101);
      expect(countListeners()).toEqual(first);
      yield get("/", "Connection: close\r\n");
    };
    const { ended } = await rawExchange({ port, send: send() });
    expect([ended, first.length > 0]).toEqual(["close", true]);
  });

  test("pipelined requests are answered in their order", async () => {
    const { port, heard } = await setUp((head) => ok(head.split(" ")[1]));
    const paths = Array.from({ length: 50 }, (_, i) => `/${i}`);
    const send = paths.map((path) => get(path)).join("") + get("/end", "Connection: close\r\n");
    const { text } = await rawExchange({ port, send });
    expect([...text.matchAll(/\r\n\r\n(\/\d+|\/end)/g)].map(([, path]) => path)).toEqual([...paths, "/end"]);
    expect(heard).toHaveLength(51);
  });

  test("a request behind Connection: close is not served", async () => {
    const { port, app } = await setUp(ok());
    const { text } = await rawExchange({ port, send: get("/1", "Connection: close\r\n") + get("/2") });
    expect(countOf(text, "HTTP/1.1")).toBe(1);
    expect(app.heads).toHaveLength(1);
  });

  test("an empty line between requests is ignored, also in two pieces and when nothing follows", async () => {
    const { port, heard } = await setUp(ok(), { timeouts: { headMs: 150, idleMs: 200 } });
    const first = await rawExchange({ port, send: [`${get()}\r`, `\n${get()}`, "\r\n"] });
    expect([countOf(first.text, "200 OK"), countOf(first.text, "408"), first.ended]).toEqual([2, 0, "close"]);
    expect(heard).toEqual(["response 200", "response 200"]);
  });

  test("an HTTP/1.0 client's connection is kept only if it asks for that", async () => {
    const { port } = await setUp(ok());
    const closed = await rawExchange({ port, send: "GET / HTTP/1.0\r\n\r\n" });
    expect(closed.ended).toBe("close");
    expect(closed.text).toContain("Connection: close");
    const kept = "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n";
    const { text } = await rawExchange({ port, send: kept + kept, until: (text) => countOf(text, "\r\n\r\nok") === 2 });
    expect(countOf(text, "Connection: keep-alive")).toBe(2);
  });

  test.each(["Connection: close\r\n", ""])(
    "an application's connection is reused unless it says %j in HTTP/1.1",
    async (line) => {
      const { port, app } = await setUp(ok().replace("\r\n\r\n", `\r\n${line}\r\n`));
      await rawExchange({ port, send: get() + get("/", "Connection: close\r\n") });
      expect(app.connections).toBe(line === "" ? 1 : 2);
    },
  );

  test.each([
    ["an HTTP/1.0 answer", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", 2],
    [
      "an HTTP/1.0 answer that keeps alive",
      "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
      1,
    ],
    ["bytes behind the answer", `${ok()}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`, 2],
    ["a 204 with a length", "HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\n", 2],
    ["a 304 with a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n", 1],
  ])("%s decides about the application's connection", async (_, answer, connections) => {
    const { port, app } = await setUp(answer);
    const { text } = await rawExchange({ port, send: get() + get("/", "Connection: close\r\n") });
    expect([countOf(text, "HTTP/1.1 "), text.includes("evil"), app.connections]).toEqual([2, false, connections]);
  });

  test("bytes that nobody asked for end an idle connection of the application", async () => {
    const { port, app } = await setUp((_, index, socket) => {
      if (index === 0) setImmediate(() => setImmediate(() => socket.write(ok("evil"))));
      return ok();
    });
    await rawExchange({ port, send: get(), until: "ok" });
    await until(() => app.openConnections === 0);
    const { text } = await rawExchange({ port, send: get("/2", "Connection: close\r\n") });
    expect([bodyOf(text), app.connections]).toEqual(["ok", 2]);
  });
});

describe("bodies that are not there", () => {
  test("the answer to HEAD has a length and no body", async () => {
    const { port, app } = await setUp("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    const send = `HEAD / HTTP/1.1\r\nHost: a\r\n\r\nHEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
    const { text } = await rawExchange({ port, send });
    expect(countOf(text, "Content-Length: 1000")).toBe(2);
    expect(text.endsWith("\r\n\r\n")).toBe(true);
    expect(app.connections).toBe(1);
  });

  test.each([
    ["204 No Content", "Content-Length: 10\r\n", ""],
    ["204 No Content", "Transfer-Encoding: chunked\r\n", ""],
    ["304 Not Modified", "Content-Length: 10\r\n", "Content-Length: 10\r\n"],
    ["304 Not Modified", "Transfer-Encoding: chunked\r\n", ""],
  ])("a %s with %j has none", async (status, line, passed) => {
    const { port } = await setUp(`HTTP/1.1 ${status}\r\n${line}\r\n`);
    const { text } = await rawExchange({ port, send: get("/", "Connection: close\r\n") });
    expect(text).toBe(`HTTP/1.1 ${status}\r\n${passed}Connection: close\r\n\r\n`);
  });
});

describe("framing of responses", () => {
  const endless = "HTTP/1.1 200 OK\r\n\r\nab";

  test("a body until the end becomes chunked, and the client's connection goes on", async () => {
    const { port } = await setUp((_, __, socket) => void socket.write(endless, () => socket.end("cd")));
    const { text } = await rawExchange({ port, send: get() + get("/", "Connection: close\r\n") });
    expect(countOf(text, "0\r\n\r\n")).toBe(2);
    expect(text).toMatch(
      /^HTTP\/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n(2\r\nab\r\n2\r\ncd|4\r\nabcd)\r\n0\r\n\r\nHTTP/,
    );
  });

  test.each([
    ["until the end", endless, true],
    ["chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\nX-T: y\r\n\r\n", false],
  ])("an HTTP/1.0 client gets a body %s as it is, and the end", async (_, answer, end) => {
    const { port } = await setUp((_, __, socket) => void (end ? socket.end(answer) : socket.write(answer)));
    const { text, ended } = await rawExchange({ port, send: "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" });
    expect([text, ended]).toEqual(["HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nab", "close"]);
  });

  test("chunks are framed anew, trailers pass, and those that could do harm do not (6.3 row 16)", async () => {
    const trailers = "X-Sum: 1\r\nContent-Length: 9\r\nTransfer-Encoding: x\r\n";
    const { port } = await setUp(
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n${trailers}\r\n`,
    );
    const { text } = await rawExchange({ port, send: get("/", "Connection: close\r\n") });
    expect(text).toContain("\r\nTrailer: X-Sum\r\n");
    expect(bodyOf(text)).toBe("5\r\nabcde\r\n0\r\nX-Sum: 1\r\n\r\n");
  });
});

describe("interim responses", () => {
  const hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x\r\nX: y\r\n\r\n";

  test("a 103 is passed on before the answer, a 100 of the application is not (6.3 row 16)", async () => {
    const { port, heard } = await setUp(`HTTP/1.1 100 Continue\r\n\r\n${hints}${hints}${ok()}`);
    const { text } = await rawExchange({ port, send: get("/", "Connection: close\r\n") });
    const passed = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    expect(text).toBe(`${passed}${passed}HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok`);
    expect(heard).toEqual(["response 200"]);
  });

  test("an HTTP/1.0 client gets none", async () => {
    const { port } = await setUp(hints + ok());
    const { text } = await rawExchange({ port, send: "GET / HTTP/1.0\r\n\r\n" });
    expect(text).toBe("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
  });

  test("they may arrive in any pieces", async () => {
    const { port } = await setUp((_, __, socket) => {
      const bytes = (hints + ok()).split("");
      const next = (): void => void (bytes.length > 0 && socket.write(bytes.shift()!, () => setImmediate(next)));
      next();
      return undefined;
    });
    const { text } = await rawExchange({ port, send: get(), until: "ok" });
    expect(text).toBe(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok()}`);
  });
});

describe("Expect: 100-continue", () => {
  const expecting = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n";

  test("is answered once the application is there, and not passed on (6.3 row 6)", async () => {
    let expectation: string | undefined = "none";
    const app = await startApp(
      (request, response) => {
        expectation = request.headers.expect;
        request.resume().on("end", () => response.end("done"));
      },
      { cleanup },
    );
    const { port } = await startProxy(app.port, { cleanup });
    const seen: string[] = [];
    const send = async function* () {
      yield expecting;
      await until(() => seen.at(-1)?.includes("100 Continue\r\n\r\n"));
      yield "abc";
    };
    const { text } = await rawExchange({
      port,
      send: send(),
      until: (text) => seen.push(text) > 0 && text.includes("done"),
    });
    expect(text.startsWith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")).toBe(true);
    expect(expectation).toBeUndefined();
  });

  test("is not answered when the application is not there", async () => {
    const app = await startScripted(ok(), cleanup);
    await app.close();
    const { port, heard } = await startProxy(app.port, { cleanup });
    const { text } = await rawExchange({ port, send: expecting });
    expect(text.startsWith("HTTP/1.1 502 Bad Gateway\r\n")).toBe(true);
    expect(text).not.toContain("100 Continue");
    expect(heard).toEqual(["failure connect_refused", "refused connect_refused"]);
  });

  test("is ignored in HTTP/1.0 and without a body, and any other expectation is refused", async () => {
    const { port } = await setUp(ok());
    const without = get("/", "Expect: 100-continue\r\n");
    expect((await rawExchange({ port, send: without, until: "ok" })).text).toBe(ok());
    const other = await rawExchange({ port, send: get("/", "Expect: miracles\r\n") });
    expect(other.text).toContain("417 Expectation Failed");
  });
});
