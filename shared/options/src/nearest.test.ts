import { expect, test } from "vitest";

import { nearest } from "./index.ts";

const NAMES = ["--listen", "--admin-listen", "--target", "--log-level"];

test.each([
  ["--lsiten", "--listen"],
  ["--listn", "--listen"],
  ["--adminlisten", "--admin-listen"],
  ["--log-lvl", "--log-level"],
  ["--tarjet", "--target"],
  ["--admin", "--admin-listen"],
  ["--", undefined],
  ["--something", undefined],
  ["", undefined],
])("the name nearest to %s is %s", (name, expected) => {
  expect(nearest(name, NAMES)).toBe(expected);
});

test("a very long name costs little and is near nothing", () => {
  expect(nearest("x".repeat(1_000_000), NAMES)).toBeUndefined();
});
