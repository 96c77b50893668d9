// Attempts to smuggle a request past the proxy (request smuggling), against a real nginx behind it: as many requests as
// ours has passed on are what nginx has seen, and never the hidden one.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { freePort, rawExchange, requirePrograms, startProgram, tempDir, until } from "@outrigger/testing";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";

import { startProxy } from "./test-proxy.ts";

const nginx = requirePrograms("nginx");

const HIDDEN = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";
const post = (lines: string, body: string): string => `POST /seen HTTP/1.1\r\nHost: a\r\n${lines}\r\n${body}`;
const CL = `Content-Length: ${HIDDEN.length}\r\n`;
const CHUNKED = "Transfer-Encoding: chunked\r\n";
const chunked = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;

/** Each is sent as it is, on a connection of its own. */
const ATTEMPTS: Readonly<Record<string, string>> = {
  "length and chunked": post(CL + CHUNKED, `0\r\n\r\n${HIDDEN}`),
  "chunked and length": post(CHUNKED + CL, `0\r\n\r\n${HIDDEN}`),
  "two lengths": post(`Content-Length: 0\r\n${CL}`, HIDDEN),
  "the same length twice": post(CL + CL, HIDDEN),
  "a list of lengths": post(`Content-Length: ${HIDDEN.length}, 0\r\n`, HIDDEN),
  "a length with a sign": post(`Content-Length: +${HIDDEN.length}\r\n`, HIDDEN),
  "a length in hexadecimal": post("Content-Length: 0x10\r\n", HIDDEN),
  "a length with a space": post("Content-Length: 1 0\r\n", HIDDEN),
  "a length with a leading zero": post(`Content-Length: 0${HIDDEN.length}\r\n`, HIDDEN),
  "a length before a space and colon": post(`Content-Length : ${HIDDEN.length}\r\n`, HIDDEN),
  "a length spelt with an underscore": post(`Content_Length: ${HIDDEN.length}\r\n`, HIDDEN),
  "an encoding spelt with an underscore": post("Transfer_Encoding: chunked\r\n", `0\r\n\r\n${HIDDEN}`),
  "an unknown encoding": post("Transfer-Encoding: xchunked\r\n", `0\r\n\r\n${HIDDEN}`),
  "an encoding behind another": post("Transfer-Encoding: identity, chunked\r\n", chunked(HIDDEN)),
  "an encoding before another": post("Transfer-Encoding: chunked, identity\r\n", chunked(HIDDEN)),
  "chunked twice": post(CHUNKED + CHUNKED, chunked(HIDDEN)),
  "an encoding with a vertical tab": post("Transfer-Encoding: \x0bchunked\r\n", `0\r\n\r\n${HIDDEN}`),
  "an encoding with a null": post("Transfer-Encoding: chunked\x00\r\n", `0\r\n\r\n${HIDDEN}`),
  "an encoding on a folded line": post("Transfer-Encoding:\r\n chunked\r\n", `0\r\n\r\n${HIDDEN}`),
  "an encoding behind a bare line feed": post("X: y\nTransfer-Encoding: chunked\r\n", `0\r\n\r\n${HIDDEN}`),
  "an encoding behind a bare carriage return": post("X: y\rTransfer-Encoding: chunked\r\n", `0\r\n\r\n${HIDDEN}`),
  "an encoding with HTTP/1.0": post(CHUNKED, chunked(HIDDEN)).replace("HTTP/1.1", "HTTP/1.0"),
  "a quoted encoding": post('Transfer-Encoding: "chunked"\r\n', `0\r\n\r\n${HIDDEN}`),
  "an encoding that Connection names": post(`Connection: transfer-encoding\r\n${CHUNKED}`, `0\r\n\r\n${HIDDEN}`),
  "a length that Connection names": post(`Connection: content-length\r\n${CL}`, HIDDEN),
  "a chunk size with 0x": post(CHUNKED, `0x0\r\n\r\n${HIDDEN}`),
  "a chunk size with a sign": post(CHUNKED, `+0\r\n\r\n${HIDDEN}`),
  "a chunk size too large": post(CHUNKED, `fffffffffffffffff\r\n${HIDDEN}`),
  "a chunk size that wraps": post(CHUNKED, `10000000000000000\r\n\r\n${HIDDEN}`),
  "a chunk that ends with a bare line feed": post(CHUNKED, `0\n\n${HIDDEN}`),
  "a chunk extension with a bare carriage return": post(CHUNKED, `0;a\rb\r\n\r\n${HIDDEN}`),
  "a chunk extension with a bare line feed": post(CHUNKED, `2;\nxx\r\n0\r\n\r\n${HIDDEN}`),
  "a chunk longer than its size": post(CHUNKED, `1\r\nxy\r\n0\r\n\r\n${HIDDEN}`),
  "a trailer that frames": post(CHUNKED, `0\r\nContent-Length: 50\r\n\r\n${HIDDEN}`),
  "a body of GET": `GET /seen HTTP/1.1\r\nHost: a\r\n${CL}\r\n${HIDDEN}`,
  "a body of DELETE in chunks": `DELETE /seen HTTP/1.1\r\nHost: a\r\n${CHUNKED}\r\n${chunked(HIDDEN)}`,
  "a line end in the target": `GET /seen\r\nX: y HTTP/1.1\r\nHost: a\r\n\r\n${HIDDEN}`,
  "a space in the target": `GET /seen x HTTP/1.1\r\nHost: a\r\n\r\n${HIDDEN}`,
  "another host in the target": `GET http://b/seen HTTP/1.1\r\nHost: a\r\n\r\n${HIDDEN}`,
  "two hosts": `GET /seen HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n${HIDDEN}`,
  "an upgrade to h2c": `GET /seen HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n`,
  CONNECT: `CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n${HIDDEN}`,
  "an expectation": post(`${CL}Expect: 100-continue\r\n`, HIDDEN),
};

