import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { parsePath, PathError } from "./path.ts";

const DOCUMENT = {
  counter: 1234,
  "odd.name": { "a b": true },
  location: "mars",
  nothing: null,
  values: [
    { id: "a", count: 1, state: "ACTIVE", tags: ["x", "y"] },
    { id: "b", count: 2, state: "IDLE" },
    { id: "c", count: 3, state: "ACTIVE", nested: { count: 9 } },
  ],
};

describe("paths find", () => {
  test.each([
    ["{.counter}", [1234]],
    ["{ .counter }", [1234]],
    ["{$.counter}", [1234]],
    ["{.missing}", []],
    ["{.nothing}", [null]],
    ["{['odd.name']['a b']}", [true]],
    ["{.odd\\.name['a b']}", [true]],
    ["{.values[0].id}", ["a"]],
    ["{.values[-1].id}", ["c"]],
    ["{.values[5].id}", []],
    ["{.values[0:2].id}", ["a", "b"]],
    ["{.values[1:].id}", ["b", "c"]],
    ["{.values[0,2].id}", ["a", "c"]],
    ["{.values[*].count}", [1, 2, 3]],
    ["{.values[0].tags.*}", ["x", "y"]],
    ["{..count}", [1, 2, 3, 9]],
    ['{.values[?(@.state == "ACTIVE")].id}', ["a", "c"]],
    ["{.values[?(@.count>=2)].id}", ["b", "c"]],
    ["{.values[?(@.state != 'ACTIVE')].id}", ["b"]],
    ["{.values[?(@.nested)].id}", ["c"]],
    ["{.values[?(@.nested.count > $.values[1].count)].id}", ["c"]],
    ["no path", []],
  ])("%s", (path, values) =>
    expect(
      parsePath(path)
        .find(DOCUMENT)
        .map(({ value }) => value),
    ).toEqual(values),
  );
});

test("text around paths is kept, several values are joined, and objects are JSON", () => {
  expect(parsePath("planet-{.location}!").render(DOCUMENT)).toBe("planet-mars!");
  expect(parsePath("{.values[*].id}").render(DOCUMENT)).toBe("a b c");
  expect(parsePath("{.values[2].nested}/{.counter}").render(DOCUMENT)).toBe('{"count":9}/1234');
  expect(parsePath("plain").render(DOCUMENT)).toBe("plain");
  expect(parsePath("{.missing}").render(DOCUMENT)).toBeUndefined();
});

test("a member of the prototype is no key", () => expect(parsePath("{.constructor}").find(DOCUMENT)).toEqual([]));

test.each(["{.a", "{.a[}", "{.a[x]}", "{range .a}", "{.a[?(b == 1)]}", ".a}", "{a}"])("%s is no path", (path) => {
  expect(() => parsePath(path)).toThrow(PathError);
});

test("whatever a path is, it is read or told", () => {
  const soup = fc
    .array(
      fc.constantFrom("{", "}", ".", "[", "]", "*", "?(", ")", "@", "a", "'", '"', "==", "1", ":", ",", "$", " ", ".."),
    )
    .map((parts) => parts.join(""));
  const check = fc.property(soup, (text) => {
    try {
      parsePath(text).render(DOCUMENT);
    } catch (error) {
      expect(error).toBeInstanceOf(PathError);
    }
  });
  fc.assert(check, { numRuns: 3000 });
});
