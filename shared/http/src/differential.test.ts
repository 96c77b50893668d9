// Two parsers of the same bytes: ours and Node's. Where both accept a message they have to agree on every part of it, or
// one behind the other could be played off against it.
import { createServer } from "node:http";
import type { IncomingMessage } from "node:http";
import { duplexPair } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { BODY, BodyDecoder } from "./body-decoder.ts";
import { createFieldNames } from "./field-names.ts";
import { FieldSection } from "./field-section.ts";
import { HeadParser } from "./head-parser.ts";

type Message = {
  readonly method: string;
  readonly target: string;
  readonly fields: readonly (readonly [string, string])[];
  readonly body: string;
};

const LIMITS = { maxHeadBytes: 16_384, maxFields: 100 };
const names = createFieldNames();

/** The messages that ours finds, up to the first that it refuses, or that is not whole. */
function readByOurs(bytes: Buffer): Message[] {
  const head = new HeadParser(names, LIMITS);
  const decoder = new BodyDecoder(new FieldSection(names, LIMITS));
  const messages: Message[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = head.parseRequest(bytes, at);
    if (end <= 0) break;
    const { method, target } = head;
    const fields = Array.from({ length: head.count }, (_, i) => [head.name(i), head.value(i)] as const);
    decoder.begin(head.chunked ? BODY.chunked : head.contentLength > 0 ? BODY.length : BODY.none, head.contentLength);
    at = decoder.done ? end : decoder.decode(bytes, end);
    if (decoder.failed || !decoder.done) break;
    messages.push({ method, target, fields, body: dataOf(decoder, bytes) });
    if (isLast(head)) break;
  }
  return messages;
}

function dataOf({ ranges }: BodyDecoder, bytes: Buffer): string {
  let data = "";
  for (let i = 0; i < ranges.length; i += 2) data += bytes.toString("latin1", ranges[i], ranges[i + 1]);
  return data;
}

/** Behind the last request there is nothing, whatever the bytes are. */
const isLast = (head: HeadParser): boolean =>
  head.close || (head.minor === 0 && !head.keepAlive) || head.method === "CONNECT";

/** The messages that Node's server is asked to serve, in order, with their whole bodies. */
async function readByNode(bytes: Buffer): Promise<Message[]> {
  const [near, far] = duplexPair();
  const messages: Message[] = [];
  const server = createServer({ requireHostHeader: false }, (request: IncomingMessage, response) => {
    let body = "";
    request.on("error", () => undefined);
    request.on("data", (part: Buffer) => (body += part.toString("latin1")));
    request.on("end", () => {
      const raw = request.rawHeaders;
      const fields = Array.from(
        { length: raw.length / 2 },
        (_, i) => [raw[2 * i]!.toLowerCase(), raw[2 * i + 1]!] as const,
      );
      messages.push({ method: request.method!, target: request.url!, fields, body });
      response.end();
    });
  });
  // The client ends its side behind its last byte, and still wants to be answered.
  (server as { httpAllowHalfOpen?: boolean }).httpAllowHalfOpen = true;
  // What it would refuse for other reasons than its form.
  server.on("checkExpectation", (request, response) => server.emit("request", request, response));
  server.on("clientError", (_, socket) => void socket.destroy());
  server.emit("connection", far);
  near.on("error", () => undefined).resume();
  const closed = new Promise((resolve) => near.once("close", resolve));
  near.end(bytes);
  // One that waits for more bytes would not close by itself; the streams are in memory, so a few turns are enough.
  await Promise.race([closed, turns(50)]);
  near.destroy();
  far.destroy();
  return messages;
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await nextTurn();
}

