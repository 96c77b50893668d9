import { expect, test } from "vitest";

import type { Part } from "./part.ts";
import { keeps } from "./part.ts";
import { sectionOf, withSection } from "./results.ts";
import type { Outcome } from "./rounds.ts";
import { comparisonTable, formatSpread, markdownTable } from "./table.ts";

test("a table escapes bars and line breaks and fills up short rows", () => {
  expect(markdownTable(["a", "b"], [["x|y", "1\n2"], ["z"]])).toBe("| a | b |\n|---|---:|\n| x\\|y | 1 2 |\n| z |  |");
});

test("a spread shows its limits unless there is none", () => {
  expect(formatSpread({ median: 2, min: 1.25, max: 3 }, 1)).toBe("2.0 (1.3-3.0)");
  expect(formatSpread({ median: 2, min: 2, max: 2 }, 0)).toBe("2");
});

const columns = [{ key: "cpu", title: "CPU us", digits: 0 }];
const samples = (...values: number[]) => ({ samples: values.map((cpu) => ({ cpu })) });

test("a comparison has a row a subject, ratios to the references, and names what is missing", () => {
  const outcomes = new Map<string, Outcome>([
    ["ours", samples(30, 60, 90)],
    ["nginx", samples(20, 20, 30)],
    ["hitch", { missing: "skipped" }],
  ]);
  const table = comparisonTable({ outcomes, columns, compared: "cpu", references: ["nginx", "hitch", "absent"] });
  expect(table.split("\n").slice(2)).toEqual([
    "| ours | 60 (30-90) | 3.00 | - | - |",
    "| nginx | 20 (20-30) | 1.00 | - | - |",
    "| hitch | skipped |  |  |  |",
  ]);
  expect(table).toContain("CPU us: ratio to nginx");
});

test("a column without a value in the samples is an error, not an empty cell", () => {
  const outcomes = new Map([["ours", { samples: [{ other: 1 }] }]]);
  expect(() => comparisonTable({ outcomes, columns, compared: "cpu", references: [] })).toThrow(
    "expected samples with cpu",
  );
});

test("the section of a part replaces its earlier one and leaves the others", () => {
  const first = withSection("", "tls", "## tls one");
  const both = withSection(first, "logs", "## logs");
  const replaced = withSection(both, "tls", "## tls two");
  expect(replaced).toContain("<!-- part logs -->\n## logs\n\n<!-- part tls -->\n## tls two\n");
  expect(replaced).not.toContain("tls one");
  expect(withSection(replaced, "tls", "## tls two")).toBe(replaced);
  expect(replaced.startsWith("# Benchmark results")).toBe(true);
});

test("a section tells when, where and how it was measured", () => {
  const part: Part = { title: "tls", method: ["in turns"], names: [], run: async () => "" };
  const section = sectionOf(part, { date: "2026-01-02", machine: "2 cores", rounds: 5 }, "the table");
  expect(section).toBe("## tls\n\nMeasured 2026-01-02, 5 rounds, on: 2 cores.\n\n- in turns\n\nthe table");
});

test("--only keeps the names that it names, and all of a kind that it names none of", () => {
  const subjects = ["nginx", "hitch"];
  const only = new Set(["nginx", "latency"]);
  expect(subjects.filter((name) => keeps(only, name, subjects))).toEqual(["nginx"]);
  expect(keeps(only, "idle", ["idle", "bodies"])).toBe(true);
  expect(keeps(undefined, "hitch", subjects)).toBe(true);
});
