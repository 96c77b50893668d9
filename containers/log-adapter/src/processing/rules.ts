import * as z from "@outrigger/options/zod";
// Which records pass, by rules in order: each says for which records it is, and what becomes of them.
import { compilePattern } from "@outrigger/patterns";
import type { Pattern } from "@outrigger/patterns";

import type { Reading } from "../reading.ts";
import { severityOfWord } from "../severity.ts";

export const rule = z
  .strictObject({
    if: z
      .record(z.string(), z.string())
      .optional()
      .describe("Fields and the expressions that they fit: body, level, format or an attribute."),
    below: z.string().optional().describe("Only records less severe than this level, such as info."),
    drop: z.literal(true).optional().describe("They are dropped."),
    keep: z.literal(true).optional().describe("They pass, whatever the rules after this one say."),
    sample: z.number().gt(0).lt(1).optional().describe("This share of them passes."),
    limit: z
      .strictObject({
        perSecond: z.number().gt(0).describe("As many pass in a second."),
        key: z.string().optional().describe("A field: each of its values has a limit of its own."),
      })
      .optional()
      .describe("No more of them pass."),
    rename: z.record(z.string(), z.string()).optional().describe("Attributes and their new names."),
  })
  .refine((value) => ["drop", "keep", "sample", "limit", "rename"].filter((name) => name in value).length === 1, {
    message: "one of drop, keep, sample, limit and rename",
  });
export type Rule = z.infer<typeof rule>;

export type Verdict = "pass" | "rule" | "sampled" | "limited";
type Outcome = Verdict | "next";
type Compiled = { readonly fits: (reading: Reading) => boolean; readonly act: (reading: Reading) => Outcome };

/** Values of a key that limits are kept for; the one that was seen longest ago is forgotten. */
const MAX_KEYS = 10_000;

/** Throws an error that says what cannot be used. `now` is in milliseconds. */
export function createRules(rules: readonly Rule[], now: () => number): (reading: Reading) => Verdict {
  const compiled = rules.map((one): Compiled => ({ fits: conditionOf(one), act: actionOf(one, now) }));
  return (reading) => {
    for (const { fits, act } of compiled) {
      const outcome = fits(reading) ? act(reading) : "next";
      if (outcome !== "next") return outcome;
    }
    return "pass";
  };
}

function conditionOf({ if: fields = {}, below }: Rule): Compiled["fits"] {
  const patterns = Object.entries(fields).map(([name, source]): [string, Pattern] => [name, compilePattern(source)]);
  const severity = below === undefined ? 0 : severityOfWord(below);
  if (below !== undefined && severity === 0) throw new Error(`below: expected a level such as info, got ${below}`);
  return (reading) =>
    (severity === 0 || (reading.severityNumber > 0 && reading.severityNumber < severity)) &&
    patterns.every(([name, pattern]) => pattern.test(fieldOf(reading, name)));
}

function fieldOf(reading: Reading, name: string): string {
  if (name === "body") return reading.body;
  if (name === "level") return reading.severityText;
  if (name === "format") return reading.format;
  for (let i = 0; i < reading.attributes.length; i += 2) {
    if (reading.attributes[i] !== name) continue;
    const value = reading.attributes[i + 1];
    return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  }
  return "";
}

function actionOf({ drop, keep, sample, limit, rename = {} }: Rule, now: () => number): Compiled["act"] {
  if (drop === true) return () => "rule";
  if (keep === true) return () => "pass";
  if (sample !== undefined) return sampler(sample);
  if (limit !== undefined) return limiter(limit, now);
  return (reading) => {
    for (let i = 0; i < reading.attributes.length; i += 2) {
      const name = reading.attributes[i] as string;
      if (Object.hasOwn(rename, name)) reading.attributes[i] = rename[name];
    }
    return "next";
  };
}

/** Every so many, evenly: chance would let short bursts vanish. */
function sampler(share: number): Compiled["act"] {
  let [seen, passed] = [0, 0];
  return () => {
    seen++;
    // A share such as 0.1 is none that numbers hold exactly.
    if (Math.ceil(seen * share - 1e-9) <= passed) return "sampled";
    passed++;
    return "next";
  };
}

/** A bucket of a second's worth for each key. */
function limiter({ perSecond, key }: NonNullable<Rule["limit"]>, now: () => number): Compiled["act"] {
  const buckets = new Map<string, { tokens: number; at: number }>();
  const most = Math.max(1, perSecond);
  return (reading) => {
    const name = key === undefined ? "" : fieldOf(reading, key);
    const at = now();
    const bucket = buckets.get(name) ?? { tokens: most, at };
    // A clock that was set back fills nothing.
    bucket.tokens = Math.min(most, bucket.tokens + (Math.max(0, at - bucket.at) / 1000) * perSecond);
    bucket.at = at;
    buckets.delete(name);
    buckets.set(name, bucket);
    if (buckets.size > MAX_KEYS) buckets.delete(buckets.keys().next().value!);
    if (bucket.tokens < 1) return "limited";
    bucket.tokens -= 1;
    return "next";
  };
}
