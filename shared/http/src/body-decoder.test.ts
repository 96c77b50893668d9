import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { BODY, BodyDecoder } from "./body-decoder.ts";
import { createFieldNames } from "./field-names.ts";
import { FieldSection } from "./field-section.ts";
import { FORWARDING_FIELDS } from "./forwarding.ts";

const trailerParser = new FieldSection(createFieldNames(FORWARDING_FIELDS), { maxHeadBytes: 8192, maxFields: 100 });

type Outcome = { data: string; used: number; done: boolean; failed: boolean; trailers: string };

/** Decodes pieces one after another, as they would arrive; `used` is how many bytes belonged to the body. */
function decode(pieces: readonly string[], { framing = BODY.chunked as 1 | 2 | 3, length = 0 } = {}): Outcome {
  const body = new BodyDecoder(trailerParser);
  body.begin(framing, length);
  let data = "";
  let used = 0;
  for (const piece of pieces) {
    if (body.done || body.failed) break;
    const bytes = Buffer.from(piece, "latin1");
    used += body.decode(bytes, 0);
    let size = 0;
    for (let i = 0; i < body.ranges.length; i += 2) {
      data += bytes.toString("latin1", body.ranges[i], body.ranges[i + 1]);
      size += body.ranges[i + 1]! - body.ranges[i]!;
    }
    expect(body.size).toBe(size);
  }
  return { data, used, done: body.done, failed: body.failed, trailers: body.trailers };
}

const whole = (text: string): Outcome => decode([text]);

describe("chunked bodies that are accepted", () => {
  test.each([
    ["empty", "0\r\n\r\n", "", ""],
    ["one chunk", "3\r\nabc\r\n0\r\n\r\n", "abc", ""],
    ["chunks whose data look like framing", "5\r\n0\r\n\r\n\r\n5\r\n1\r\na\r\r\n0\r\n\r\n", "0\r\n\r\n1\r\na\r", ""],
    [
      "sizes in either case, with leading zeros",
      `00A\r\n${"x".repeat(10)}\r\na\r\n${"y".repeat(10)}\r\n000\r\n\r\n`,
      "xxxxxxxxxxyyyyyyyyyy",
      "",
    ],
    ["extensions", '3;a=b;c="d e"\r\nabc\r\n0;last\r\n\r\n', "abc", ""],
    ["white space before an extension, or for padding", "3 \t;a\r\nabc\r\n0   \r\n\r\n", "abc", ""],
    ["trailers", "1\r\na\r\n0\r\nX-Sum: 1\r\nX-B:2 \r\n\r\n", "a", "X-Sum: 1\r\nX-B: 2\r\n"],
  ])("%s", (_, text, data, trailers) => {
    expect(whole(text)).toEqual({ data, used: text.length, done: true, failed: false, trailers });
  });

  test("trailers that would change framing, routing or identity are dropped", () => {
    const forbidden = [
      "Content-Length: 9",
      "transfer-encoding: chunked",
      "Host: evil",
      "Connection: close, x",
      "Trailer: x",
    ];
    const spoofed = ["X-Forwarded-For: 1.2.3.4", "x_real_ip: 1.2.3.4", "content_length: 9", "Proxy: evil"];
    const text = `0\r\n${[...forbidden, "X-Sum: 1", ...spoofed].join("\r\n")}\r\n\r\n`;
    expect(whole(text).trailers).toBe("X-Sum: 1\r\n");
  });

  test("trailers of one body say nothing about those of the next", () => {
    const text = "0\r\nHost: a\r\nHost: b\r\nTransfer-Encoding: x\r\nContent-Length: x\r\nConnection: x\r\n\r\n";
    for (let i = 0; i < 3; i++) expect(whole(text)).toMatchObject({ done: true, failed: false });
  });

  test("bytes behind the body are left", () => {
    expect(whole("1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\n")).toMatchObject({ data: "a", used: 11, done: true });
    expect(whole("0\r\nA: b\r\n\r\n\r\n")).toMatchObject({ used: 11, done: true });
    expect(decode(["abcdef"], { framing: BODY.length, length: 4 })).toMatchObject({
      data: "abcd",
      used: 4,
      done: true,
    });
  });

  test("a body of any length may have extensions, if it has as much data", () => {
    const chunk = `${(1000).toString(16)};${"e".repeat(999)}\r\n${"x".repeat(1000)}\r\n`;
    expect(whole(`${chunk.repeat(100)}0\r\n\r\n`)).toMatchObject({ done: true, failed: false });
  });
});

