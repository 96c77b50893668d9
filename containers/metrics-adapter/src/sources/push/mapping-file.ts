// The mapping of statsd_exporter, and of graphite_exporter, as their configuration files have it.
import * as z from "@outrigger/options/zod";

import { problemIn } from "../../expressions.ts";
import { loadYaml } from "../../yaml-file.ts";

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
const GO_DURATION = /^(?:0|(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+)$/;

/** Milliseconds of a duration as Go has it: `1h30m`. */
export const millisecondsOf = (text: string): number =>
  [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)].reduce(
    (sum, [, number, unit]) => sum + Number(number) * UNITS[unit!]!,
    0,
  );

const duration = z.string().regex(GO_DURATION, "a duration such as 30s or 5m");
const bounds = z
  .array(z.number())
  .max(500)
  .refine((all) => all.every((bound, at) => at === 0 || all[at - 1]! < bound), "bounds that ascend");

const summaryOptions = z.strictObject({
  quantiles: z
    .array(z.strictObject({ quantile: z.number().min(0).max(1), error: z.number() }))
    .max(50)
    .optional(),
  max_age: duration.optional(),
  age_buckets: z.number().int().min(1).max(60).optional(),
  /** How many values are kept before they are sorted in: ours are sorted in at once. */
  buf_cap: z.number().optional(),
});
const histogramOptions = z.strictObject({
  buckets: bounds.optional(),
  native_histogram_bucket_factor: z.number().gt(1).optional(),
  native_histogram_max_buckets: z.number().int().min(1).max(10_000).optional(),
});
const observerType = z.enum(["summary", "histogram"]);
const matchType = z.enum(["glob", "regex"]);

const mapping = z
  .strictObject({
    match: z.string().min(1),
    match_type: matchType.optional(),
    match_metric_type: z.enum(["counter", "gauge", "observer", "timer"]).optional(),
    name: z.string().default(""),
    labels: z.record(z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, "a name of a label"), z.string()).default({}),
    help: z.string().optional(),
    honor_labels: z.boolean().default(false),
    observer_type: observerType.optional(),
    timer_type: observerType.optional(),
    histogram_options: histogramOptions.optional(),
    summary_options: summaryOptions.optional(),
    ttl: duration.optional(),
    scale: z.number().optional(),
    action: z.enum(["map", "drop"]).default("map"),
  })
  .superRefine(({ match, match_type: type, name, action }, context) => {
    const problem = type === "regex" ? problemIn(match) : undefined;
    if (problem !== undefined)
      context.addIssue({ code: "custom", path: ["match"], message: `a regular expression (${problem})` });
    if (action === "map" && name === "")
      context.addIssue({ code: "custom", path: ["name"], message: "a name, since it maps" });
  });

export const mappingFile = z.strictObject({
  defaults: z
    .strictObject({
      observer_type: observerType.optional(),
      timer_type: observerType.optional(),
      match_type: matchType.default("glob"),
      glob_disable_ordering: z.boolean().default(false),
      ttl: duration.default("0"),
      summary_options: summaryOptions.optional(),
      histogram_options: histogramOptions.optional(),
    })
    .default({ match_type: "glob", glob_disable_ordering: false, ttl: "0" }),
  mappings: z.array(mapping).max(100_000).default([]),
});
export type MappingFile = z.infer<typeof mappingFile>;
export type MappingRule = MappingFile["mappings"][number];

/** No rules: every metric under its own name. */
const NO_MAPPING: MappingFile = mappingFile.parse({});

/** The rules of a file. Throws with what is wrong with it. */
export function mappingOf(file: string | undefined): MappingFile {
  if (file === undefined) return NO_MAPPING;
  const loaded = loadYaml(file, mappingFile);
  if (loaded.problems !== undefined) throw new Error(loaded.problems.join("\n"));
  return loaded.value;
}

/** What is wrong with a file; nothing where there is none. */
export function mappingProblems(file: string | undefined): string[] {
  return file === undefined ? [] : [...(loadYaml(file, mappingFile).problems ?? [])];
}
