// What `npm test` runs: all of the tests, or those that the arguments choose (they are vitest's own). Its last line is
// `N passed, N failed`; the report and the counts are left in .outrigger/.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { TestReport } from "./test-counts.ts";
import { countsOf, summaryOf } from "./test-counts.ts";
import { root, runTool } from "./tools.ts";

const folder = join(root, ".outrigger");
const reportFile = join(folder, "test-report.json");
const countsFile = join(folder, "test-counts.json");

/** Undefined if the run did not come so far as to write one. */
function readReport(): TestReport | undefined {
  try {
    return JSON.parse(readFileSync(reportFile, "utf8")) as TestReport;
  } catch {
    return undefined;
  }
}

mkdirSync(folder, { recursive: true });
for (const file of [reportFile, countsFile]) rmSync(file, { force: true });
const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${reportFile}`];
const status = await runTool("vitest", ["run", ...reporters, ...process.argv.slice(2)]);
const counts = countsOf(readReport(), status);
writeFileSync(countsFile, `${JSON.stringify(counts)}\n`);
if (counts.passed + counts.skipped === 0 && status === 0) console.log("no test ran");
console.log(summaryOf(counts));
process.exitCode = counts.failed === 0 ? 0 : 1;
