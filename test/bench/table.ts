// Markdown tables of what was measured.
import type { Outcome, Sample } from "./rounds.ts";
import type { Spread } from "./statistics.ts";
import { ratiosByRound, spreadOf } from "./statistics.ts";

/** One column: which value of the samples, its heading with the unit, and its decimals. */
export type Column = { readonly key: string; readonly title: string; readonly digits: number };

export type Comparison = {
  readonly outcomes: ReadonlyMap<string, Outcome>;
  readonly columns: readonly Column[];
  /** The value whose ratios are shown, and the subjects that it is compared to. */
  readonly compared: string;
  readonly references: readonly string[];
};

const escaped = (cell: string): string => cell.replaceAll("|", "\\|").replaceAll(/\s+/g, " ");

/** A Markdown table: the first column to the left, the others to the right. A short row is filled up with empty cells. */
export function markdownTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${headings.map((_, i) => escaped(cells[i] ?? "")).join(" | ")} |`;
  const rule = `|${headings.map((_, i) => (i === 0 ? "---" : "---:")).join("|")}|`;
  return [line(headings), rule, ...rows.map(line)].join("\n");
}

/** `median (min-max)`; only the median where one round leaves no spread. */
export function formatSpread(spread: Spread, digits: number): string {
  const text = (value: number): string => value.toFixed(digits);
  if (spread.min === spread.max) return text(spread.median);
  return `${text(spread.median)} (${text(spread.min)}-${text(spread.max)})`;
}

function valuesOf(samples: readonly Sample[], key: string): number[] {
  return samples.map((sample) => {
    const value = sample[key];
    if (value === undefined) throw new Error(`table: expected samples with ${key}, got ${Object.keys(sample).join()}`);
    return value;
  });
}

function ratioCell(comparison: Comparison, values: readonly number[], reference: string): string {
  const outcome = comparison.outcomes.get(reference);
  if (outcome === undefined || "missing" in outcome) return "-";
  return ratiosByRound(values, valuesOf(outcome.samples, comparison.compared)).median.toFixed(2);
}

/** One row a subject: the columns with their spreads, then the median of the ratios to each reference. */
export function comparisonTable(comparison: Comparison): string {
  const { columns, references, outcomes, compared } = comparison;
  const comparedTitle = columns.find((column) => column.key === compared)?.title ?? compared;
  const headings = [
    "subject",
    ...columns.map((column) => column.title),
    ...references.map((name) => `${comparedTitle}: ratio to ${name}`),
  ];
  const rows = [...outcomes].map(([name, outcome]) => {
    if ("missing" in outcome) return [name, outcome.missing];
    const cells = columns.map((column) => formatSpread(spreadOf(valuesOf(outcome.samples, column.key)), column.digits));
    const values = valuesOf(outcome.samples, compared);
    return [name].concat(
      cells,
      references.map((reference) => ratioCell(comparison, values, reference)),
    );
  });
  return markdownTable(headings, rows);
}
