import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { rawExchange, repository, request, runtimePath, tempDir, until } from "@outrigger/testing";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";

import { acceptOf, frameOf, readFrame } from "./echo.ts";
import { entryOf } from "./log.ts";

const main = join(repository, "test", "apps", "dictionary", "main.ts");

/** Starts the application on a free port, as its own process. */
async function startDictionary(cleanup: (undo: () => void) => void, args = ["--port", "0"]) {
  const child = spawn(runtimePath("node"), [main, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  cleanup(() => void child.kill("SIGKILL"));
  const exited = once(child, "close");
  let log = "";
  let errors = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (log += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  return { child, exited, log: () => log, errors: () => errors };
}

async function portOf(log: () => string): Promise<number> {
  const match = await until(() => /\[I\] boot ~ listening on http:\/\/127\.0\.0\.1:(\d+)\//.exec(log()));
  return Number(match[1]);
}

test("has the words of a file, reads it again at SIGHUP, and keeps what it has when the file is wrong", async () => {
  const file = join(tempDir(onTestFinished), "words.ini");
  writeFileSync(file, "; remark\nlemon = a sour sun\n");
  const { child, log } = await startDictionary(onTestFinished, ["--port", "0", "--words", file]);
  const address = { host: "127.0.0.1", port: await portOf(log) };
  const lookUp = async (word: string) => (await request(address, `/words/${word}`)).body;
  expect(await lookUp("lemon")).toBe("a sour sun\n");
  writeFileSync(file, "lime = a small lemon\n");
  child.kill("SIGHUP");
  await until(async () => (await lookUp("lime")) === "a small lemon\n");
  expect(await lookUp("lemon")).toBe("no such word\n");
  writeFileSync(file, "no definition\n");
  child.kill("SIGHUP");
  await until(() => log().includes("[E] words ~ line 1: expected word = definition"));
  expect(await lookUp("lime")).toBe("a small lemon\n");
});

describe("the dictionary", () => {
  let port: number;
  let log: () => string;
  const ask = (path: string, init = {}) => request({ host: "127.0.0.1", port }, path, init);

  beforeAll(async () => {
    ({ log } = await startDictionary(afterAll));
    port = await portOf(log);
  });

  test("explains a word, in any case, and logs the hit", async () => {
    const answer = await ask("/words/Outrigger", { headers: { "X-Forwarded-For": "192.0.2.7" } });
    expect(answer).toMatchObject({ status: 200, headers: { "content-type": "text/plain; charset=utf-8" } });
    expect(answer.body).toBe("a float beside a boat, which steadies it without being part of it\n");
    const entry =
      /^!\d\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d\.\d{3} \[I\] lookup\/outrigger ~ hit \(\d+ms\) peer=127\.0\.0\.1 xff=192\.0\.2\.7$/m;
    await until(() => entry.test(log()));
  });

  test("does not know a word, and logs the miss as a warning", async () => {
    expect(await ask("/words/aple")).toMatchObject({ status: 404, body: "no such word\n" });
    await until(() => /\[W\] lookup\/aple ~ miss \(\d+ms\) peer=127\.0\.0\.1 xff=-$/m.test(log()));
  });

  test("lists the words with a prefix", async () => {
    expect((await ask("/words?prefix=ap")).body).toBe("apple\napron\n");
    expect((await ask("/words")).body.split("\n").length).toBeGreaterThan(40);
  });

  test("adds a word once, and points to it by plain HTTP", async () => {
    const post = { method: "POST", body: "a soft stone fruit", headers: { Host: "words.example" } };
    const added = await ask("/words/plum", post);
    expect(added).toMatchObject({ status: 201, headers: { location: "http://words.example/words/plum" } });
    expect((await ask("/words/plum")).body).toBe("a soft stone fruit\n");
    expect((await ask("/words/plum", post)).status).toBe(409);
  });

  test("refuses what is no word, no definition, or too long a one", async () => {
    const add = async (path: string, body: string) => (await ask(path, { method: "POST", body })).status;
    expect(await add("/words/2bad", "x")).toBe(400);
    expect(await add("/words/empty", "")).toBe(400);
    expect(await add("/words/long", "x".repeat(2049))).toBe(413);
    expect((await ask("/words/long")).status).toBe(404);
  });

  test("is full at 500 words", async () => {
    const { log } = await startDictionary(onTestFinished);
    const host = { host: "127.0.0.1", port: await portOf(log) };
    const name = (index: number) => `w${String(index).replaceAll(/\d/g, (digit) => "abcdefghij"[Number(digit)]!)}`;
    const statuses: number[] = [];
    for (let index = 0; statuses.at(-1) !== 507 && index < 600; index++)
      statuses.push((await request(host, `/words/${name(index)}`, { method: "POST", body: "x" })).status);
    const words = (await request(host, "/words")).body.trim().split("\n");
    expect(words).toHaveLength(500);
    expect(statuses.at(-1)).toBe(507);
  });

  test("reports its statistics under odd names", async () => {
    const before = (await ask("/stats")).json() as { Lookups: { Hit: number; MISS: number } };
    await ask("/words/apple");
    await ask("/words/nothing");
    const after = (await ask("/stats")).json();
    expect(after).toMatchObject({
      UpSince: expect.stringMatching(/^\d\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d$/),
      Lookups: { Hit: before.Lookups.Hit + 1, MISS: before.Lookups.MISS + 1 },
      adds: { ok: expect.any(Number), "rejected!": expect.any(Number) },
      avgReqTime: expect.stringMatching(/^\d+\.\d\dms$/),
      mem: expect.stringMatching(/^\d+\.\d MB$/),
    });
  });

  test("is there, says what to ask, and has nothing elsewhere", async () => {
    expect((await ask("/")).body).toContain("GET /whoami\n");
    expect(await ask("/ping")).toMatchObject({ status: 200, body: "pong\n" });
    expect((await ask("/healthz")).status).toBe(404);
    expect((await ask("/ping", { method: "POST" })).status).toBe(404);
  });

  test("takes its time when asked to", async () => {
    const began = performance.now();
    expect((await ask("/slow?ms=60")).body).toBe("that took 60 ms\n");
    expect(performance.now() - began).toBeGreaterThanOrEqual(59);
  });

  test("streams lines in chunks", async () => {
    const send = "GET /stream?lines=3&ms=1 HTTP/1.1\r\nHost: dictionary\r\nConnection: close\r\n\r\n";
    const { text } = await rawExchange({ port, send });
    expect(text).toContain("Transfer-Encoding: chunked\r\n");
    expect(text).toMatch(/\r\n\r\nc\r\nline 1 of 3\n\r\nc\r\nline 2 of 3\n\r\nc\r\nline 3 of 3\n\r\n0\r\n\r\n$/);
  });

  test("notices that the reader of a stream has gone", async () => {
    const send = "GET /stream?lines=10000&ms=1 HTTP/1.1\r\nHost: dictionary\r\n\r\n";
    await rawExchange({ port, send, until: "line 2 of" });
    await until(() => /\[W\] stream ~ cut/.test(log()));
  });

  test("shows the request as it arrived", async () => {
    const answer = await ask("/whoami?a=b", { headers: { "X-Forwarded-Proto": "https" } });
    expect(answer.json()).toMatchObject({
      method: "GET",
      url: "/whoami?a=b",
      peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      headers: { "x-forwarded-proto": "https" },
      raw: expect.arrayContaining(["X-Forwarded-Proto: https"]),
    });
  });

  test("answers a path that it cannot read with 500, and logs a stack trace over several lines", async () => {
    expect(await ask("/words/%zz")).toMatchObject({ status: 500, body: "internal error\n" });
    await until(() => /\[E\] request ~ URIError: .*\n {4}at .*/.test(log()));
  });
});

describe("the dictionary's echo", () => {
  const MASK = Buffer.from([1, 2, 3, 4]);
  const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

  /** A frame as clients send it: masked. */
  function clientFrame(head: number, text: string): Buffer {
    const frame = frameOf(head, Buffer.from(text));
    frame[1]! |= 0x80;
    const start = frame.length - Buffer.byteLength(text);
    const payload = frame.subarray(start).map((byte, index) => byte ^ MASK[index % 4]!);
    return Buffer.concat([frame.subarray(0, start), MASK, payload]);
  }

  async function converse(...frames: Buffer[]) {
    const { log } = await startDictionary(onTestFinished);
    const upgrade = `GET /echo HTTP/1.1\r\nHost: d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${KEY}\r\n\r\n`;
    return rawExchange({ port: await portOf(log), send: [upgrade, ...frames] });
  }

  test("proves the handshake as the RFC's example does", () => {
    expect(acceptOf(KEY)).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  });

  test("sends messages back, answers a ping, and closes when asked to", async () => {
    const long = "x".repeat(300);
    const { text, ended } = await converse(
      clientFrame(0x81, "hello"),
      Buffer.concat([clientFrame(0x89, "are you there"), clientFrame(0x81, long)]),
      clientFrame(0x88, "\u0003"),
    );
    const expected = [frameOf(0x81, Buffer.from("hello")), frameOf(0x8a, Buffer.from("are you there"))];
    expected.push(frameOf(0x81, Buffer.from(long)), frameOf(0x88, Buffer.from("\u0003")));
    expect(ended).toBe("close");
    expect(text).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
    expect(text.slice(text.indexOf("\r\n\r\n") + 4)).toBe(Buffer.concat(expected).toString("latin1"));
  });

  test("closes on a frame that is not masked, and on one that is too large", async () => {
    const unmasked = await converse(frameOf(0x81, Buffer.from("hello")));
    expect(unmasked.bytes.subarray(-4)).toEqual(Buffer.from([0x88, 2, 0x03, 0xea]));
    const large = await converse(Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 1, 0, 0]));
    expect(large.bytes.subarray(-4)).toEqual(Buffer.from([0x88, 2, 0x03, 0xf1]));
  });

  test("sends back far more than fits into the buffers on the way", async () => {
    const frames = Array.from({ length: 200 }, () => clientFrame(0x82, "x".repeat(60_000)));
    const { text } = await converse(...frames, clientFrame(0x88, "\u0003"));
    expect(text.length).toBeGreaterThan(200 * 60_000);
    expect(text.endsWith(frameOf(0x88, Buffer.from("\u0003")).toString("latin1"))).toBe(true);
  });

  test("waits for the rest of a frame that is not whole", () => {
    const frame = clientFrame(0x81, "x".repeat(200));
    for (let length = 0; length < frame.length; length++) expect(readFrame(frame.subarray(0, length))).toBeUndefined();
    expect(readFrame(frame)).toMatchObject({ head: 0x81, payload: Buffer.from("x".repeat(200)) });
  });
});

test("the dictionary finishes what it is answering on SIGTERM, and exits 0", async () => {
  const { child, exited, log } = await startDictionary(onTestFinished);
  const port = await portOf(log);
  const answer = rawExchange({ port, send: "GET /stream?lines=20&ms=5 HTTP/1.1\r\nHost: d\r\n\r\n" });
  const idle = rawExchange({ port, send: "", timeoutMs: 10_000 });
  await rawExchange({ port, send: "GET /ping HTTP/1.1\r\nHost: d\r\n\r\n", until: "pong" });
  const began = performance.now();
  child.kill("SIGTERM");
  expect(await exited).toEqual([0, null]);
  // An idle connection does not hold it up until the answers' time of grace is over.
  expect(performance.now() - began).toBeLessThan(2000);
  expect((await answer).text).toContain("line 20 of 20\n");
  expect((await idle).ended).toBe("close");
  expect(log()).toMatch(/\[I\] halt ~ SIGTERM\n/);
});

test("the dictionary refuses flags that it does not know, and ports that are none", async () => {
  for (const [args, complaint] of [
    [["--prot", "1"], "dictionary: Unknown option '--prot'"],
    [["--port", "x"], "dictionary: --port: expected 0 to 65535, got x"],
  ] as const) {
    const { exited, errors } = await startDictionary(onTestFinished, [...args]);
    expect(await exited).toEqual([2, null]);
    expect(errors()).toContain(complaint);
  }
});

test("the dictionary ends when its port is taken", async () => {
  const first = await startDictionary(onTestFinished);
  const second = await startDictionary(onTestFinished, ["--port", String(await portOf(first.log))]);
  expect(await second.exited).toEqual([1, null]);
  expect(second.log()).toMatch(/\[E\] boot ~ listen EADDRINUSE/);
});

test("an entry of the log holds local time, to the millisecond", () => {
  const date = new Date(2026, 10, 2, 3, 4, 5, 6);
  expect(entryOf(date, "W", "lookup/aple ~ miss")).toBe("!02-Nov-2026 03:04:05.006 [W] lookup/aple ~ miss\n");
});
