// Commands are cut out of any bytes in the same way, however the bytes are cut into chunks.
import { array, assert, integer, property, uint8Array } from "fast-check";
import { describe, expect, test } from "vitest";

import { RequestParser } from "./request-parser.ts";

const LIMITS = { maxBytes: 4096, maxArguments: 64 };

const written = (args: readonly Uint8Array[]): Buffer =>
  Buffer.concat([
    Buffer.from(`*${args.length}\r\n`),
    ...args.flatMap((arg) => [Buffer.from(`$${arg.length}\r\n`), arg, Buffer.from("\r\n")]),
  ]);

type Result = { readonly commands: string[][]; readonly raw: string[]; readonly problem: string | undefined };

/** All that a parser finds in the chunks, up to its first problem. */
function parse(chunks: readonly Buffer[], limits = LIMITS): Result {
  const parser = new RequestParser(limits);
  const commands: string[][] = [];
  const raw: string[] = [];
  for (const chunk of chunks) {
    let at = 0;
    while (at < chunk.length) {
      at = parser.read(chunk, at);
      if (parser.problem !== undefined) return { commands, raw, problem: parser.problem };
      if (!parser.complete) continue;
      commands.push(Array.from({ length: parser.count }, (_, i) => parser.text(i)));
      raw.push(parser.bytes.toString("latin1", parser.start, parser.end));
      parser.release();
    }
  }
  return { commands, raw, problem: undefined };
}

const cutAt = (bytes: Buffer, at: number): Buffer[] => [bytes.subarray(0, at), bytes.subarray(at)];
const byteByByte = (bytes: Buffer): Buffer[] => Array.from(bytes, (byte) => Buffer.of(byte));

test("commands come out as they went in, cut at every byte boundary", () => {
  const argument = uint8Array({ maxLength: 20 });
  assert(
    property(array(array(argument, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 4 }), (commands) => {
      const bytes = Buffer.concat(commands.map(written));
      const expected: Result = {
        commands: commands.map((args) => args.map((arg) => Buffer.from(arg).toString("latin1"))),
        raw: commands.map((args) => written(args).toString("latin1")),
        problem: undefined,
      };
      expect(parse([bytes])).toEqual(expected);
      expect(parse(byteByByte(bytes))).toEqual(expected);
      for (let at = 0; at <= bytes.length; at++) expect(parse(cutAt(bytes, at))).toEqual(expected);
    }),
    { numRuns: 40 },
  );
});

test("any bytes give the same commands and the same problem, cut anywhere", () => {
  const noise = array(integer({ min: 0, max: 6 }), { maxLength: 30 });
  const pieces = ["*1\r\n", "$2\r\n", "ab", "\r\n", "*", "$0", "x"];
  assert(
    property(noise, (choice) => {
      const bytes = Buffer.from(choice.map((i) => pieces[i]).join(""));
      const whole = parse([bytes]);
      expect(parse(byteByByte(bytes))).toEqual(whole);
      for (let at = 0; at <= bytes.length; at++) expect(parse(cutAt(bytes, at))).toEqual(whole);
    }),
  );
});

test("random bytes never throw, and nothing but a command is kept", () => {
  assert(
    property(uint8Array({ maxLength: 200 }), (bytes) => {
      const { commands, problem } = parse([Buffer.from(bytes)]);
      if (bytes.length > 0 && bytes[0] !== 42) expect([commands, problem === undefined]).toEqual([[], false]);
    }),
  );
});

describe("a problem is named, and nothing is read after it", () => {
  test.each([
    ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", "expected '*', got 'G'"],
    ["PING\r\n", "expected '*', got 'P'"],
    ["*0\r\n", "invalid multibulk length"],
    ["*-1\r\n", "expected a length, got '-'"],
    ["*65\r\n", "invalid multibulk length"],
    ["*99999999999\r\n", "expected a length, got '9'"],
    ["*1\n", "expected a length, got LF"],
    ["*1\r$", "invalid multibulk length"],
    ["*\r\n", "expected a length, got CR"],
    ["*1\r\n:1\r\n", "expected '$', got ':'"],
    ["*1\r\n$-1\r\n", "expected a length, got '-'"],
    ["*1\r\n$4097\r\n", "invalid bulk length"],
    ["*1\r\n$1\r\nab\r\n", "expected CR, got 'b'"],
    ["*1\r\n$1\r\na\r ", "expected LF, got byte 32"],
  ])("%j", (text, problem) => {
    expect(parse([Buffer.from(`${text}*1\r\n$4\r\nPING\r\n`)])).toEqual({ commands: [], raw: [], problem });
  });
});

test("the bytes of one command are bounded, however many arguments they are", () => {
  const many = written(Array.from({ length: 60 }, () => Buffer.alloc(100)));
  expect(parse([many]).problem).toBe("invalid bulk length");
  expect(parse([written(Array.from({ length: 60 }, () => Buffer.alloc(20)))]).commands).toHaveLength(1);
});

test("an incomplete command holds the bytes that have come, whatever sizes it declares", () => {
  const parser = new RequestParser({ maxBytes: 1e9, maxArguments: 1e6 });
  const chunk = Buffer.from("*1000000\r\n$900000000\r\nab");
  expect(parser.read(chunk, 0)).toBe(chunk.length);
  expect(parser.held).toBe(chunk.length);
  expect(parser.complete).toBe(false);
});
