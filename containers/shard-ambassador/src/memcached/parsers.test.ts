// Commands and replies of memcached end in the same place, however the bytes are cut into chunks.
import { array, assert, constantFrom, integer, property, string, uint8Array } from "fast-check";
import { describe, expect, test } from "vitest";

import { ReplyParser } from "./reply-parser.ts";
import { MAX_LINE, RequestParser } from "./request-parser.ts";

type Result = { readonly found: string[]; readonly problem: string | undefined };

function commandsIn(chunks: readonly Buffer[], maxBytes = 4096): Result {
  const parser = new RequestParser({ maxBytes });
  const found: string[] = [];
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      at = parser.read(chunk, at);
      if (parser.problem !== undefined) return { found, problem: parser.problem };
      if (!parser.complete) continue;
      const words = Array.from({ length: parser.count }, (_, i) => parser.text(i));
      found.push(`${words.join("|")}#${parser.bytes.toString("latin1", parser.start, parser.end)}`);
      parser.release();
    }
  }
  return { found, problem: undefined };
}

function repliesIn(chunks: readonly Buffer[], maxBytes = 1e6): Result {
  const parser = new ReplyParser(maxBytes);
  const found: string[] = [];
  let begun = "";
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      const from = at;
      at = parser.read(chunk, at);
      if (parser.problem !== undefined) return { found, problem: parser.problem };
      begun += chunk.toString("latin1", from, at);
      if (!parser.complete) continue;
      found.push(begun);
      begun = "";
    }
  }
  return { found, problem: undefined };
}

const byteByByte = (bytes: Buffer): Buffer[] => Array.from(bytes, (byte) => Buffer.of(byte));

function sameWhereverCut(bytes: Buffer, parse: (chunks: Buffer[]) => Result, expected: Result): void {
  expect(parse([bytes])).toEqual(expected);
  expect(parse(byteByByte(bytes))).toEqual(expected);
  for (let at = 0; at <= bytes.length; at++) {
    expect(parse([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(expected);
  }
}

const data = string({ unit: constantFrom("a", "\r", "\n", " ", "END\r\n"), maxLength: 6 });
const command = data.chain((text) =>
  constantFrom(
    ["get|a|bc", "get a bc\r\n"],
    ["mn", "mn\r\n"],
    [`set|k|0|0|${text.length}`, `set k 0 0 ${text.length}\r\n${text}\r\n`],
    [`cas|k|0|0|${text.length}|7|noreply`, `cas k 0 0 ${text.length} 7 noreply\r\n${text}\r\n`],
    [`ms|k|${text.length}|T0|q`, `ms k  ${text.length} T0 q \r\n${text}\r\n`],
  ),
);

test("commands come out as they went in, cut at every byte boundary", () => {
  assert(
    property(array(command, { minLength: 1, maxLength: 4 }), (commands) => {
      const bytes = Buffer.from(commands.map(([, wire]) => wire).join(""));
      const found = commands.map(([words, wire]) => `${words}#${wire}`);
      sameWhereverCut(bytes, commandsIn, { found, problem: undefined });
    }),
    { numRuns: 60 },
  );
});

const value = data.map((text) => `VALUE key 0 ${text.length}\r\n${text}\r\n`);
const reply = constantFrom(
  "STORED\r\n",
  "HD k1 O2\r\n",
  "SERVER_ERROR no\r\n",
  "VA 4 t0\r\nEN\r\n\r\n",
  "VA 0\r\n\r\n",
);
const list = array(value, { maxLength: 3 }).map((values) => `${values.join("")}END\r\n`);

test("replies end where they were written to end, cut at every byte boundary", () => {
  assert(
    property(reply, list, reply, (first, values, last) => {
      const found = [first, values, last];
      sameWhereverCut(Buffer.from(found.join("")), repliesIn, { found, problem: undefined });
    }),
    { numRuns: 60 },
  );
});

test("any bytes give the same commands, replies and problem, cut anywhere", () => {
  const pieces = [
    "set k 0 0 1\r\n",
    "x\r\n",
    "get a\r\n",
    "VALUE k 0 1\r\n",
    "VA 1\r\n",
    "\n",
    "\r",
    " ",
    "END\r\n",
    "9",
  ];
  assert(
    property(
      array(integer({ min: 0, max: pieces.length - 1 }), { maxLength: 12 }),
      integer({ min: 0, max: 90 }),
      (order, cut) => {
        const bytes = Buffer.from(order.map((i) => pieces[i]!).join(""));
        const chunks = [bytes.subarray(0, cut), bytes.subarray(cut)];
        expect(commandsIn(chunks)).toEqual(commandsIn([bytes]));
        expect(repliesIn(chunks)).toEqual(repliesIn([bytes]));
      },
    ),
  );
  assert(
    property(uint8Array({ maxLength: 60 }), (noise) => {
      const bytes = Buffer.from(noise);
      expect(commandsIn(byteByByte(bytes))).toEqual(commandsIn([bytes]));
      expect(repliesIn(byteByByte(bytes))).toEqual(repliesIn([bytes]));
    }),
  );
});

describe("nothing is read any more after", () => {
  test.each([
    ["text of another protocol", "GET / HTTP/1.1\r\nset a 0 0 1\r\nx\r\n", "this is no command of memcached"],
    ["RESP", "*1\r\n$4\r\nPING\r\n", "this is no command of memcached"],
    ["the binary protocol", "\u0080\u0000\u0000\u0000", "a line has a control character"],
    ["a line without CR", "get a\nset b 0 0 1\r\n", "a line ends without CR"],
    ["a control character in a key", "get a\u0001\r\n", "a line has a control character"],
    ["data that is longer than it says", "set a 0 0 2\r\nxyz\r\n", "bad data chunk"],
    ["a length that is no number", "set a 0 0 -1\r\n", "bad command line format"],
    ["no length", "set a 0 0\r\n", "bad command line format"],
    ["a meta set without a length", "ms a S1\r\n", "bad command line format"],
    ["data beyond the limit", "set a 0 0 5000\r\n", "object too large"],
    ["an empty line", "\r\n", "this is no command of memcached"],
  ])("%s", (_, text, problem) => {
    expect(commandsIn([Buffer.from(text, "latin1")])).toEqual({ found: [], problem });
  });

  test("a line that does not end", () => {
    expect(commandsIn([Buffer.alloc(MAX_LINE + 1, "a")], 1e9).problem).toBe("line too long");
  });

  test("a reply larger than allowed, or a line of it", () => {
    expect(repliesIn([Buffer.from("VALUE k 0 100\r\n"), Buffer.alloc(60), Buffer.alloc(60)], 100).problem).toBe(
      "the reply is too large",
    );
    expect(repliesIn([Buffer.alloc(5000, "a")]).problem).toBe("a line is too long");
  });
});
