import { rawExchange } from "@outrigger/testing";
import { describe, expect, onTestFinished, test } from "vitest";

import { get, ok, startProxy, startScripted } from "./test-proxy.ts";
import type { TestProxySettings } from "./test-proxy.ts";
import { createTrust } from "./trusted-proxies.ts";

const cleanup = onTestFinished;

/** The head as the application gets it, for one request. */
async function passed(request: string, settings: Partial<TestProxySettings> = {}): Promise<string> {
  const app = await startScripted(ok(), cleanup);
  const { port } = await startProxy(app.port, { cleanup, ...settings });
  const { text } = await rawExchange({ port, send: request, until: /ok$|\d{3} \w+: .*\n$/ });
  return app.heads[0] ?? text;
}

/** The answer as the client gets it. */
async function answered(answer: string): Promise<string> {
  const app = await startScripted(answer, cleanup);
  const { port } = await startProxy(app.port, { cleanup });
  return (await rawExchange({ port, send: get("/", "Connection: close\r\n") })).text;
}

const OURS =
  "X-Forwarded-For: 192.0.2.7\r\nX-Real-IP: 192.0.2.7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: a\r\n" +
  'X-Forwarded-Port: 8443\r\nForwarded: for=192.0.2.7;proto=https;host="a"\r\n';

test("an answer of the caller's own stands in for an upstream's, without its body for HEAD", async () => {
  const app = await startScripted(ok(), cleanup);
  const answer = { status: 308, lines: "Location: https://a/\r\n", body: "moved\n" };
  const { port, heard } = await startProxy(app.port, { cleanup, proxy: { route: () => answer } });
  const head = "HTTP/1.1 308 Permanent Redirect\r\nLocation: https://a/\r\nContent-Length: 6\r\n";
  const send = `${get()}HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
  const { text } = await rawExchange({ port, send });
  expect(text).toBe(`${head}\r\nmoved\n${head}Connection: close\r\n\r\n`);
  expect(heard).toEqual(["response 308", "response 308"]);
  expect(app.heads).toEqual([]);
});

describe("request heads", () => {
  test("what a proxy does not act on passes as it is", async () => {
    const lines =
      "Cookie: a=b;  c\r\nx-odd:y\r\nX-Odd: z\r\nCookie: d\r\nAuthorization: Basic x\r\nProxy-Authorization: y\r\n";
    expect(await passed(get("/a//b/../c?d=http://e//f%2F;g", lines))).toBe(
      `GET /a//b/../c?d=http://e//f%2F;g HTTP/1.1\r\nHost: a\r\n${lines}${OURS}\r\n`,
    );
  });

  test("a path is not touched (6.3 row 12)", async () => {
    for (const path of ["//evil/x", "/a//b", "/http:/a", "/%2e%2e/", "/?", "/\\", '/"<>{}|^`']) {
      expect(await passed(get(path))).toContain(`GET ${path} HTTP/1.1\r\n`);
    }
  });

  test("fields that the caller owns are its peer's alone, in any spelling", async () => {
    const lines = "X-Owner: a\r\nx_owner: b\r\nX-OWNERS: c\r\nX-Empty: d\r\n";
    const proxy = { ownedFields: ["x-owner", "x-empty"] };
    for (const trusted of [false, true]) {
      const peer = { trusted, lines: "X-Owner: ours\r\n" };
      expect(await passed(get("/", lines), { proxy, peer })).toBe(
        `GET / HTTP/1.1\r\nHost: a\r\nX-OWNERS: c\r\n${OURS}X-Owner: ours\r\n\r\n`,
      );
    }
  });

  test("hop-by-hop fields and those that Connection names are removed (6.3 row 3)", async () => {
    const lines =
      "Connection: keep-alive, X-Secret, x-other\r\nKeep-Alive: timeout=5\r\nProxy-Connection: close\r\nX-Secret: 1\r\n" +
      "TE: gzip\r\nX-OTHER: 2\r\nX-Kept: 3\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\nExpect: 100-continue\r\n";
    expect(await passed(get("/", lines))).toBe(`GET / HTTP/1.1\r\nHost: a\r\nX-Kept: 3\r\n${OURS}\r\n`);
  });

  test("Connection cannot remove Host, the framing, or fields of ours (6.3 row 3)", async () => {
    const nominated = "Connection: close, Host, Content-Length, X-Forwarded-For, X-Real-IP, Forwarded, Trailer\r\n";
    expect(await passed(get("/", `${nominated}Content-Length: 0\r\n`))).toBe(
      `GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n${OURS}\r\n`,
    );
  });

  test.each([
    "X-Forwarded-For",
    "x_forwarded_for",
    "X.Forwarded-For",
    "x-forwarded-proto",
    "X_Forwarded_Host",
    "X-FORWARDED-PORT",
    "x-real-ip",
    "X_Real_IP",
    "Forwarded",
    "Content_Length",
    "transfer_encoding",
    "Proxy",
  ])("a client's own %s is removed (6.3 row 11)", async (name) => {
    expect(await passed(get("/", `${name}: 6.6.6.6\r\n${name}: x\r\n`))).toBe(
      `GET / HTTP/1.1\r\nHost: a\r\n${OURS}\r\n`,
    );
  });

  test("the framing is written anew", async () => {
    expect(await passed(get("/", "content-length:  000\r\n"))).toContain("\r\nContent-Length: 0\r\n");
    const chunked = await passed(get("/", "TRANSFER-encoding: Chunked\r\n").replace("GET", "PUT") + "0\r\n\r\n");
    expect(chunked).toContain("\r\nTransfer-Encoding: chunked\r\n");
    expect(chunked).not.toContain("Content-Length");
  });

  test("TE: trailers is passed on, other codings are not", async () => {
    expect(await passed(get("/", "TE: trailers, deflate;q=0.5\r\nConnection: TE\r\n"))).toContain(
      "\r\nConnection: TE\r\nTE: trailers\r\n",
    );
  });

  test("an HTTP/1.0 request without Host gets one, and our version", async () => {
    const head = await passed("GET / HTTP/1.0\r\n\r\n");
    expect(head.startsWith("GET / HTTP/1.1\r\nHost: localhost\r\n")).toBe(true);
    expect(head).not.toContain("X-Forwarded-Host");
  });

  test.each([
    ["GET http://a/x?y HTTP/1.1\r\nHost: A\r\n\r\n", "GET /x?y HTTP/1.1"],
    ["GET https://a HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1"],
    ["GET HTTP://a?x HTTP/1.1\r\nHost: a\r\n\r\n", "GET /?x HTTP/1.1"],
    ["OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * HTTP/1.1"],
    ["OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * HTTP/1.1"],
    ["GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400 Bad Request"],
    ["GET http://a@b/ HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400 Bad Request"],
    ["GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400 Bad Request"],
    ["GET * HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400 Bad Request"],
    ["GET x HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400 Bad Request"],
    ["CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 405 Method Not Allowed"],
    ["CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 405 Method Not Allowed"],
    ["COPY / HTTP/1.1\r\nHost: a\r\n\r\n", "COPY / HTTP/1.1"],
  ])("%j gives %j", async (request, line) => {
    expect((await passed(request)).split("\r\n")[0]).toBe(line);
  });
});

