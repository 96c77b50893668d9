// Which names of an expression of Prometheus no metric has.
import type { Metric } from "@outrigger/runtime";

/** Labels that Prometheus and its operator add, and those of a histogram's parts. */
const ADDED = ["namespace", "pod", "instance", "le", "exported_container", "exported_job"];
const WORDS = new Set(["sum", "min", "max", "by", "on", "and", "or", "unless", "without", "ignoring", "bool"]);

/** Metrics, labels and label values in the expression that the tables do not have, in the order in which they stand. */
export function unknownNames(expression: string, metrics: readonly Metric[]): string[] {
  const series = new Map(metrics.flatMap((metric) => namesOf(metric).map((name) => [name, metric])));
  const labels = new Set([...ADDED, ...metrics.flatMap((metric) => Object.keys(metric.labels))]);
  const unknown: string[] = [];
  const tokens = expression.matchAll(
    /\b(?:by|on|without|ignoring) \(([^)]*)\)|\b([a-z_][\w]*)\b(?!\()(?:\{([^}]*)\})?(?:\[\w+\])?|\[\w+\]/g,
  );
  for (const [, listed, name, matchers] of tokens) {
    for (const label of (listed ?? "").split(",").map((each) => each.trim())) {
      if (label !== "" && !labels.has(label)) unknown.push(label);
    }
    if (name === undefined || WORDS.has(name)) continue;
    const metric = series.get(name);
    if (metric === undefined) unknown.push(name);
    else unknown.push(...wrongMatchers(matchers ?? "", metric));
  }
  return unknown;
}

const namesOf = ({ name, type }: Metric): string[] =>
  type === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];

/** The matchers of a selector whose label the metric has not, or whose values it never has. */
function wrongMatchers(text: string, { labels }: Metric): string[] {
  return [...text.matchAll(/(\w+)(=~|!~|!=|=)"([^"]*)"/g)].flatMap(([matcher, name = "", , value = ""]) => {
    const known = labels[name.replace(/^exported_/, "")];
    if (known === undefined) return [matcher];
    const isPossible = typeof known === "string" || value.split("|").every((each) => known.includes(each));
    return isPossible ? [] : [matcher];
  });
}
