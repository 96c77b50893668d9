import { expect, test } from "vitest";

import { changesBetween, nestingProblem, pathProblem, revisionOf } from "./file-set.ts";
import type { FileSet } from "./file-set.ts";

const setOf = (files: Record<string, string>): FileSet =>
  new Map(Object.entries(files).map(([path, text]) => [path, { content: Buffer.from(text) }]));

test("a revision depends on paths, contents, executable bits and salt, and not on the order", () => {
  const revision = revisionOf(setOf({ a: "1", b: "2" }));
  expect(revision).toMatch(/^[0-9a-f]{16}$/);
  expect(revisionOf(setOf({ b: "2", a: "1" }))).toBe(revision);
  const others = [
    revisionOf(setOf({ a: "1", b: "3" })),
    revisionOf(setOf({ a: "1", c: "2" })),
    revisionOf(setOf({ a: "1" })),
    revisionOf(setOf({ a: "12", b: "" })),
    revisionOf(setOf({ a: "1", b: "2" }), "0600"),
    revisionOf(new Map([...setOf({ a: "1" }), ["b", { content: Buffer.from("2"), executable: true }]])),
  ];
  expect(new Set([revision, ...others]).size).toBe(others.length + 1);
});

test("changes are what was added, changed and removed, sorted", () => {
  const before = setOf({ c: "1", b: "1", a: "1" });
  const after = setOf({ d: "1", b: "2", a: "1" });
  expect(changesBetween(before, after)).toEqual({ added: ["d"], changed: ["b"], removed: ["c"] });
});

test.each(["a", "a/b.conf", ".hidden", "a b/ü", "x".repeat(255)])("%j is a path of a set", (path) => {
  expect(pathProblem(path)).toBeUndefined();
});

test.each([
  "",
  "/etc/passwd",
  "../x",
  "a/../b",
  "a/..",
  "./a",
  "a//b",
  "a/",
  "..data",
  "a/..hidden",
  "a\\b",
  "a\0b",
  "x".repeat(256),
  "x/".repeat(2100) + "x",
])("%j is not", (path) => {
  expect(pathProblem(path)).toMatch(/^expected .*, got /);
});

test("a path cannot be a file and a folder", () => {
  expect(nestingProblem(["a/b", "a.b", "c"])).toBeUndefined();
  expect(nestingProblem(["a/b/c", "a/b"])).toContain("a/b");
});