test("our fields are on every request, on kept connections too (6.3 row 5)", async () => {
  const app = await startScripted(ok(), cleanup);
  const { port } = await startProxy(app.port, { cleanup });
  await rawExchange({ port, send: get("/1") + get("/2") + get("/3", "Connection: close\r\n") });
  expect(app.connections).toBe(1);
  expect(app.heads).toEqual(["/1", "/2", "/3"].map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n${OURS}\r\n`));
});

describe("forwarding", () => {
  const isTrusted = createTrust(["10.0.0.0/8", "fe80::/10"]);
  const behind = { peer: { address: "10.0.0.1", trusted: true }, proxy: { isTrusted } };
  const linesOf = (head: string): Record<string, string> =>
    Object.fromEntries(
      head
        .split("\r\n")
        .slice(1, -2)
        .map((line) => line.split(/: (.*)/).slice(0, 2)),
    );

  test("an IPv6 client is quoted in Forwarded", async () => {
    const lines = linesOf(await passed(get(), { peer: { address: "2001:db8::1" } }));
    expect(lines["Forwarded"]).toBe('for="[2001:db8::1]";proto=https;host="a"');
    expect(lines["X-Forwarded-For"]).toBe("2001:db8::1");
  });

  test("a client of a Unix socket has no address", async () => {
    const lines = linesOf(
      await passed(get("/", "X-Forwarded-For: 6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\n"), { peer: { address: "" } }),
    );
    expect([lines["X-Forwarded-For"], lines["X-Real-IP"]]).toEqual([undefined, undefined]);
    expect(lines["Forwarded"]).toBe('for=unknown;proto=https;host="a"');
  });

  test("lines follow the host of each request", async () => {
    const app = await startScripted(ok(), cleanup);
    const { port } = await startProxy(app.port, { cleanup });
    const send = get() + get().replace("Host: a", "Host: b:1") + get("/", "Connection: close\r\n");
    await rawExchange({ port, send });
    expect(app.heads.map((head) => linesOf(head)["X-Forwarded-Host"])).toEqual(["a", "b:1", "a"]);
  });

  test("a trusted proxy's word is kept and added to", async () => {
    const given =
      "X-Forwarded-For: 6.6.6.6, 203.0.113.9\r\nX-Forwarded-For: 10.9.9.9\r\nX-Forwarded-Proto: http\r\n" +
      'X-Forwarded-Host: public\r\nX-Forwarded-Port: 80\r\nForwarded: for="[::1]"\r\nX-Real-IP: 6.6.6.6\r\nx_real_ip: 7\r\n';
    expect(linesOf(await passed(get("/", given), behind))).toEqual({
      Host: "a",
      "X-Forwarded-For": "6.6.6.6, 203.0.113.9, 10.9.9.9, 10.0.0.1",
      "X-Real-IP": "203.0.113.9",
      "X-Forwarded-Proto": "http",
      "X-Forwarded-Host": "public",
      "X-Forwarded-Port": "80",
      Forwarded: 'for="[::1]", for=10.0.0.1;proto=https;host="a"',
    });
  });

  test.each([
    ["", "10.0.0.1"],
    ["10.1.1.1, 10.2.2.2", "10.1.1.1"],
    ["203.0.113.9,,", "203.0.113.9"],
    [", ,", "10.0.0.1"],
    ["1.1.1.1, unknown", "unknown"],
    ["1.1.1.1, fe80::1%eth0", "1.1.1.1"],
    ["1.1.1.1, ::ffff:10.3.3.3", "1.1.1.1"],
    ["1.1.1.1, fe80::1%%%", "fe80::1%%%"],
  ])("the client of the chain %j is %s", async (chain, client) => {
    expect(linesOf(await passed(get("/", `X-Forwarded-For: ${chain}\r\n`), behind))["X-Real-IP"]).toBe(client);
  });
});

describe("response heads", () => {
  test("what a proxy does not act on passes as it is, in its order (6.3 row 16)", async () => {
    const lines =
      "Set-Cookie: a=b; Secure\r\nset-cookie:c\r\nServer: x\r\nLocation: http://a//b\r\nx_y: z\r\nDate: \xe9\r\n";
    expect(await answered(`HTTP/1.1 200 Very \xe9 Well\r\n${lines}Content-Length: 0\r\n\r\n`)).toBe(
      `HTTP/1.1 200 Very \xe9 Well\r\n${lines}Content-Length: 0\r\nConnection: close\r\n\r\n`,
    );
  });

  test("hop-by-hop fields and those that Connection names are removed (6.3 row 3)", async () => {
    const lines =
      "Connection: keep-alive, X-Secret\r\nX-Secret: 1\r\nKeep-Alive: timeout=5\r\nUpgrade: h2c\r\nProxy-Connection: x\r\n";
    expect(await answered(`HTTP/1.1 200 OK\r\n${lines}X: y\r\nContent-Length: 0\r\n\r\n`)).toBe(
      "HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    );
  });

  test.each([301, 302, 303, 307, 308])("a %i keeps its Location (6.3 row 15)", async (status) => {
    const lines = "Location: http://127.0.0.1:1/x\r\nContent-Length: 0\r\n";
    expect(await answered(`HTTP/1.1 ${status} Go\r\n${lines}\r\n`)).toBe(
      `HTTP/1.1 ${status} Go\r\n${lines}Connection: close\r\n\r\n`,
    );
  });

  test("the head of one answer does not get into the next", async () => {
    const app = await startScripted(
      (_, index) => (index === 0 ? `HTTP/1.1 404 No\r\nX: 1\r\nContent-Length: 0\r\n\r\n` : ok()),
      cleanup,
    );
    const { port } = await startProxy(app.port, { cleanup });
    const { text } = await rawExchange({ port, send: get() + get(), until: "ok" });
    expect(text).toBe(`HTTP/1.1 404 No\r\nX: 1\r\nContent-Length: 0\r\n\r\n${ok()}`);
  });
});
