import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { repository, tempDir } from "@outrigger/testing";
import { expect, onTestFinished, test } from "vitest";

import type { TestReport } from "./test-counts.ts";
import { countsOf, summaryOf } from "./test-counts.ts";

/** Runs a suite of these files with the real vitest. */
function countsOfSuite(files: Record<string, string>) {
  const folder = tempDir(onTestFinished);
  const report = join(folder, "report.json");
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const vitest = join(repository, "node_modules", "vitest", "vitest.mjs");
  const args = ["run", "--root", folder, "--globals", "--reporter=json", `--outputFile=${report}`];
  const { status } = spawnSync(process.execPath, [vitest, ...args], { cwd: folder });
  const parsed = existsSync(report) ? (JSON.parse(readFileSync(report, "utf8")) as TestReport) : undefined;
  return countsOf(parsed, status ?? 1);
}

const PASSING = 'test("passes", () => {});\n';

test("tests that pass, fail and are skipped are counted", () => {
  const failing =
    'test("fails", () => { throw new Error("no"); });\ntest.skip("skipped", () => {});\ntest.todo("later");\n';
  const counts = countsOfSuite({
    "a.test.js": PASSING + PASSING.replace("passes", "passes too"),
    "b.test.js": failing,
  });
  expect(counts).toEqual({ passed: 2, failed: 1, skipped: 2 });
});

test("a file that does not load is a failure", () => {
  const counts = countsOfSuite({ "a.test.js": PASSING, "b.test.js": 'import "./missing.js";\n' });
  expect(counts).toEqual({ passed: 1, failed: 1, skipped: 0 });
});

test("a set-up that fails is a failure", () => {
  const counts = countsOfSuite({ "a.test.js": `beforeAll(() => { throw new Error("no"); });\n${PASSING}` });
  expect(counts).toMatchObject({ passed: 0, failed: 1 });
});

test("an error that no test is to blame for is a failure", () => {
  const unhandled = 'test("passes", async () => { Promise.reject(new Error("no")); });\n';
  expect(countsOfSuite({ "a.test.js": unhandled })).toEqual({ passed: 1, failed: 1, skipped: 0 });
});

test("a run without a test is a failure", () => {
  expect(countsOfSuite({})).toEqual({ passed: 0, failed: 1, skipped: 0 });
  expect(countsOfSuite({ "a.test.js": 'test.skip("skipped", () => {});\n' })).toMatchObject({ failed: 1, skipped: 1 });
});

test("the summary names what was skipped only if something was", () => {
  expect(summaryOf({ passed: 12, failed: 0, skipped: 0 })).toBe("12 passed, 0 failed");
  expect(summaryOf({ passed: 12, failed: 1, skipped: 3 })).toBe("12 passed, 1 failed, 3 skipped");
});