const line = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom("X-A: 1", "Accept: */*", "Cookie: a=b; c=d", "Connection: keep-alive"),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      "Content-Length: 3",
      "Content-Length: 03",
      "Content-Length: +3",
      "Content-Length: 3, 3",
      "Content-Length:3",
      "Content-Length : 3",
      "Transfer-Encoding: chunked",
      "Transfer-Encoding: chunked, chunked",
      "Transfer-Encoding: gzip, chunked",
      "Transfer-Encoding:\tchunked",
      "Transfer-Encoding: xchunked",
      "Transfer-Encoding: chunked\x0b",
      "transfer-encoding: CHUNKED",
      "Connection: close",
      "Connection: upgrade",
      "Upgrade: websocket",
      "Expect: 100-continue",
      " folded: 1",
      "X-B: a\x00b",
      "X-C: a\rb",
      "X: \xff",
      ": x",
      "X-D:",
    ),
  },
);
const eol = fc.oneof(
  { weight: 60, arbitrary: fc.constant("\r\n") },
  { weight: 1, arbitrary: fc.constantFrom("\n", "\r", "\r\r\n", "\n\r\n") },
);
const requestLine = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.constantFrom("GET / HTTP/1.1", "POST /x?y=z HTTP/1.1", "DELETE /a HTTP/1.0", "OPTIONS * HTTP/1.1"),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "GET  / HTTP/1.1",
      "GET / HTTP/1.2",
      "GET /",
      "get / HTTP/1.1",
      "GET http://a/ HTTP/1.1",
      "GET /\x7f HTTP/1.1",
      "GET / HTTP/1.1 ",
    ),
  },
);
const body = fc.oneof(
  fc.constantFrom(
    "",
    "abc",
    "3\r\nabc\r\n0\r\n\r\n",
    "3;x=y\r\nabc\r\n0\r\n\r\n",
    "0x3\r\nabc\r\n0\r\n\r\n",
    "3\nabc\n0\n\n",
    "03\r\nabc\r\n0\r\nX: y\r\n\r\n",
  ),
  fc.constantFrom(
    "3 \r\nabc\r\n0\r\n\r\n",
    "3\r\nabcd\r\n0\r\n\r\n",
    "-3\r\nabc\r\n0\r\n\r\n",
    "3\r\nabc0\r\n\r\n",
    "0\r\n\r\n",
    "3;\r\r\nabc\r\n0\r\n\r\n",
  ),
);
/** Most have a host and a body that fits what they say, so that there is something to agree on. */
const framed = fc.constantFrom<readonly [string, string]>(
  ["", ""],
  ["Content-Length: 3", "abc"],
  ["Content-Length: 0", ""],
  ["Transfer-Encoding: chunked", "3\r\nabc\r\n0\r\n\r\n"],
  ["Transfer-Encoding: chunked", "3;x=y\r\nabc\r\n1\r\nd\r\n0\r\nX: y\r\n\r\n"],
);
const message = fc
  .tuple(
    requestLine,
    eol,
    fc.array(fc.tuple(line, eol), { maxLength: 3 }),
    eol,
    framed,
    fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: body }),
  )
  .map(([first, firstEnd, lines, end, [framing, data], other]) => {
    const fields = [["Host: a", "\r\n"], ...lines, ...(framing === "" ? [] : [[framing, "\r\n"]])];
    return first + firstEnd + fields.map((field) => field.join("")).join("") + end + (other ?? data);
  });
/** Up to three messages, and a byte or two of them changed. */
const input = fc
  .tuple(
    fc.array(message, { minLength: 1, maxLength: 3 }),
    fc.oneof(
      { weight: 3, arbitrary: fc.constant<[number, number][]>([]) },
      { weight: 1, arbitrary: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 2 }) },
    ),
  )
  .map(([messages, changes]) => {
    const bytes = Buffer.from(messages.join(""), "latin1");
    for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
    return bytes;
  });

/** Where the two have differed, each for a reason that is no disagreement about messages. */
const FOUND = [
  "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\nContent-Length: 3\r\n\r\nabc",
  "GET / HTTP/1.1\r\nHost: a\r\nExpect:0100-continue\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
];

test("where both accept, ours and Node's parser find the same messages", async () => {
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(input, async (bytes) => {
      const [ours, theirs] = [readByOurs(bytes), await readByNode(bytes)];
      const both = Math.min(ours.length, theirs.length);
      compared += both;
      expect(ours.slice(0, both)).toEqual(theirs.slice(0, both));
    }),
    {
      examples: FOUND.map((text) => [Buffer.from(text, "latin1")]),
      numRuns: Number(process.env["OUTRIGGER_FUZZ_RUNS"] ?? 3000),
    },
  );
  // A comparison of nothing would always agree.
  expect(compared).toBeGreaterThan(100);
}, 120_000);
