// From PostgreSQL's answers to series.
import type { Section } from "../../source.ts";
import { decimalIn } from "../numbers.ts";
import type { Column, Result } from "./client.ts";
import type { Table } from "./tables.ts";

const BOOLEAN = 16;
const TIMESTAMP = 1114;
const TIMESTAMP_WITH_ZONE = 1184;

/** A value as a number; times are whole seconds since 1970. Undefined for what is none, and for NULL. */
function numberOf(text: string | null, type: number): number | undefined {
  if (text === null) return undefined;
  if (type === BOOLEAN) return text === "t" ? 1 : 0;
  if (type !== TIMESTAMP && type !== TIMESTAMP_WITH_ZONE) return decimalIn(text);
  const time = Date.parse(`${text.slice(0, 19).replace(" ", "T")}Z`);
  return Number.isNaN(time) ? undefined : time / 1000;
}

/** Puts the rows of an answer on the page. Where two columns have one name, the last one is meant. */
export function addTable(section: Section, table: Table, { columns, rows }: Result, constant: readonly string[]): void {
  const { prefix, suffix = "", labels: labelled = [], without = [], types, collector } = table;
  const shown = columns.filter(({ name }) => !labelled.includes(name) && !without.includes(name));
  const placeOf = (wanted: string): number => columns.findLastIndex(({ name }) => name === wanted);
  const families = shown.map((column: Column) => {
    const type = typeof types === "string" ? types : (types[column.name] ?? "unknown");
    const name = `${prefix}_${column.name}${suffix}`;
    const help = `${column.name} of ${prefix}, as PostgreSQL tells it.`;
    return { family: section.family({ name, type, help }), at: columns.indexOf(column), type: column.type };
  });
  for (const row of rows) {
    const labels = [...labelled.flatMap((name) => [name, row[placeOf(name)] ?? ""]), ...constant];
    for (const { family, at, type } of families) {
      const value = numberOf(row[at] ?? null, type);
      if (value !== undefined) family.add({ labels, value }, `${collector}: ${columns[at]!.name}`);
    }
  }
}

export const SETTINGS_SQL =
  "SELECT name, setting, coalesce(unit, '') AS unit, short_desc, vartype FROM pg_settings WHERE vartype IN ('bool', 'integer', 'real')";

const SECONDS: Readonly<Record<string, number>> = { us: 1e-6, ms: 1e-3, s: 1, min: 60, h: 3600, d: 86_400 };
const BYTES: Readonly<Record<string, number>> = { B: 0, kB: 10, MB: 20, GB: 30, TB: 40 };

/** What a unit stands for: seconds or bytes, and how many. PostgreSQL also has units of some blocks: `8kB`. */
export function unitOf(unit: string): { readonly name: string; readonly factor: number } | undefined {
  if (unit === "") return { name: "", factor: 1 };
  const seconds = SECONDS[unit];
  if (seconds !== undefined) return { name: "_seconds", factor: seconds };
  const [, count, size] = /^(\d*)([kMGT]?B)$/.exec(unit) ?? [];
  return size === undefined ? undefined : { name: "_bytes", factor: Number(count || 1) * 2 ** BYTES[size]! };
}

/** pg_settings: on and off, and numbers in seconds and bytes. -1 says that there is none, in whatever unit. */
export function addSettings(section: Section, { rows }: Result, constant: readonly string[]): void {
  for (const [name, setting, unit, description, type] of rows) {
    const known = unitOf(unit ?? "");
    const value = type === "bool" ? Number(setting === "on") : decimalIn(setting ?? undefined);
    if (known === undefined || value === undefined) continue;
    const metric = `pg_settings_${name!.replaceAll(/\W/g, "_")}${known.name}`;
    const scaled = value === -1 ? -1 : value * known.factor;
    section.point({ name: metric, type: "gauge", help: description ?? "" }, scaled, constant, `pg_settings ${name}`);
  }
}
