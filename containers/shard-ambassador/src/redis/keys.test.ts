// Where the keys of a command are, and that all of them are asked about.
import { expect, test } from "vitest";

import type { Locate } from "../placement/node.ts";
import { commandOf } from "./commands.ts";
import { BAD_ARGUMENTS, CROSS_SHARD, shardOf, WOULD_BLOCK } from "./keys.ts";
import { RequestParser } from "./request-parser.ts";
import { split } from "./split.ts";

/** A key that ends in a digit is on that shard. */
const byLastDigit: Locate = (bytes, _, end) => bytes[end - 1]! - 48;

function requestOf(text: string): RequestParser {
  const args = text.split(" ");
  const parser = new RequestParser({ maxBytes: 1000, maxArguments: 100 });
  const wire = args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join("");
  const bytes = Buffer.from(`*${args.length}\r\n${wire}`);
  parser.read(bytes, 0);
  return parser;
}

const shard = (text: string): number => {
  const request = requestOf(text);
  return shardOf(commandOf(request.bytes, request.argumentStart(0), request.argumentEnd(0))!, request, byLastDigit);
};

test.each([
  ["GET k2", 2],
  ["GET", BAD_ARGUMENTS],
  ["SINTERSTORE d1 a1 b1", 1],
  ["SINTERSTORE d1 a1 b2", CROSS_SHARD],
  ["RENAME a1 b1", 1],
  ["RENAME a1", BAD_ARGUMENTS],
  ["RENAME a1 b3", CROSS_SHARD],
  ["MSETNX a1 1 b1 2", 1],
  ["BITOP AND d3 a3 b3", 3],
  ["BITOP AND d3 a3 b4", CROSS_SHARD],
  ["OBJECT ENCODING a5", 5],
  ["EVAL script 2 a1 b1 other9", 1],
  ["EVAL script 2 a1 b2", CROSS_SHARD],
  ["EVAL script 0", BAD_ARGUMENTS],
  ["EVAL script 3 a1", BAD_ARGUMENTS],
  ["EVAL script many a1", BAD_ARGUMENTS],
  ["ZUNIONSTORE d1 2 a1 b1 WEIGHTS 2 3", 1],
  ["ZUNIONSTORE d2 2 a1 b1", CROSS_SHARD],
  ["SINTERCARD 2 a1 b1 LIMIT 5", 1],
  ["SORT a1 LIMIT 0 5 store d1", 1],
  ["SORT a1 STORE d2", CROSS_SHARD],
  ["GEORADIUS a1 1 2 3 m STOREDIST d2", CROSS_SHARD],
  ["XREAD COUNT 2 STREAMS a1 b1 0 7", 1],
  ["XREAD STREAMS a1 b2 0 0", CROSS_SHARD],
  ["XREAD STREAMS a1 b1 0", BAD_ARGUMENTS],
  ["XREAD BLOCK 0 STREAMS a1 0", WOULD_BLOCK],
  ["XREADGROUP GROUP g c STREAMS a4 >", 4],
])("%s: %i", (text, expected) => {
  expect(shard(text)).toBe(expected);
});

test("a command is split into one for each shard, and values come back in the order of the keys", () => {
  const request = requestOf("MGET a1 b2 c1 d3");
  const command = commandOf(Buffer.from("mget"), 0, 4)!;
  const { parts, merge } = split(command, "values", request, byLastDigit);
  expect(parts.map(({ shard, bytes }) => [shard, String(bytes)])).toEqual([
    [1, "*3\r\n$4\r\nMGET\r\n$2\r\na1\r\n$2\r\nc1\r\n"],
    [2, "*2\r\n$4\r\nMGET\r\n$2\r\nb2\r\n"],
    [3, "*2\r\n$4\r\nMGET\r\n$2\r\nd3\r\n"],
  ]);
  expect(merge.add(2, Buffer.from("-ERR shard c is down\r\n"))).toBeUndefined();
  expect(merge.add(0, Buffer.from("*2\r\n$1\r\nA\r\n$-1\r\n"))).toBeUndefined();
  expect(String(merge.add(1, Buffer.from("*1\r\n$1\r\nB\r\n")))).toBe(
    "*4\r\n$1\r\nA\r\n$1\r\nB\r\n$-1\r\n-ERR shard c is down\r\n",
  );
});

test("values and their keys stay together when MSET is split", () => {
  const { parts } = split(commandOf(Buffer.from("mset"), 0, 4)!, "ok", requestOf("MSET a1 x b2 y c1 z"), byLastDigit);
  expect(parts.map(({ bytes }) => String(bytes))).toEqual([
    "*5\r\n$4\r\nMSET\r\n$2\r\na1\r\n$1\r\nx\r\n$2\r\nc1\r\n$1\r\nz\r\n",
    "*3\r\n$4\r\nMSET\r\n$2\r\nb2\r\n$1\r\ny\r\n",
  ]);
});

test.each([
  ["sum", [":2\r\n", ":3\r\n"], ":5\r\n"],
  ["sum", [":2\r\n", "-ERR no\r\n"], "-ERR no\r\n"],
  ["sum", [":2\r\n", "+OK\r\n"], "-ERR a shard answered something other than a number\r\n"],
  ["ok", ["+OK\r\n", "+OK\r\n"], "+OK\r\n"],
  ["ok", ["-OOM full\r\n", "+OK\r\n"], "-OOM full\r\n"],
] as const)("replies are merged by %s: %j", (kind, replies, expected) => {
  const { merge } = split(commandOf(Buffer.from("del"), 0, 3)!, kind, requestOf("DEL a1 b2"), byLastDigit);
  expect(merge.add(0, Buffer.from(replies[0]))).toBeUndefined();
  expect(String(merge.add(1, Buffer.from(replies[1])))).toBe(expected);
});
