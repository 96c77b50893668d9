// What the configuration says of metrics that are made from the lines of logs.
import * as z from "@outrigger/options/zod";

const labelName = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, "a name of a label");
const metricName = z.string().regex(/^[a-zA-Z_:][a-zA-Z0-9_:]*$/, "a name of a metric");
const ascending = z
  .array(z.number())
  .min(1)
  .max(500)
  .refine((all) => all.every((bound, at) => at === 0 || all[at - 1]! < bound), "numbers that ascend");

const logMetric = z
  .strictObject({
    name: metricName,
    type: z.enum(["counter", "gauge", "histogram", "summary"]).default("counter"),
    help: z.string().optional(),
    /** What a line has to fit: a regular expression, or a grok pattern; with neither, the source's `logFormat`. */
    match: z.string().min(1).optional(),
    grok: z.string().min(1).optional(),
    /** Templates of captures: `$1`, `$status`, `${status}`. */
    value: z.string().min(1).optional(),
    labels: z.record(labelName, z.string()).default({}),
    scale: z.number().default(1),
    buckets: ascending.optional(),
    quantiles: ascending.optional(),
    /** Labels of series that are there, at zero, before any line has come. */
    initial: z.array(z.record(labelName, z.string())).max(10_000).optional(),
    /** Seconds after which a series without a line is let go; 0 for never. */
    ttlSeconds: z.number().min(0).default(0),
  })
  .superRefine(({ type, value, match, grok, buckets, quantiles, initial, labels }, context) => {
    const issue = (key: string, message: string): void => context.addIssue({ code: "custom", path: [key], message });
    if (type !== "counter" && value === undefined) issue("value", `a template of the number, since it is a ${type}`);
    if (match !== undefined && grok !== undefined) issue("grok", "match or grok, not both");
    if (buckets !== undefined && type !== "histogram") issue("buckets", "none, since it is no histogram");
    if (quantiles !== undefined && type !== "summary") issue("quantiles", "none, since it is no summary");
    if (initial?.some((each) => !sameNames(each, labels)) === true) issue("initial", "the names of all labels in each");
  });
export type LogMetric = z.infer<typeof logMetric>;

const sameNames = (a: object, b: object): boolean =>
  Object.keys(a).sort().join("\n") === Object.keys(b).sort().join("\n");

const filePattern = z.string().startsWith("/", "an absolute path, in which * and ? may stand in names");

export const logSchema = z.strictObject({
  files: z.array(filePattern).min(1).max(100),
  /** A folder that remembers how far the files have been read; without it, what was there before the start is left out. */
  stateDir: z.string().startsWith("/", "an absolute path").optional(),
  /** Whether what was in the files before the first start counts as well. */
  readAll: z.boolean().default(false),
  pollIntervalSeconds: z.number().min(0.01).max(60).default(0.25),
  /** nginx's `log_format`, or `combined`. */
  logFormat: z.string().min(1).optional(),
  grokPatterns: z.record(z.string().regex(/^[A-Za-z0-9_]{1,64}$/, "a name of a pattern"), z.string()).default({}),
  metrics: z.array(logMetric).min(1).max(1000),
  maxSeries: z.number().int().min(1).default(10_000),
  /** Bytes of a line; a longer one is counted, and not looked at. */
  maxLine: z.number().int().min(64).max(1_048_576).default(16_384),
});
export type LogSettings = z.infer<typeof logSchema>;
