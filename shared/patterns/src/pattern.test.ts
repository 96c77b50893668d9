import { assert, property, string } from "fast-check";
import { expect, test } from "vitest";

import { compilePattern, MAX_PATTERN_LENGTH, PatternError } from "./pattern.ts";

test("named groups are fields, in their order; one that took no part has no value", () => {
  const pattern = compilePattern("^(?<level>[A-Z]+)(?: \\[(?P<thread>\\w+)\\])? (?<text>.*)$");
  expect(pattern.fields.map(({ name }) => name)).toEqual(["level", "thread", "text"]);
  expect(pattern.exec("WARN [main] low")).toEqual(["WARN", "main", "low"]);
  expect(pattern.exec("WARN low")).toEqual(["WARN", undefined, "low"]);
  expect(pattern.exec("low")).toBeUndefined();
  expect([pattern.test("WARN low"), pattern.test("low")]).toEqual([true, false]);
});

test("what fits is replaced, everywhere", () => {
  const pattern = compilePattern("pass(?:word)?=\\S+", { ignoreCase: true });
  expect(pattern.replaceAll("a PASSWORD=x b pass=y", (found) => `${found.length}`)).toBe("a 10 b 6");
  expect(pattern.replaceAll("nothing", () => "x")).toBe("nothing");
  expect(compilePattern("x*").replaceAll("axb", () => "-")).toBe("-a--b-");
});

test.each([
  ["a(b", "missing closing ) at character 2"],
  ["a)b", "unexpected ) at character 2"],
  ["x[z-a]", "invalid character class range z-a at character 3"],
  ["(?<=a)b", "looking ahead or behind is not possible at character 1"],
  ["ab(?!c)", "looking ahead or behind is not possible at character 3"],
  ["(?<n>a)(?<n>b)", "duplicate capture group name n at character 11"],
  ["a\\k<x>", "invalid escape sequence \\k at character 2"],
  ["x*{1001}", "invalid repeat count {1001} at character 3"],
])("%s is refused: %s", (source, message) => {
  expect(() => compilePattern(source)).toThrow(
    new PatternError(message.split(" at character ")[0]!, Number(message.split(" ").at(-1))),
  );
});

test("an expression that is too long is refused", () => {
  expect(() => compilePattern("a".repeat(MAX_PATTERN_LENGTH + 1))).toThrow("expected at most");
});

test("expressions that hang other engines take time by the length of the text only", () => {
  for (const source of ["(a+)+$", "(a|a)*$", "(a|aa)+$", "(.*a){20}$", "^(([a-z])+.)+[A-Z]([a-z])+$"]) {
    const pattern = compilePattern(source);
    const began = performance.now();
    pattern.exec(`${"a".repeat(20_000)}!`);
    expect(performance.now() - began, source).toBeLessThan(2000);
  }
});

test("any text either compiles or is refused with a place within it", () => {
  assert(
    property(string({ unit: "binary", maxLength: 60 }), (source) => {
      try {
        compilePattern(source).exec(source);
      } catch (error) {
        expect(error).toBeInstanceOf(PatternError);
        expect((error as PatternError).position).toBeLessThanOrEqual(source.length + 1);
      }
    }),
  );
});
