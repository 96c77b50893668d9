// The metric table: name, meaning and labels of every metric, once. The registry, the documentation and the tests are
// projections of it; the hot path holds cells, which are places in an array of numbers.

/** Labels with all their values. A label whose values are only known at run time has a description instead. */
export type Labels = Readonly<Record<string, readonly string[] | string>>;

export type Metric<L extends Labels = Labels> = {
  readonly type: "counter" | "gauge" | "histogram";
  /** The full literal name, `<container>_<noun>_<unit>_total`, so that a search of the code finds it. */
  readonly name: string;
  readonly help: string;
  readonly labels: L;
  /** Upper bounds of a histogram's buckets, ascending, without +Inf. */
  readonly buckets: readonly number[];
};

export type MetricTable = Readonly<Record<string, Metric>>;

const describe =
  (type: Metric["type"]) =>
  <const L extends Labels = Record<never, never>>(name: string, help: string, labels: L = {} as L): Metric<L> => ({
    type,
    name,
    help,
    labels,
    buckets: [],
  });

export const counter = describe("counter");
export const gauge = describe("gauge");

export function histogram<const L extends Labels = Record<never, never>>(
  name: string,
  help: string,
  { buckets, labels = {} as L }: { buckets: readonly number[]; labels?: L },
): Metric<L> {
  return { type: "histogram", name, help, labels, buckets };
}

/** Whether all series of a metric are known beforehand, so that they are present (at zero) from the first scrape. */
export const isClosed = (metric: Metric): boolean =>
  Object.values(metric.labels).every((values) => typeof values !== "string");

/** All combinations of a closed metric's label values, in table order. */
export function seriesOf(metric: Metric): Record<string, string>[] {
  let series: Record<string, string>[] = [{}];
  for (const [label, values] of Object.entries(metric.labels)) {
    series = series.flatMap((labels) => (values as readonly string[]).map((value) => ({ ...labels, [label]: value })));
  }
  return series;
}

/** The metrics table of a README. */
export function metricsMarkdown(table: MetricTable): string {
  const rows = Object.values(table).map(({ name, type, labels, help }) => {
    const described = Object.entries(labels).map(([label, values]) =>
      typeof values === "string" ? `\`${label}\`: ${values}` : `\`${label}\`: ${values.join(", ")}`,
    );
    return `| \`${name}\` | ${type} | ${described.join("; ")} | ${help} |`;
  });
  return ["| metric | type | labels | meaning |", "|---|---|---|---|", ...rows].join("\n");
}
