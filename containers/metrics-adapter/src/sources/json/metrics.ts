import type { Labels } from "../../exposition/model.ts";
// From a JSON document to samples, by the metrics of a module; and all its numbers by their paths where there is no module.
import { compileExpression } from "../../expressions.ts";
import type { Section } from "../../source.ts";
import { decimalIn } from "../numbers.ts";
import type { JsonMetric } from "./module.ts";
import type { Found, Path } from "./path.ts";
import { membersOf, parsePath } from "./path.ts";

type Sample = { readonly labels: Labels; readonly value: number; readonly timestamp?: number };
/** Puts a metric's samples of a document on the page. Throws where a document does not have what it has to have. */
export type JsonMapping = (section: Section, document: unknown) => void;

const TYPES = { gauge: "gauge", counter: "counter", untyped: "unknown" } as const;

/** A time in seconds since 1970: ISO 8601, or a number of seconds, milliseconds, microseconds or nanoseconds. */
export function timeIn(text: string): number | undefined {
  const number = decimalIn(text);
  if (number === undefined) {
    const time = /^\d{4}-\d\d-\d\d/.test(text.trim()) ? Date.parse(text) : NaN;
    return Number.isNaN(time) ? undefined : time / 1000;
  }
  // Seconds have ten digits until the year 2286, and each finer unit three more.
  let seconds = number;
  while (Math.abs(seconds) >= 1e11) seconds /= 1000;
  return seconds;
}

/** A value's number: true is 1, null is NaN, and what the metric says of texts. */
function createNumberReader({ value_map: map, regex, scale, time }: JsonMetric): (text: string) => number | undefined {
  const expression = regex === undefined ? undefined : compileExpression(regex);
  return (text) => {
    if (map !== undefined && Object.hasOwn(map, text)) return map[text];
    const groups = expression?.match(text);
    if (expression !== undefined && groups === undefined) return undefined;
    const found = groups?.numbered[0] ?? text;
    const value = time ? timeIn(found) : numberIn(found);
    return value === undefined ? undefined : value * scale;
  };
}

const WORDS: Readonly<Record<string, number>> = { true: 1, false: 0, null: NaN };
const numberIn = (text: string): number | undefined => (Object.hasOwn(WORDS, text) ? WORDS[text] : decimalIn(text));

type NamedPath = readonly [name: string, path: Path];
const pathsOf = (paths: Readonly<Record<string, string>>): NamedPath[] =>
  Object.entries(paths).map(([name, path]) => [name, parsePath(path)]);

/** Makes the mapping of one metric. */
export function createJsonMapping(metric: JsonMetric): JsonMapping {
  const path = parsePath(metric.path);
  const values = Object.entries(metric.values).map(([name, value]) => [name, parsePath(String(value))] as const);
  const labelsOf = createLabelReader(metric);
  const read = createNumberReader(metric);
  const timestamp = metric.epochTimestamp === undefined ? undefined : parsePath(metric.epochTimestamp);
  const isObject = metric.type === "object";
  const missing = (what: string): void => {
    if (!metric.allow_missing_key) throw new Error(`${metric.name}: expected something at ${what}, got nothing`);
  };
  const sampleOf = (
    text: string | undefined,
    found: Found,
    context: { root: unknown; what: string },
  ): Sample | undefined => {
    if (text === undefined) return void missing(context.what);
    const value = read(text);
    if (value === undefined)
      throw new Error(`${metric.name}: expected a number, got ${JSON.stringify(text.slice(0, 80))}`);
    const time = timeIn(timestamp?.render(isObject ? found.value : context.root) ?? "");
    return { labels: labelsOf(found, context.root), value, ...(time === undefined ? {} : { timestamp: time }) };
  };
  return (section, document) => {
    const collected = createCollected(section, metric);
    const places = placesOf(path, document, metric);
    if (places.length === 0) missing(metric.path);
    for (const found of places) {
      if (!isObject) collected.add("", sampleOf(written(found.value), found, { root: document, what: metric.path }));
      for (const [name, value] of isObject ? values : []) {
        collected.add(
          `_${name}`,
          sampleOf(value.render(found.value), found, { root: document, what: `values.${name}` }),
        );
      }
    }
    collected.flush();
  };
}

const written = (value: unknown): string => (typeof value === "string" ? value : (JSON.stringify(value) ?? "null"));

/** What the metric is about: members where their keys are labels, and else what the path finds; of a list its items. */
function placesOf(path: Path, document: unknown, metric: JsonMetric): Found[] {
  const found = path.find(document);
  if (metric.key_label !== undefined) return found.flatMap(({ value }) => membersOf(value));
  if (metric.type === "value") return found;
  return found.flatMap((each) =>
    Array.isArray(each.value) ? each.value.map((value: unknown) => ({ ...each, value })) : [each],
  );
}

function createLabelReader(metric: JsonMetric): (found: Found, root: unknown) => string[] {
  const [own, parents, roots] = [pathsOf(metric.labels), pathsOf(metric.parent_labels), pathsOf(metric.root_labels)];
  // Labels of a value are looked for in the document, those of an object in it: as json_exporter has it.
  const fromRoot = metric.type === "value" && metric.key_label === undefined;
  return ({ value, parent, key }, root) => [
    ...own.flatMap(([name, path]) => [name, path.render(fromRoot ? root : value) ?? ""]),
    ...parents.flatMap(([name, path]) => [name, path.render(parent) ?? ""]),
    ...roots.flatMap(([name, path]) => [name, path.render(root) ?? ""]),
    ...(metric.key_label === undefined ? [] : [metric.key_label, key ?? ""]),
  ];
}

/** Gathers samples by name and labels, and keeps of duplicates what the metric says. */
function createCollected(section: Section, metric: JsonMetric) {
  const { name, duplicates, help = name, path } = metric;
  const byKey = new Map<string, { suffix: string; sample: Sample }>();
  return {
    add: (suffix: string, sample: Sample | undefined): void => {
      if (sample === undefined) return;
      const key = JSON.stringify([suffix, sample.labels]);
      const before = byKey.get(key)?.sample;
      if (before !== undefined && duplicates === "error")
        throw new Error(`${name}: expected each series once, got ${key} twice`);
      if (before !== undefined && duplicates === "first") return;
      const value = before !== undefined && duplicates === "sum" ? before.value + sample.value : sample.value;
      byKey.set(key, { suffix, sample: { ...sample, value } });
    },
    flush: (): void => {
      for (const { suffix, sample } of byKey.values()) {
        section.family({ name: name + suffix, type: TYPES[metric.valuetype], help }).add(sample, `${path}${suffix}`);
      }
    },
  };
}

const MAX_DEPTH = 20;

/** All numbers and truth values of a document under the names of their paths, for who has not said what to look at. */
export function addAllNumbers(section: Section, document: unknown, name = "json", depth = 0): void {
  if (typeof document === "number" || typeof document === "boolean") {
    const help = `The value at ${name} in the document.`;
    section.point({ name, type: "unknown", help }, Number(document), [], name);
  } else if (depth < MAX_DEPTH && !Array.isArray(document)) {
    for (const { key, value } of membersOf(document)) {
      const part = (key ?? "")
        .replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")
        .replaceAll(/[^a-zA-Z0-9]+/g, "_")
        .toLowerCase();
      addAllNumbers(section, value, `${name}_${part.replaceAll(/^_+|_+$/g, "")}`, depth + 1);
    }
  }
}
