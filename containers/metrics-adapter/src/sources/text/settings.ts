// What the configuration says of statistics that are text of an application's own form.
import { parseAddress } from "@outrigger/options";
import * as z from "@outrigger/options/zod";

import { problemIn } from "../../expressions.ts";
import { httpSettings, httpUrl } from "../../http-client.ts";

const labelName = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, "a name of a label");

const textMetric = z.strictObject({
  name: z.string().regex(/^[a-zA-Z_:][a-zA-Z0-9_:]*$/, "a name of a metric"),
  help: z.string().optional(),
  type: z.enum(["counter", "gauge", "untyped"]).default("untyped"),
  /** Of `keyvalue`: the key; without it, each key is one. */
  key: z.string().optional(),
  /** Of `regex`: what a line has to fit. */
  match: z
    .string()
    .superRefine((text, context) => {
      const problem = problemIn(text);
      if (problem !== undefined) context.addIssue({ code: "custom", message: `a regular expression (${problem})` });
    })
    .optional(),
  /** A template of captures or columns. */
  value: z.string().min(1).default("$value"),
  labels: z.record(labelName, z.string()).default({}),
  scale: z.number().default(1),
  /** Texts, and the numbers that they stand for. */
  valueMap: z.record(z.string(), z.number()).default({}),
});
export type TextMetric = z.infer<typeof textMetric>;

export const textSchema = z.strictObject({
  format: z.enum(["keyvalue", "regex", "csv"]).default("keyvalue"),
  url: httpUrl.optional(),
  address: z
    .string()
    .refine((text) => parseAddress(text, "127.0.0.1") !== undefined, "host:port, [ipv6]:port or unix:/path")
    .optional(),
  /** What is sent to `address` before it answers. */
  send: z.string().max(65_536).default(""),
  file: z.string().startsWith("/", "an absolute path").optional(),
  command: z
    .array(z.string().refine((text) => !text.includes("\0"), "text without NUL"))
    .min(1)
    .max(100)
    .optional(),
  ...httpSettings,
  /** Of `keyvalue`: what stands between key and value; by default the first of `=`, `:` and blanks. */
  separator: z.string().min(1).max(16).optional(),
  /** Of `csv`. */
  delimiter: z.string().length(1).default(","),
  metrics: z.array(textMetric).max(1000).default([]),
});
export type TextSettings = z.infer<typeof textSchema>;

/** What is wrong with the settings together. */
export function textProblems({ url, address, file, command, format, metrics }: TextSettings): string[] {
  const problems: string[] = [];
  const from = [url, address, file, command].filter((each) => each !== undefined).length;
  if (from !== 1) problems.push(`text: expected one of url, address, file and command, got ${from}`);
  if (format !== "keyvalue" && metrics.length === 0) {
    problems.push(`text: expected metrics, since the format is ${format}, got none`);
  }
  for (const [at, { match, key, name }] of metrics.entries()) {
    const wanted = format === "regex";
    if ((match !== undefined) !== wanted) {
      problems.push(
        `metrics.${at}.match: expected ${wanted ? "an expression" : "none"} of ${name}, since the format is ${format}, got ${match ?? "none"}`,
      );
    }
    if (key !== undefined && format !== "keyvalue") {
      problems.push(`metrics.${at}.key: expected none, since the format is ${format}, got ${key}`);
    }
  }
  return problems;
}
