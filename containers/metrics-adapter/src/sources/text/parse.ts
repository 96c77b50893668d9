// From a text to series: lines of keys and values, lines that fit expressions, or rows of columns.
import type { Groups } from "../../expressions.ts";
import { compileExpression, expandTemplate } from "../../expressions.ts";
import type { Section } from "../../source.ts";
import { decimalIn } from "../numbers.ts";
import type { TextMetric, TextSettings } from "./settings.ts";

/** What stands in one line, by name. */
type Row = { readonly origin: string; readonly groups: Groups };

/** What became of a text: lines that no metric wants, and values that are no numbers. */
export type Unused = string[];

/** Puts the series of a text on the page. */
export type TextReader = (text: string, section: Section) => Unused;

export function createTextReader(settings: TextSettings): TextReader {
  const { format, metrics } = settings;
  if (format === "regex") return createExpressionReader(metrics);
  const wanted = metrics.length > 0 ? metrics : undefined;
  const rowsOf = (text: string): Row[] =>
    format === "csv" ? csvRows(text, settings.delimiter) : keyValueRows(text, settings.separator);
  return (text, section) => {
    const unused: Unused = [];
    for (const row of rowsOf(text)) {
      const key = row.groups.named.get("key");
      const mine = wanted?.filter((metric) => metric.key === undefined || metric.key === key) ?? [metricOf(key ?? "")];
      if (mine.length === 0) unused.push(row.origin);
      for (const metric of mine) add(section, metric, row, unused);
    }
    return unused;
  };
}

function createExpressionReader(metrics: readonly TextMetric[]): TextReader {
  const readers = metrics.map((metric) => ({ metric, expression: compileExpression(metric.match!) }));
  return (text, section) => {
    const unused: Unused = [];
    for (const line of linesOf(text)) {
      let isWanted = false;
      for (const { metric, expression } of readers) {
        const groups = expression.match(line);
        if (groups === undefined) continue;
        isWanted = true;
        add(section, metric, { origin: line, groups }, unused);
      }
      if (!isWanted) unused.push(line);
    }
    return unused;
  };
}

const linesOf = (text: string): string[] => text.split(/\r?\n/).filter((line) => line.trim() !== "");

/** A key without a metric of its own is one of its name. */
const metricOf = (key: string): TextMetric => ({
  name: `text_${key.replaceAll(/[^a-zA-Z0-9_]/g, "_")}`,
  type: "untyped",
  value: "$value",
  labels: {},
  scale: 1,
  valueMap: {},
});

const MAX_ORIGIN = 200;

function add(section: Section, metric: TextMetric, { origin, groups }: Row, unused: Unused): void {
  const text = expandTemplate(metric.value, groups).trim();
  const value = Object.hasOwn(metric.valueMap, text) ? metric.valueMap[text] : decimalIn(text);
  if (value === undefined) return void unused.push(origin);
  const labels = Object.entries(metric.labels).flatMap(([name, template]) => [name, expandTemplate(template, groups)]);
  const { name, help = `From text: ${name}.` } = metric;
  const type = metric.type === "untyped" ? "unknown" : metric.type;
  section.point({ name, type, help }, value * metric.scale, labels, origin.slice(0, MAX_ORIGIN));
  return undefined;
}

function keyValueRows(text: string, separator: string | undefined): Row[] {
  return linesOf(text).map((line) => {
    const at = separator === undefined ? line.trimStart().search(/[=:\s]/) : line.trimStart().indexOf(separator);
    const trimmed = line.trim();
    const rest = at < 0 ? "" : trimmed.slice(at + (separator?.length ?? 0));
    const value = separator === undefined ? rest.replace(/^\s*[=:]?\s*/, "") : rest;
    return {
      origin: line,
      groups: named([
        ["key", at < 0 ? trimmed : trimmed.slice(0, at).trim()],
        ["value", value.trim()],
      ]),
    };
  });
}

const named = (pairs: readonly (readonly [string, string])[]): Groups => ({
  numbered: pairs.map(([, value]) => value),
  named: new Map(pairs),
});

/** Rows by the headings of the first one (RFC 4180). A column is also known by its number. */
function csvRows(text: string, delimiter: string): Row[] {
  const [headings = [], ...rows] = parseCsv(text, delimiter);
  const names = headings.map((heading) => heading.replace(/^#\s*/, "").trim().replaceAll(/\W/g, "_"));
  return rows
    .filter((cells) => cells.some((cell) => cell !== ""))
    .map((cells) => ({
      origin: cells.join(delimiter),
      groups: named(names.map((name, at) => [name, cells[at] ?? ""])),
    }));
}

/** Cells of rows; one in quotes may hold the delimiter, line feeds, and quotes that come twice. */
export function parseCsv(text: string, delimiter: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (let at = 0; at < text.length;) {
    const { cell, end } = text[at] === '"' ? quotedCell(text, at + 1) : plainCell(text, at, delimiter);
    row.push(cell);
    const isLast = text[end] !== delimiter;
    at = end + (text.startsWith("\r\n", end) ? 2 : 1);
    if (!isLast && at < text.length) continue;
    if (!isLast) row.push("");
    rows.push(row);
    row = [];
  }
  return rows;
}

function plainCell(text: string, from: number, delimiter: string): { cell: string; end: number } {
  let end = from;
  while (end < text.length && text[end] !== delimiter && text[end] !== "\n" && !text.startsWith("\r\n", end)) end++;
  return { cell: text.slice(from, end), end };
}

/** A cell whose quotes do not end goes to the end of the text. */
function quotedCell(text: string, from: number): { cell: string; end: number } {
  let at = from;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) return { cell: text.slice(from).replaceAll('""', '"'), end: text.length };
    if (text[quote + 1] !== '"') return { cell: text.slice(from, quote).replaceAll('""', '"'), end: quote + 1 };
    at = quote + 2;
  }
}
