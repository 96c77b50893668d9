// Bytes into lines, however they come.
import { array, assert, constantFrom, integer, property, string, tuple } from "fast-check";
import { expect, test } from "vitest";

import { createLineCutter } from "./lines.ts";

type Line = { readonly text: string; readonly start: number; readonly end: number; readonly flags: readonly string[] };

type Cutting = { readonly sizes?: readonly number[]; readonly maxLine?: number; readonly charset?: string };

function cut(bytes: Buffer, { sizes = [bytes.length], maxLine = 1000, charset = "utf-8" }: Cutting = {}): Line[] {
  const lines: Line[] = [];
  const cutter = createLineCutter(maxLine, (text, start, end, flags) => void lines.push({ text, start, end, flags }), {
    charset,
  });
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!;
    cutter.push(Buffer.from(bytes.subarray(at, at + size)));
    at += size;
  }
  cutter.end();
  expect(cutter.position()).toBe(bytes.length);
  return lines;
}

const ENCODE = {
  "utf-8": (text: string) => Buffer.from(text),
  "utf-16le": (text: string) => Buffer.from(text, "utf16le"),
  "utf-16be": (text: string) => Buffer.from(text, "utf16le").swap16(),
};
const charset = constantFrom(...(Object.keys(ENCODE) as (keyof typeof ENCODE)[]));
const text = string({ unit: "binary" }).map((line) => line.replaceAll(/[\r\n]/g, "").replace(/^\uFEFF/, ""));
/** Characters of which a byte, or a byte and its neighbour, looks like a line feed. */
const tricky = array(constantFrom("\u0a0a", "\u0a00", "\u000b", "\u010a", "a", "\u{1f600}")).map((all) => all.join(""));
const lines = array(
  constantFrom(text, tricky).chain((one) => one),
  { minLength: 1 },
);
const sizes = array(integer({ min: 1, max: 9 }), { minLength: 1 });

test("lines with a byte order mark are those that were written, whatever pieces they come in", () => {
  assert(
    property(tuple(charset, lines, sizes), ([name, written, pieces]) => {
      const bytes = ENCODE[name](`\uFEFF${written.map((line) => `${line}\r\n`).join("")}`);
      const read = cut(bytes, { sizes: pieces });
      expect(read.map((line) => line.text)).toEqual(written);
      expect(read.flatMap(({ flags }) => flags)).toEqual([]);
      expect(read.map(({ end }) => end)).toEqual([...read.slice(1).map(({ start }) => start), bytes.length]);
    }),
  );
});

test("what is read from a later place on is read as its beginning says, or as was asked for", () => {
  for (const name of ["utf-16le", "utf-16be"] as const) {
    const bytes = ENCODE[name]("one\ntwo\n");
    const expected = [
      { text: "one", start: 20, end: 28, flags: [] },
      { text: "two", start: 28, end: 36, flags: [] },
    ];
    const mark = ENCODE[name]("\uFEFF");
    for (const settings of [{ beginning: mark }, { charset: name }]) {
      const read: Line[] = [];
      const cutter = createLineCutter(100, (text, start, end, flags) => void read.push({ text, start, end, flags }), {
        startAt: 20,
        ...settings,
      });
      cutter.push(bytes);
      expect(read).toEqual(expected);
      expect(cutter.position()).toBe(36);
    }
  }
});

test("a line is given as soon as it has ended, though it is shorter than a byte order mark", () => {
  const read: string[] = [];
  const cutter = createLineCutter(100, (text) => void read.push(text));
  cutter.push(Buffer.from("\n"));
  expect(read).toEqual([""]);
});

test("a line of UTF-16 that is too long is cut between characters, and halves of characters are replaced; both are flagged", () => {
  const long = `${"\u{1f600}".repeat(10)}\n`;
  const read = cut(ENCODE["utf-16le"](long), { maxLine: 18, charset: "utf-16le" });
  expect(read.map(({ text }) => text).join("")).toBe(long.trim());
  expect(read.map(({ flags }) => flags)).toEqual(read.map(() => ["truncated"]));
  expect(read.length).toBeGreaterThan(1);
  const [half] = cut(ENCODE["utf-16be"]("a\ud83d\n"), { charset: "utf-16be" });
  expect(half).toEqual({ text: "a\uFFFD", start: 0, end: 6, flags: ["invalid_utf8"] });
});
