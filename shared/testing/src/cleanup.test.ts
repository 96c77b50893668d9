import { existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { tempDir } from "./cleanup.ts";

test("each temporary folder is a fresh one", () => {
  const [one, two] = [tempDir(onTestFinished), tempDir(onTestFinished)];
  expect(statSync(one).isDirectory()).toBe(true);
  expect(one).not.toBe(two);
});

test("a temporary folder goes on clean-up, with all that it holds", () => {
  const undos: (() => unknown)[] = [];
  const folder = tempDir((undo) => undos.push(undo));
  writeFileSync(join(folder, "file"), "content");
  expect(existsSync(folder)).toBe(true);
  for (const undo of undos) undo();
  expect(existsSync(folder)).toBe(false);
});
