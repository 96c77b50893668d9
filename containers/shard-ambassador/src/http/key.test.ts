// Keys in heads as they stand on the wire.
import { expect, test } from "vitest";

import { createKeyReader, parseKeySource } from "./key.ts";

const peer = { address: "10.0.0.9", localPort: 80, scheme: "http", trusted: true } as const;

/** A head with just what a key may be in. */
function headOf(target: string, fields: readonly (readonly [string, string])[] = []) {
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`);
  const text = `GET ${target} HTTP/1.1\r\n${lines.join("")}\r\n`;
  const bytes = Buffer.from(text, "latin1");
  const starts = lines.map((_, i) => text.indexOf("\r\n") + 2 + lines.slice(0, i).join("").length);
  const nameEnd = starts.map((start, i) => start + fields[i]![0].length);
  const valueStart = nameEnd.map((end) => end + 2);
  const valueEnd = valueStart.map((start, i) => start + fields[i]![1].length);
  const value = (i: number): string => fields[i]![1];
  const head = { bytes, targetStart: 4, targetEnd: 4 + target.length, count: fields.length, nameStart: starts };
  return { ...head, nameEnd, valueStart, valueEnd, value } as never;
}

function keyOf(sources: string[], target: string, fields?: [string, string][]): string | undefined {
  const reader = createKeyReader(sources, (address) => address.startsWith("10."));
  const isThere = reader.read(headOf(target, fields), peer);
  return isThere ? Buffer.from(reader.bytes.subarray(reader.start, reader.end)).toString("latin1") : undefined;
}

test.each([
  ["path", "/a/b?c=d", "/a/b"],
  ["path", "http://host:80/a?b", "/a"],
  ["uri", "/a/b?c=d", "/a/b?c=d"],
  ["uri", "http://host/a?b=//c", "/a?b=//c"],
  ["query:id", "/?uid=1&id=2&id=3", "2"],
  ["query:id", "/?id=&uid=1", undefined],
  ["query:id", "/id=7", undefined],
  ["query:id", "/?a=b&ids=1", undefined],
  ["path-regex:^/u/([^/]+)", "/u/ada/x?y", "ada"],
  ["path-regex:\\d+", "/item/77/x", "77"],
  ["path-regex:^/none$", "/item", undefined],
])("%s of %s is %s", (source, target, key) => {
  expect(keyOf([source], target)).toBe(key);
});

test.each([
  ["header:x-id", [["X-Id", "7"]], "7"],
  ["header:x-id", [["X-Ident", "7"]], undefined],
  ["header:a^b", [["A~B", "7"]], undefined],
  ["cookie:sid", [["Cookie", "a=1; sid=x=y; b=2"]], "x=y"],
  ["cookie:sid", [["Cookie", "asid=1;sid=2"]], "2"],
  ["client-ip", [], "10.0.0.9"],
  ["client-ip", [["X-Forwarded-For", "1.2.3.4, 5.6.7.8, 10.1.1.1"]], "5.6.7.8"],
] as [string, [string, string][], string | undefined][])("%s in %j is %s", (source, fields, key) => {
  expect(keyOf([source], "/", fields)).toBe(key);
});

test("the first key that there is counts", () => {
  expect(keyOf(["header:x-id", "query:id", "path"], "/a?id=1")).toBe("1");
  expect(keyOf(["header:x-id", "query:id", "path"], "/a")).toBe("/a");
  expect(keyOf(["header:x-id"], "/a")).toBeUndefined();
});

test.each([
  "header",
  "header:",
  "query:a b",
  "path:x",
  "client-ip:x",
  "path-regex:",
  "path-regex:(",
  "constructor",
  "",
])("%j says no place", (text) => {
  expect(parseKeySource(text)).toBeUndefined();
});
