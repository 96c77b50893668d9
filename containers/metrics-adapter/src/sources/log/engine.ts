// From lines to series: each line is tried with every expression once, and every metric of one that fits takes its part.
import { compileGrok, PatternError } from "@outrigger/patterns";

import type { Labels } from "../../exposition/model.ts";
import type { Groups } from "../../expressions.ts";
import { compileExpression, expandTemplate } from "../../expressions.ts";
import { decimalIn } from "../numbers.ts";
import type { DistributionSettings } from "../push/distribution.ts";
import { distributionSettingsOf } from "../push/distribution.ts";
import type { Store, Stored } from "../push/store.ts";
import { createStore } from "../push/store.ts";
import { expressionOfFormat, numberOfVariable } from "./nginx-format.ts";
import type { LogMetric, LogSettings } from "./settings.ts";

export const REFUSED = ["not_a_number", "negative", "too_many_series", "conflict"] as const;
export type Refused = (typeof REFUSED)[number];

export type LogEngine = {
  /** Whether a metric wants the line. */
  take(line: string): boolean;
  readonly store: Store;
  readonly refused: Record<Refused, number>;
};

type Reader = {
  readonly match: (line: string) => Groups | undefined;
  /** How numbers are written; undefined says that there is none. */
  readonly numberIn: (text: string) => number | undefined;
  readonly metrics: LogMetric[];
};

/** Characters of a label's value; what is longer is cut. */
const MAX_LABEL = 1024;

const plainNumber = (text: string): number => decimalIn(text) ?? Number.NaN;

function readerOf({ match, grok }: LogMetric, settings: LogSettings): Reader {
  if (match !== undefined) return { match: compileExpression(match).match, numberIn: plainNumber, metrics: [] };
  if (grok !== undefined) return { match: grokMatcher(grok, settings), numberIn: plainNumber, metrics: [] };
  if (settings.logFormat === undefined) throw new PatternError("expected match, grok, or the source's logFormat", 1);
  const expression = compileExpression(expressionOfFormat(settings.logFormat));
  return { match: expression.match, numberIn: numberOfVariable, metrics: [] };
}

function grokMatcher(source: string, { grokPatterns }: LogSettings): Reader["match"] {
  const pattern = compileGrok(source, { patterns: grokPatterns });
  return (line) => {
    const values = pattern.exec(line);
    if (values === undefined) return undefined;
    const numbered = values.map((value) => String(value ?? ""));
    return { numbered, named: new Map(pattern.fields.map(({ name }, at) => [name, numbered[at]!])) };
  };
}

/** What is wrong with the expressions of the settings; each is a problem as the user sees it. */
export function logProblems(settings: LogSettings): string[] {
  const types = new Map<string, string>();
  return settings.metrics.flatMap((metric, at) => {
    const { name, type, match, grok } = metric;
    const known = types.get(name) ?? type;
    types.set(name, known);
    const twice = known === type ? [] : [`metrics.${at}.type: expected ${known}, as ${name} is before, got ${type}`];
    try {
      readerOf(metric, settings);
      return twice;
    } catch (error) {
      if (!(error instanceof PatternError)) throw error;
      const key = match !== undefined ? `metrics.${at}.match` : grok !== undefined ? `metrics.${at}.grok` : "logFormat";
      return [...twice, `${key}: expected a pattern that can be used, got ${error.message}`];
    }
  });
}

/** Metrics by the expression that they share. */
function readersOf(settings: LogSettings): Reader[] {
  const readers = new Map<string, Reader>();
  for (const metric of settings.metrics) {
    const key = JSON.stringify([metric.match, metric.grok]);
    const reader = readers.get(key) ?? readerOf(metric, settings);
    readers.set(key, reader);
    reader.metrics.push(metric);
  }
  return [...readers.values()];
}

export function createLogEngine(settings: LogSettings): LogEngine {
  const readers = readersOf(settings);
  const store = createStore({ maxSeries: settings.maxSeries, now: Date.now });
  const refused = Object.fromEntries(REFUSED.map((reason) => [reason, 0])) as Record<Refused, number>;
  const seriesOf = createSeriesOf(store, settings);
  const update = (metric: LogMetric, groups: Groups, { numberIn }: Reader): void => {
    const number = metric.value === undefined ? 1 : numberIn(expandTemplate(metric.value, groups));
    if (number === undefined) return;
    const value = number * metric.scale;
    if (!Number.isFinite(value)) refused.not_a_number++;
    else if (metric.type === "counter" && value < 0) refused.negative++;
    else {
      const stored = seriesOf(metric, labelsOf(metric, groups));
      if (stored === "full") refused.too_many_series++;
      else if (stored === "conflict") refused.conflict++;
      else put(stored, metric, value);
    }
  };
  for (const metric of settings.metrics) for (const labels of initialOf(metric)) seriesOf(metric, labels);
  return {
    take: (line) => {
      let isWanted = false;
      for (const reader of readers) {
        const groups = reader.match(line);
        if (groups === undefined) continue;
        isWanted = true;
        for (const metric of reader.metrics) update(metric, groups, reader);
      }
      return isWanted;
    },
    store,
    refused,
  };
}

function createSeriesOf(store: Store, { metrics }: LogSettings) {
  const distributions = new Map(metrics.map((metric) => [metric, distributionOf(metric)]));
  return (metric: LogMetric, labels: Labels): Stored | "conflict" | "full" =>
    store.series({
      name: metric.name,
      type: metric.type === "counter" || metric.type === "gauge" ? metric.type : "observer",
      help: metric.help ?? `From log lines: ${metric.name}.`,
      labels,
      ttlMs: metric.ttlSeconds * 1000,
      distribution: distributions.get(metric)!,
      origin: metric.match ?? metric.grok ?? "logFormat",
    });
}

const distributionOf = ({ type, buckets, quantiles }: LogMetric): DistributionSettings =>
  distributionSettingsOf(
    {
      observer_type: type === "summary" ? "summary" : "histogram",
      ...(buckets === undefined ? {} : { histogram_options: { buckets } }),
      ...(quantiles === undefined
        ? {}
        : { summary_options: { quantiles: quantiles.map((quantile) => ({ quantile, error: 0 })) } }),
    },
    { match_type: "glob", glob_disable_ordering: false, ttl: "0" },
  );

const labelsOf = ({ labels }: LogMetric, groups: Groups): string[] =>
  Object.entries(labels).flatMap(([name, template]) => [name, expandTemplate(template, groups).slice(0, MAX_LABEL)]);

/** Series that are there before any line: those that are named, and the only one of a metric without labels. */
function initialOf({ type, labels, initial }: LogMetric): Labels[] {
  if (initial !== undefined) return initial.map((each) => Object.keys(labels).flatMap((name) => [name, each[name]!]));
  return type !== "gauge" && Object.keys(labels).length === 0 ? [[]] : [];
}

function put(stored: Stored, { type }: LogMetric, value: number): void {
  stored.seenAt = Date.now();
  if (type === "counter") stored.value += value;
  else if (type === "gauge") stored.value = value;
  else stored.distribution!.observe(value, 1);
}
