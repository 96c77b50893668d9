// Prometheus' metric_relabel_configs (prometheus.io/docs, configuration, relabel_config): rules over a sample's labels, its
// name being the label `__name__`.
import { createHash } from "node:crypto";

import * as z from "@outrigger/options/zod";

import type { Labels } from "../../exposition/model.ts";
import { compileExpression, expandTemplate, problemIn } from "../../expressions.ts";
import type { Expression, Groups } from "../../expressions.ts";

const ACTIONS = [
  "replace",
  "keep",
  "drop",
  "hashmod",
  "labelmap",
  "labeldrop",
  "labelkeep",
  "lowercase",
  "uppercase",
  "keepequal",
  "dropequal",
] as const;

export const relabelConfig = z.strictObject({
  source_labels: z.array(z.string()).default([]),
  separator: z.string().default(";"),
  regex: z
    .string()
    .default("(.*)")
    .superRefine((text, context) => {
      const problem = problemIn(text);
      if (problem !== undefined) context.addIssue({ code: "custom", message: `a regular expression (${problem})` });
    }),
  modulus: z.number().int().positive().optional(),
  target_label: z.string().default(""),
  replacement: z.string().default("$1"),
  action: z.enum(ACTIONS).default("replace"),
});
export type RelabelConfig = z.infer<typeof relabelConfig>;

/** The labels of a sample by name, `__name__` included; a rule changes them, or says that the sample goes. */
type Rule = (labels: Map<string, string>) => boolean;

/** Makes one function of all rules; it gives undefined for a sample that is dropped. */
export function createRelabeler(configs: readonly RelabelConfig[]): (labels: Labels) => Labels | undefined {
  const rules = configs.map(ruleOf);
  return (labels) => {
    const map = new Map<string, string>();
    for (let at = 0; at < labels.length; at += 2) map.set(labels[at]!, labels[at + 1]!);
    return rules.every((rule) => rule(map)) ? [...map].flat() : undefined;
  };
}

function ruleOf(config: RelabelConfig): Rule {
  const { source_labels: sources, separator, action, target_label: target, modulus } = config;
  const expression = compileExpression(config.regex, { whole: true });
  const sourceOf = (labels: ReadonlyMap<string, string>): string =>
    sources.map((name) => labels.get(name) ?? "").join(separator);
  const setting =
    (compute: (source: string) => string): Rule =>
    (labels) => {
      labels.set(target, compute(sourceOf(labels)));
      return true;
    };
  switch (action) {
    case "keep":
      return (labels) => expression.match(sourceOf(labels)) !== undefined;
    case "drop":
      return (labels) => expression.match(sourceOf(labels)) === undefined;
    case "keepequal":
      return (labels) => sourceOf(labels) === (labels.get(target) ?? "");
    case "dropequal":
      return (labels) => sourceOf(labels) !== (labels.get(target) ?? "");
    case "lowercase":
      return setting((source) => source.toLowerCase());
    case "uppercase":
      return setting((source) => source.toUpperCase());
    case "hashmod":
      return setting((source) => String(hashOf(source) % BigInt(modulus ?? 1)));
    case "replace":
      return (labels) => replace(labels, sourceOf(labels), config, expression);
    default:
      return (labels) => renameLabels(labels, config, expression);
  }
}

/** The last eight bytes of the MD5, as Prometheus has it: shards of both agree. */
const hashOf = (text: string): bigint => createHash("md5").update(text).digest().readBigUInt64BE(8);

function replace(labels: Map<string, string>, source: string, config: RelabelConfig, expression: Expression): boolean {
  const groups = expression.match(source);
  if (groups === undefined) return true;
  const target = expandTemplate(config.target_label, groups, source);
  const value = expandTemplate(config.replacement, groups, source);
  if (value === "") labels.delete(target);
  else if (target !== "") labels.set(target, value);
  return true;
}

/** labelmap, labeldrop and labelkeep look at the labels' names. */
function renameLabels(
  labels: Map<string, string>,
  { action, replacement }: RelabelConfig,
  expression: Expression,
): boolean {
  // New labels are not looked at again.
  const before = [...labels];
  for (const [name, value] of before) {
    const groups: Groups | undefined = expression.match(name);
    if (action === "labelmap" && groups !== undefined) labels.set(expandTemplate(replacement, groups, name), value);
    if (action === "labeldrop" && groups !== undefined) labels.delete(name);
    if (action === "labelkeep" && groups === undefined && name !== "__name__") labels.delete(name);
  }
  return true;
}
