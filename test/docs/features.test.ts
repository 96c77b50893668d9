// The tables that set a container beside others: each yes of ours names a test, and that test is there.
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { containerFolder, containerNames } from "../../scripts/containers.ts";

const TABLE = /<!-- features -->\n([\s\S]*?)<!-- \/features -->/;
const SHOWN_BY = /^`([\w-]+\.test\.ts)`: (.+)$/;
const CONFORMANCE = /^conformance C\d+$/;

type Row = { readonly name: string; readonly ours: string; readonly shownBy: string };

function rowsOf(markdown: string): Row[] {
  const [, table = ""] = TABLE.exec(markdown) ?? [];
  const rows = table.split("\n").filter((line) => line.startsWith("|"));
  return rows.slice(2).map((line) => {
    const cells = line.split("|").map((cell) => cell.trim());
    return { name: cells[1]!, ours: cells[2]!, shownBy: cells.at(-2)! };
  });
}

const tables = containerNames()
  .map((name) => ({ name, rows: rowsOf(readFileSync(join(containerFolder(name), "README.md"), "utf8")) }))
  .filter(({ rows }) => rows.length > 0);

test("there is such a table", () => {
  expect(tables.map(({ name }) => name)).toContain("tls-sidecar");
});

describe.each(tables)("$name", ({ name, rows }) => {
  test.each(rows)("$name: $ours", ({ ours, shownBy }) => {
    if (!ours.startsWith("yes")) {
      expect(shownBy).toBe("");
      return;
    }
    if (CONFORMANCE.test(shownBy)) return;
    const [, file = "", title = ""] = SHOWN_BY.exec(shownBy) ?? [];
    const source = readFileSync(join(containerFolder(name), "test", file), "utf8");
    expect(source.includes(`"${title}"`), `${title} in ${file}`).toBe(true);
  });
});
