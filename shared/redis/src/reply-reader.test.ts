import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { RedisError, createReplyReader } from "./index.ts";
import type { Reply } from "./index.ts";

function read(text: string, { maxReplyBytes = 10_000, cuts = [] as number[] } = {}): Reply[] {
  const reader = createReplyReader({ maxReplyBytes });
  const bytes = Buffer.from(text);
  const ends = [...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
  return ends.flatMap((end, at) => reader.push(bytes.subarray(ends[at - 1] ?? 0, end)));
}

describe("replies", () => {
  test.each([
    ["a status", "+OK\r\n", "OK"],
    ["an integer", ":-12\r\n", -12],
    ["an integer beyond what a number holds", ":9223372036854775807\r\n", 9_223_372_036_854_775_807n],
    ["a bulk string", "$5\r\na\r\nb\n\r\n", "a\r\nb\n"],
    ["an empty bulk string", "$0\r\n\r\n", ""],
    ["RESP2's nil", "$-1\r\n", null],
    ["RESP2's nil array", "*-1\r\n", null],
    ["RESP3's null", "_\r\n", null],
    ["a boolean", "#t\r\n", true],
    ["a double", ",3.25e2\r\n", 325],
    ["an infinite double", ",-inf\r\n", -Infinity],
    ["a big number", "(3492890328409238509324850943850943825024385\r\n", 3492890328409238509324850943850943825024385n],
    ["a verbatim string", "=7\r\ntxt:abc\r\n", "abc"],
    ["an array within an array", "*2\r\n*1\r\n:1\r\n*0\r\n", [[1], []]],
    ["a set", "~2\r\n+a\r\n+b\r\n", ["a", "b"]],
    [
      "a map",
      "%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n_\r\n",
      new Map<Reply, Reply>([
        ["a", 1],
        ["b", [null]],
      ]),
    ],
    ["an empty map", "%0\r\n", new Map()],
    ["an error within an array", "*2\r\n-ERR no\r\n:1\r\n", [new RedisError("ERR no"), 1]],
    ["a bulk error", "!6\r\nERR no\r\n", new RedisError("ERR no")],
    ["bytes that are not UTF-8", Buffer.from("$1\r\n\xff\r\n").toString("utf8").replace("$1", "$2"), "ÿ"],
  ])("%s is read", (_, text, value) => expect(read(text)).toEqual([value]));

  test("attributes and pushes are passed over, wherever they stand", () => {
    expect(read("|1\r\n+ttl\r\n:3\r\n*2\r\n:1\r\n|1\r\n+a\r\n%0\r\n:2\r\n>2\r\n+message\r\n+x\r\n+OK\r\n")).toEqual([
      [1, 2],
      "OK",
    ]);
  });

  test("it makes no difference where the bytes are cut", () => {
    const text = "*3\r\n$6\r\nab\r\ncd\r\n%1\r\n+k\r\n=6\r\ntxt:äö\r\n:12\r\n-ERR x\r\n$3\r\nend\r\n".replace(
      "=6",
      "=8",
    );
    const whole = read(text);
    expect(whole).toHaveLength(3);
    fc.assert(fc.property(fc.array(fc.nat(80)), (cuts) => void expect(read(text, { cuts })).toEqual(whole)));
  });
});

describe("what is no reply", () => {
  test.each([
    ["an unknown type", "&1\r\n", 'redis reply: expected a type of RESP2 or RESP3, got "&"'],
    ["a length that is none", "$x\r\n", 'redis reply: expected a length, got "x"'],
    ["a body without its end", "$1\r\nab\r\n", 'redis reply: expected CR LF after a bulk string, got ""'],
    ["an integer that is none", ":1.5\r\n", 'redis reply: expected an integer, got "1.5"'],
  ])("%s is an error", (_, text, message) => expect(() => read(text)).toThrow(message));

  test("arbitrary bytes give replies or an error, and nothing else", () => {
    const soup = fc
      .array(fc.constantFrom("*", "%", "|", "$", "+", ":", ",", "1", "2", "\r\n", "-", "a", "=", "("))
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(soup, (text) => {
        try {
          expect(Array.isArray(read(text))).toBe(true);
        } catch (error) {
          expect((error as Error).message).toMatch(/^redis reply: expected /);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("a reply above the bound is refused as soon as its length is known", () => {
    expect(() => read("$101\r\n", { maxReplyBytes: 100 })).toThrow("at most 100 bytes");
    expect(() => read("*1000000000\r\n", { maxReplyBytes: 100 })).toThrow("at most 100 bytes");
    expect(() => read("+a\r\n".repeat(100), { maxReplyBytes: 100 })).not.toThrow();
    expect(() => read(`*9\r\n${"$9\r\n123456789\r\n".repeat(9)}`, { maxReplyBytes: 100 })).toThrow("at most 100 bytes");
  });

  test("a reply that nests without end is refused", () => {
    expect(() => read("*1\r\n".repeat(50))).toThrow("at most 32 levels");
  });
});
