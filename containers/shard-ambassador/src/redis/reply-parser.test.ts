// The end of a reply is found in the same place, however the bytes are cut into chunks.
import type { Arbitrary } from "fast-check";
import { array, assert, constantFrom, integer, letrec, oneof, property, string, uint8Array } from "fast-check";
import { describe, expect, test } from "vitest";

import { ReplyParser } from "./reply-parser.ts";

type Result = { readonly lengths: number[]; readonly problem: string | undefined };

/** The lengths of the replies in the chunks, up to the first problem. */
function parse(chunks: readonly Buffer[], maxBytes = 1e6): Result {
  const parser = new ReplyParser(maxBytes);
  const lengths: number[] = [];
  let length = 0;
  for (const chunk of chunks) {
    let at = 0;
    while (at < chunk.length) {
      const from = at;
      at = parser.read(chunk, at);
      if (parser.problem !== undefined) return { lengths, problem: parser.problem };
      length += at - from;
      if (!parser.complete) continue;
      lengths.push(length);
      length = 0;
    }
  }
  return { lengths, problem: undefined };
}

const line = (type: string) => string().map((text) => `${type}${text.replaceAll(/[\r\n]/g, "")}\r\n`);
const bulk = (type: string) => string().map((text) => `${type}${Buffer.byteLength(text)}\r\n${text}\r\n`);
const { reply } = letrec<{ reply: string; many: string; pairs: string }>((tie) => ({
  reply: oneof(
    { maxDepth: 3 },
    constantFrom("$-1\r\n", "*-1\r\n", "_\r\n", "*0\r\n", "%0\r\n", "#t\r\n", ":-5\r\n", ",1.5\r\n"),
    oneof(line("+"), line("-"), line("("), bulk("$"), bulk("!"), bulk("=")),
    tie("many"),
    tie("pairs"),
  ) as Arbitrary<string>,
  many: array(tie("reply"), { maxLength: 4 }).map((all) => `*${all.length}\r\n${all.join("")}`),
  pairs: array(tie("reply"), { maxLength: 2 }).map((all) => `%${all.length}\r\n${all.join("")}${all.join("")}`),
}));

test("each reply ends where it was written to end, cut at every byte boundary", () => {
  assert(
    property(array(reply, { minLength: 1, maxLength: 3 }), (replies) => {
      const bytes = Buffer.from(replies.join(""));
      const expected = { lengths: replies.map((text) => Buffer.byteLength(text)), problem: undefined };
      expect(parse([bytes])).toEqual(expected);
      for (let at = 0; at <= bytes.length; at++) {
        expect(parse([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(expected);
      }
    }),
    { numRuns: 60 },
  );
});

test("any bytes give the same result, cut anywhere, and never throw", () => {
  assert(
    property(uint8Array({ maxLength: 60 }), integer({ min: 0, max: 60 }), (noise, cut) => {
      const bytes = Buffer.concat([Buffer.from("*2\r\n"), noise]);
      expect(parse([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(parse([bytes]));
    }),
  );
});

test("attributes belong to the reply that follows them", () => {
  const text = "|1\r\n+ttl\r\n:3600\r\n$3\r\nfoo\r\n";
  expect(parse([Buffer.from(text)])).toEqual({ lengths: [text.length], problem: undefined });
});

test("the type of a reply is its first byte, even when it is nested", () => {
  const parser = new ReplyParser(1000);
  parser.read(Buffer.from(">1\r\n-oops\r\n"), 0);
  expect([parser.complete, String.fromCharCode(parser.type)]).toEqual([true, ">"]);
});

describe("what is no reply is a problem", () => {
  test.each([
    ["HTTP/1.1 200 OK\r\n", "byte 72 begins no reply"],
    ["+OK\n", "a line ends without CR"],
    ["+OK\rx", "CR without LF"],
    ["$x\r\n", "a length is not a number"],
    ["$--1\r\n", "a length is not a number"],
    ["*1\r\n".repeat(40), "the reply is nested too deep"],
    [`$2000000\r\n${"x".repeat(1_500_000)}`, "the reply is too large"],
  ])("%.20j", (text, problem) => {
    expect(parse([Buffer.from(text)])).toEqual({ lengths: [], problem });
  });
});
