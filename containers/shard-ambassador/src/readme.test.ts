// The table of features in the README claims nothing that no test shows.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

const folder = join(import.meta.dirname, "..");

/** The rows below a heading: feature, what we have of it, and the last cell. */
function rowsBelow(heading: string): { feature: string; ours: string; shownBy: string }[] {
  const text = readFileSync(join(folder, "README.md"), "utf8").split(`\n${heading}\n`)[1] ?? "";
  const table = text.split("\n").filter((line) => line.startsWith("|"));
  return table.slice(2).map((line) => {
    const cells = line.split("|").map((cell) => cell.trim());
    return { feature: cells[1]!, ours: cells[2]!, shownBy: cells.at(-2)! };
  });
}

test("every yes in the table of features names a test that is there", () => {
  const files = globSync("{src,test}/**/*.test.ts", { cwd: folder });
  const tests = files.map((file) => readFileSync(join(folder, file), "utf8")).join("\n");
  const rows = rowsBelow("## Beside others");
  expect(rows.length).toBeGreaterThan(20);
  for (const { feature, ours, shownBy } of rows) {
    if (ours === "yes") expect.soft(tests.includes(`"${shownBy}"`), `${feature}: ${shownBy}`).toBe(true);
    else expect.soft([feature, ours, shownBy]).toEqual([feature, "no", ""]);
  }
});