describe.skipIf(nginx.skip)(nginx.title("behind nginx"), () => {
  let port = 0;
  let log = "";
  const undo: (() => unknown)[] = [];
  beforeAll(async () => {
    const folder = tempDir((done) => undo.push(done));
    log = join(folder, "access.log");
    port = await freePort();
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
      (name) => `${name}_temp_path ${folder}/t;`,
    );
    writeFileSync(
      join(folder, "nginx.conf"),
      `daemon off; pid ${folder}/pid; error_log ${folder}/error.log; events {}
       http { log_format uri "$request_method $uri"; access_log ${log} uri; ${temporary.join(" ")}
         server { listen 127.0.0.1:${port}; return 200 "ok"; } }`,
    );
    await startProgram(nginx.path("nginx"), ["-c", join(folder, "nginx.conf"), "-p", folder], {
      port,
      cleanup: (done) => undo.push(done),
    });
  });
  afterAll(async () => {
    for (const done of undo.toReversed()) await done();
  });
  const logged = (): string[] =>
    readFileSync(log, "utf8")
      .split("\n")
      .filter((line) => line !== "");

  test.each(Object.entries(ATTEMPTS))("%s", async (_, send) => {
    const before = logged().length;
    const { port: through, heard } = await startProxy(port, {
      cleanup: onTestFinished,
      timeouts: { idleMs: 300, headMs: 300 },
    });
    await rawExchange({ port: through, send });
    const answered = heard.filter((what) => what.startsWith("response")).length;
    await until(() => logged().length - before >= answered);
    const seen = logged().slice(before);
    // One that was sent in the open is no smuggling: it has been counted and judged as a request of its own.
    expect(seen).toHaveLength(answered);
    expect(seen.filter((line) => line.endsWith("/hidden")).length).toBe(Math.max(0, answered - 1));
  });
});
