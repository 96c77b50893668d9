// Reads pages of others: text 0.0.4 and 1.0.0, and OpenMetrics. What comes out are single samples; assemble.ts makes
// families of them.
import { defined } from "../defined.ts";
import type { Exemplar, Labels, MetricType } from "./model.ts";

/** Lines `# TYPE`, `# HELP` and `# UNIT` of one name. */
export type Metadata = { readonly type: MetricType; readonly help: string; readonly unit: string };

/** One line. Its name is the one that stands there, suffix included. */
export type Sample = {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number;
  /** Seconds since 1970. */
  readonly timestamp?: number;
  readonly exemplar?: Exemplar;
};

export type ParsedPage = { readonly metadata: ReadonlyMap<string, Metadata>; readonly samples: readonly Sample[] };

const TYPES: Readonly<Record<string, MetricType>> = {
  counter: "counter",
  gauge: "gauge",
  histogram: "histogram",
  gaugehistogram: "gaugehistogram",
  summary: "summary",
  info: "info",
  stateset: "stateset",
  untyped: "unknown",
  unknown: "unknown",
};
const NONE: Metadata = { type: "unknown", help: "", unit: "" };

/** Says in which line what was expected. */
class ParseError extends Error {}
const wrong = (expected: string, text: string): ParseError =>
  new ParseError(`expected ${expected}, got ${JSON.stringify(text.slice(0, 80))}`);

/** Parses a page; throws with the number of the line that is none of the format. */
export function parsePage(text: string, { openMetrics = false } = {}): ParsedPage {
  const metadata = new Map<string, Metadata>();
  const samples: Sample[] = [];
  let number = 0;
  for (const raw of text.split("\n")) {
    number++;
    const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    try {
      if (line === "# EOF" && openMetrics) break;
      if (line.startsWith("#")) readComment(line, metadata);
      else if (line.trim() !== "") samples.push(parseSample(line.trim(), openMetrics));
    } catch (error) {
      if (error instanceof ParseError) throw new Error(`line ${number}: ${error.message}`, { cause: error });
      throw error;
    }
  }
  return { metadata, samples };
}

function readComment(line: string, metadata: Map<string, Metadata>): void {
  const match = /^#\s+(TYPE|HELP|UNIT)\s+("(?:[^"\\]|\\[^])*"|\S+)(?:\s+(.*))?$/s.exec(line);
  if (match === null) return;
  const [, what, written, rest = ""] = match;
  const name = written!.startsWith('"') ? unescape(written!.slice(1, -1)) : written!;
  const before = metadata.get(name) ?? NONE;
  if (what === "HELP") metadata.set(name, { ...before, help: unescape(rest) });
  else if (what === "UNIT") metadata.set(name, { ...before, unit: rest.trim() });
  else {
    const type = TYPES[rest.trim()];
    if (type === undefined) throw wrong("a type of metrics", rest);
    metadata.set(name, { ...before, type });
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", '"': '"', "\\": "\\" };
const unescape = (text: string): string =>
  text.includes("\\") ? text.replaceAll(/\\([^])/g, (all, char: string) => ESCAPES[char] ?? all) : text;

const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const LABEL = /\s*(?:([a-zA-Z_][a-zA-Z0-9_]*)|"((?:[^"\\]|\\[^])*)")\s*(?:(=)\s*"((?:[^"\\]|\\[^])*)"\s*)?(,?)\s*/y;

/** Reads `{...}` at a place. A quoted text without a value is the metric's own name. */
function readLabels(line: string, from: number): { labels: string[]; name: string | undefined; end: number } {
  const labels: string[] = [];
  let name: string | undefined;
  let at = from + 1;
  while (line[at] !== "}") {
    LABEL.lastIndex = at;
    const match = LABEL.exec(line);
    if (match === null) throw wrong('name="value"', line.slice(at));
    const [, plain, quotedName, equals, value] = match;
    at = LABEL.lastIndex;
    if (equals !== undefined) labels.push(plain ?? unescape(quotedName!), unescape(value!));
    else if (quotedName !== undefined && name === undefined) name = unescape(quotedName);
    else throw wrong('name="value"', match[0]);
    if (match[5] === "" && line[at] !== "}") throw wrong("a comma or }", line.slice(at));
  }
  return { labels, name, end: at + 1 };
}

function parseValue(text: string): number {
  if (/^[-+]?inf(inity)?$/i.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
  if (/^nan$/i.test(text)) return NaN;
  if (!/^[-+]?(\d[\d_]*\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text)) throw wrong("a number", text);
  return Number(text);
}

function parseSample(line: string, openMetrics: boolean): Sample {
  const { name, labels, end } = readIdentity(line);
  const [main = "", exemplar] = openMetrics ? splitOnce(line.slice(end), " # ") : [line.slice(end)];
  const [value = "", time, ...more] = main.trim().split(/\s+/);
  if (more.length > 0) throw wrong("a value and a time", main);
  const sample = { name, labels, value: parseValue(value) };
  if (time === undefined && exemplar === undefined) return sample;
  const timestamp = time === undefined ? undefined : parseValue(time) / (openMetrics ? 1 : 1000);
  return {
    ...sample,
    ...defined({ timestamp, exemplar: exemplar === undefined ? undefined : parseExemplar(exemplar) }),
  };
}

/** What stands before the value: a name, and labels, among which the name may stand. */
function readIdentity(line: string): { name: string; labels: Labels; end: number } {
  NAME.lastIndex = 0;
  const plain = NAME.exec(line)?.[0];
  let at = plain?.length ?? 0;
  while (line[at] === " " || line[at] === "\t") at++;
  const read = line[at] === "{" ? readLabels(line, at) : { labels: [], name: undefined, end: at };
  const name = plain ?? read.name ?? "";
  if (name === "") throw wrong("name{labels} value", line);
  return { name, labels: read.labels, end: read.end };
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}

function parseExemplar(text: string): Exemplar {
  if (!text.startsWith("{")) throw wrong("an exemplar", text);
  const { labels, end } = readLabels(text, 0);
  const [value, time] = text.slice(end).trim().split(/\s+/);
  return { labels, value: parseValue(value ?? ""), ...(time === undefined ? {} : { timestamp: parseValue(time) }) };
}