describe("chunked bodies that are refused", () => {
  test.each([
    ["no size", "\r\n\r\n"],
    ["an extension without a size", ";a\r\n"],
    ["a sign", "+1\r\na\r\n"],
    ["a prefix", "0x1\r\na\r\n"],
    ["no hexadecimal digit", "g\r\n"],
    ["an underscore", "1_0\r\n"],
    ["a space before the size", " 1\r\na\r\n"],
    ["another word behind the size", "1 1\r\na\r\n"],
    ["LF alone behind the size", "1\na\r\n"],
    ["LF alone in an extension", "1;a\nb\r\n"],
    ["CR alone behind the size", "1\rXa\r\n"],
    ["CR alone in an extension", "1;a\rb\r\n"],
    ["a NUL in an extension", "1;\0\r\n"],
    ["a size that overflows", `${"f".repeat(14)}\r\n`],
    ["a size of 2^64 + 1", "10000000000000001\r\na\r\n0\r\n\r\n"],
    ["data longer than its size", "1\r\nab\r\n"],
    ["LF alone behind the data", "1\r\na\n0\r\n\r\n"],
    ["CR alone behind the data", "1\r\na\rX"],
    ["an endless extension", `1;${"e".repeat(4100)}`],
    ["endless padding", `1${" ".repeat(4100)}`],
    ["many extensions on little data", `1;${"e".repeat(50)}\r\na\r\n`.repeat(100)],
    ["LF alone instead of trailers", "0\r\n\n"],
    ["a folded trailer", "0\r\nA: b\r\n c\r\n\r\n"],
    ["a trailer without a name", "0\r\n: b\r\n\r\n"],
    ["a NUL in a trailer", "0\r\nA: \0\r\n\r\n"],
    ["too large trailers", `0\r\nA: ${"x".repeat(8200)}`],
    ["too many trailers", `0\r\n${"A: b\r\n".repeat(101)}\r\n`],
  ])("%s", (_, text) => {
    expect(whole(text)).toMatchObject({ done: false, failed: true });
    expect(decode(text.split(""))).toMatchObject({ done: false, failed: true });
  });
});

describe("other framings", () => {
  test("a length is counted across pieces", () => {
    const options = { framing: BODY.length, length: 5 };
    expect(decode(["ab", "c", "defg"], options)).toEqual({
      data: "abcde",
      used: 5,
      done: true,
      failed: false,
      trailers: "",
    });
    expect(decode(["ab", "cd"], options)).toMatchObject({ data: "abcd", done: false });
  });

  test("a body until the end is done when the peer has ended", () => {
    const body = new BodyDecoder(trailerParser);
    body.begin(BODY.untilClose, 0);
    expect(body.decode(Buffer.from("abc"), 1)).toBe(3);
    expect([body.done, body.size, body.ranges]).toEqual([false, 2, [1, 3]]);
    body.endByClose();
    expect([body.done, body.size, body.ranges]).toEqual([true, 0, []]);
  });

  test("no body is done at once", () => {
    const body = new BodyDecoder(trailerParser);
    for (const [framing, length] of [
      [BODY.none, -1],
      [BODY.length, 0],
    ] as const) {
      body.begin(framing, length);
      expect(body.done).toBe(true);
    }
  });
});

test("a body decodes the same however it is cut, and another one can follow it", () => {
  const chunks = fc.array(
    fc.tuple(fc.string({ minLength: 1, maxLength: 30 }), fc.constantFrom("", ";x", " ", ';q="\t"')),
    { maxLength: 6 },
  );
  const trailers = fc.array(fc.stringMatching(/^X[a-z]{0,5}: [a-z]{1,5}$/), { maxLength: 3 });
  const cuts = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(chunks, trailers, cuts, (chunks, trailers, cuts) => {
      const data = chunks.map(([text]) => Buffer.from(text).toString("latin1"));
      const lines = data.map((text, i) => `${text.length.toString(16)}${chunks[i]![1]}\r\n${text}\r\n`);
      const trailerLines = trailers.map((line) => `${line}\r\n`).join("");
      const text = `${lines.join("")}0\r\n${trailerLines}\r\n`;
      const pieces: string[] = [];
      for (let at = 0, i = 0; at < text.length; i++) {
        const size = cuts[i % cuts.length]!;
        pieces.push(text.slice(at, at + size));
        at += size;
      }
      const expected = { data: data.join(""), used: text.length, done: true, failed: false, trailers: trailerLines };
      expect(whole(`${text}GET`)).toEqual(expected);
      expect(decode(pieces)).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});
