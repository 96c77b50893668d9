import { array, assert, constantFrom, oneof, property, string } from "fast-check";
import { expect, test } from "vitest";

import { resolve } from "../test/surroundings.ts";
import { boolean, choice, duration, list, option, resolveOptions, structured, text, z } from "./index.ts";

const described = { section: "S", summary: "It." };
const table = {
  greeting: option({ ...described, kind: text(), default: "hello" }),
  allow: option({ ...described, kind: list(text()) }),
  idleTimeout: option({ ...described, kind: duration(), default: "5s" }),
  minVersion: option({ ...described, kind: choice(["1.2", "1.3"]), default: "1.3" }),
  dryRun: option({ ...described, kind: boolean(), default: "false" }),
  anything: option({ ...described, kind: structured(z.json(), "anything") }),
};
const file = (text: string) => resolve(table, { argv: ["--config", "/f"], files: { "/f": text } });

test("YAML and JSON hold options by their property names, in their native forms", () => {
  const yaml = "greeting: hi\nallow: [a, 'b,c']\nidleTimeout: 10\nminVersion: 1.2\ndryRun: yes\nanything: {a: [1]}\n";
  const json =
    '{"greeting":"hi","allow":["a","b,c"],"idleTimeout":10,"minVersion":1.2,"dryRun":true,"anything":{"a":[1]}}';
  for (const text of [yaml, json, `\uFEFF${yaml}`]) {
    const { values, origins, problems } = file(text);
    expect(problems).toEqual([]);
    expect(values).toMatchObject({
      greeting: "hi",
      allow: ["a", "b,c"],
      idleTimeout: 10_000,
      minVersion: "1.2",
      dryRun: true,
      anything: { a: [1] },
    });
    expect(origins.greeting).toBe("/f: greeting");
  }
});

test("an empty file, and a key without a value, say nothing", () => {
  for (const text of ["", "# nothing\n", "---\n", "null", "greeting:\nallow: null\n"]) {
    expect(file(text)).toMatchObject({ problems: [], values: { greeting: "hello", allow: [] } });
  }
});

test("unknown keys are refused with the nearest name, and without their value", () => {
  expect(file("greting: secret\nutterlyDifferent: secret\n__proto__: secret\nconfig: /other\n").problems).toEqual([
    "/f: greting: expected a known key (did you mean greeting?)",
    "/f: utterlyDifferent: expected a known key",
    "/f: __proto__: expected a known key",
    "/f: config: expected a known key",
  ]);
});

test.each([
  ["a: [", "/f: expected YAML or JSON, got: Flow sequence in block collection must be sufficiently indented"],
  ["greeting: a\ngreeting: b\n", "/f: expected YAML or JSON, got: the key greeting twice"],
  ["anything: {a: 1, b: 2, a: 3}\n", "/f: expected YAML or JSON, got: the key a twice"],
  ["anything: &x {b: *x}\n", "/f: expected YAML or JSON, got: the alias x inside of what it stands for"],
  ["a: 1\n---\nb: 2\n", "/f: expected YAML or JSON, got: Source contains multiple documents"],
  ["greeting: *nobody\n", "/f: expected YAML or JSON, got: Unresolved alias"],
  ["- a\n", "/f: expected keys and values, got a list"],
  ["[]", "/f: expected keys and values, got a list"],
  ["just text", "/f: expected keys and values, got a string"],
  ["5", "/f: expected keys and values, got a number"],
])("%j is refused as a whole", (text, problem) => {
  const { problems } = file(text);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(problem);
});

test("tags cannot make anything that JSON does not have", () => {
  expect(file("anything: !!set {a, b}\n").values.anything).toEqual({ a: null, b: null });
  expect(file("!!set {greeting, allow}\n").problems).toEqual([]);
  expect(file("!!set {nonsense}\n").problems).toEqual(["/f: nonsense: expected a known key"]);
});

test("aliases may repeat a part, but not multiply", () => {
  expect(file("anything: [&x {a: 1}, *x, *x]\n").values.anything).toEqual([{ a: 1 }, { a: 1 }, { a: 1 }]);
  const levels = "bcdefghij".split("").map((name, i) => `${name}: &${name} [${Array(9).fill(`*${"abcdefghi"[i]}`)}]`);
  const bomb = ["anything:", "  a: &a [x, x, x]", ...levels.map((level) => `  ${level}`)].join("\n");
  expect(file(bomb).problems).toEqual([
    "/f: expected YAML or JSON, got: Excessive alias count indicates a resource exhaustion attack",
  ]);
});

test("a file that is too large, has too many keys or is nested too deeply is refused in little time", () => {
  const started = performance.now();
  expect(file(`# ${"x".repeat(1024 ** 2)}`).problems).toEqual(["/f: expected at most 1048576 characters, got 1048578"]);
  const keys = Array.from({ length: 50_000 }, (_, i) => `key${i}: 1`).join("\n");
  expect(file(keys).problems).toEqual(["/f: expected at most 1000 keys, got 50000"]);
  const [deep] = file(`anything: ${"[".repeat(20_000)}`).problems;
  expect(deep).toMatch(/^\/f: expected YAML or JSON, got: /);
  expect(performance.now() - started).toBeLessThan(10_000);
});

test("no text makes the reader throw", () => {
  const piece = oneof(
    string(),
    constantFrom(
      "a: ",
      "- ",
      "? ",
      "&x ",
      "*x",
      "!!set ",
      "{",
      "}",
      "[",
      "]",
      "\n",
      "  ",
      "<<: ",
      "|",
      ">",
      "greeting",
      "'",
    ),
  );
  assert(
    property(array(piece, { maxLength: 30 }), (pieces) => {
      expect(Array.isArray(file(pieces.join("")).problems)).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

test("a file of another program's is the value of one option, and its mistakes are named as it has them", () => {
  const own = {
    pools: option({ ...described, kind: structured(z.record(z.string(), z.strictObject({ port: z.int() })), "pools") }),
  };
  const adoptFile = (keys: Readonly<Record<string, unknown>>): string | undefined =>
    Object.values(keys).every((value) => typeof value === "object") ? "pools" : undefined;
  const read = (text: string) =>
    resolveOptions("demo", own, { argv: ["--config", "/f"], env: {}, readFile: () => text, adoptFile });
  expect(read("one: {port: 1}\ntwo: {port: 2}\n")).toMatchObject({
    values: { pools: { one: { port: 1 }, two: { port: 2 } } },
    origins: { pools: "/f" },
    problems: [],
  });
  expect(read("one: {port: x}\n").problems).toEqual(["/f: one.port: expected number, got x"]);
  expect(read("one: {port: 1}\nother: text\n").problems).toEqual([
    "/f: one: expected a known key",
    "/f: other: expected a known key",
  ]);
});
