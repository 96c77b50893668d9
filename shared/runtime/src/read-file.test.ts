import { execFileSync } from "node:child_process";
import { symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { tempDir } from "@outrigger/testing";
import { expect, onTestFinished, test } from "vitest";

import { readTextFile } from "./read-file.ts";

const LIMIT = 1024 ** 2;

test("a file is read whole, through links too, up to 1 MiB", () => {
  const folder = tempDir(onTestFinished);
  for (const text of ["", "logLevel: debug\n", "é".repeat(40_000), "x".repeat(LIMIT)]) {
    const file = join(folder, `of-${text.length}`);
    writeFileSync(file, text);
    symlinkSync(file, `${file}-link`);
    expect(readTextFile(`${file}-link`) === text).toBe(true);
  }
});

test("a larger file is refused, however large, without being read whole", () => {
  const file = join(tempDir(onTestFinished), "large");
  writeFileSync(file, "x".repeat(LIMIT + 1));
  expect(() => readTextFile(file)).toThrow(`more than ${LIMIT} bytes`);
  truncateSync(file, 1024 ** 4);
  expect(() => readTextFile(file)).toThrow(`more than ${LIMIT} bytes`);
});

test("a file that says that it is empty, as those of /proc do, is read all the same", () => {
  expect(readTextFile("/proc/self/status")).toMatch(/^Name:/);
});

test("what is no regular file is refused at once, and a FIFO without waiting for its writer", () => {
  const fifo = join(tempDir(onTestFinished), "fifo");
  execFileSync("mkfifo", [fifo]);
  for (const path of [fifo, "/dev/zero", "/tmp"]) expect(() => readTextFile(path)).toThrow("not a regular file");
});

test("a missing file keeps the system's own error code", () => {
  expect(() => readTextFile("/not/there")).toThrow(expect.objectContaining({ code: "ENOENT" }));
});
