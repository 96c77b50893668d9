import { expect, test } from "vitest";

import { encodePage } from "./encode.ts";
import type { Family, Series } from "./model.ts";
import type { Format } from "./negotiate.ts";
import { createPage } from "./page.ts";

const TEXT: Format = { syntax: "text", version: "0.0.4", escaping: "underscores" };
const UTF8: Format = { syntax: "text", version: "1.0.0", escaping: "allow-utf-8" };
const OPENMETRICS: Format = { syntax: "openmetrics", version: "1.0.0", escaping: "underscores" };

async function textOf(page: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of page) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function written(format: Format, ...families: Family[]): Promise<string> {
  return textOf(encodePage(families, format));
}
const family = (name: string, type: Family["type"], series: Series[], unit = ""): Family => {
  const page = createPage({ maxSeries: 100, maxSeriesPerMetric: 100, maxLabelValue: 100 }, (reason) => {
    throw new Error(reason);
  });
  const declared = page.family({ name, type, help: `All of "${name}",\n\\really.`, unit });
  for (const each of series) declared.add(each);
  return page.families()[0]!;
};

test("a counter has its suffix in samples, and in OpenMetrics not in its name; times are in milliseconds or seconds", async () => {
  const labels = ["path", 'a\\b"c\nd', "u", "1"];
  const exemplar = { labels: ["trace_id", "abc"], value: 0.5, timestamp: 1.25 };
  const counter = family("requests_total", "counter", [{ labels, value: 3, timestamp: 12.5, created: 2, exemplar }]);
  expect(await written(TEXT, counter)).toBe(
    `# HELP requests_total All of "requests_total",\\n\\\\really.
# TYPE requests_total counter
requests_total{path="a\\\\b\\"c\\nd",u="1"} 3 12500
`,
  );
  expect(await written(OPENMETRICS, counter)).toBe(
    `# HELP requests All of \\"requests_total\\",\\n\\\\really.
# TYPE requests counter
requests_total{path="a\\\\b\\"c\\nd",u="1"} 3 12.5 # {trace_id="abc"} 0.5 1.25
requests_created{path="a\\\\b\\"c\\nd",u="1"} 2
# EOF
`,
  );
});

test("a counter without _total keeps its name, and is of unknown type to OpenMetrics", async () => {
  const counter = family("nginx_connections_accepted", "counter", [{ labels: [], value: 1, created: 5 }]);
  expect(await written(TEXT, counter)).toContain(
    "# TYPE nginx_connections_accepted counter\nnginx_connections_accepted 1\n",
  );
  expect(await written(OPENMETRICS, counter)).toMatch(
    /# TYPE nginx_connections_accepted unknown\nnginx_connections_accepted 1\n# EOF\n$/,
  );
});

test("a counter whose bare name another family has is of unknown type to OpenMetrics, so that names are unique", async () => {
  const page = await written(
    OPENMETRICS,
    family("x", "gauge", [{ labels: [], value: 1 }]),
    family("x_total", "counter", [{ labels: [], value: 2 }]),
  );
  expect(page).toContain("# TYPE x gauge\n");
  expect(page).toContain("# TYPE x_total unknown\n");
});

test("a histogram ends with +Inf, which is its count, and OpenMetrics writes whole bounds with a point", async () => {
  const buckets = [
    { le: 0.5, count: 1 },
    { le: 1, count: 2, exemplar: { labels: ["id", "x".repeat(200)], value: 1 } },
  ];
  const histogram = family("t_seconds", "histogram", [{ labels: ["a", "b"], buckets, sum: 1.5, count: 3 }], "seconds");
  expect(await written(TEXT, histogram)).toMatch(
    /\nt_seconds_bucket\{a="b",le="0.5"\} 1\nt_seconds_bucket\{a="b",le="1"\} 2\nt_seconds_bucket\{a="b",le="\+Inf"\} 3\nt_seconds_sum\{a="b"\} 1.5\nt_seconds_count\{a="b"\} 3\n$/,
  );
  const openMetrics = await written(OPENMETRICS, histogram);
  expect(openMetrics).toContain("# TYPE t_seconds histogram\n# UNIT t_seconds seconds\n");
  expect(openMetrics).toContain('le="1.0"} 2\n');
});

test("the other types are what each format has for them", async () => {
  const families = [
    family("build_info", "info", [{ labels: ["version", "1"], value: 1 }]),
    family("state", "stateset", [{ labels: ["state", "on"], value: 1 }]),
    family("size", "gaugehistogram", [{ labels: [], buckets: [], sum: 2, count: 1 }]),
    family("time", "summary", [{ labels: [], quantiles: [{ quantile: 1, value: NaN }], sum: -Infinity, count: 0 }]),
    family("else", "unknown", [{ labels: [], value: 1e21 }]),
  ].map((each) => ({ ...each, help: "" }));
  expect(await written(TEXT, ...families)).toBe(`# TYPE build_info gauge
build_info{version="1"} 1
# TYPE state gauge
state{state="on"} 1
# TYPE size histogram
size_bucket{le="+Inf"} 1
size_sum 2
size_count 1
# TYPE time summary
time{quantile="1"} NaN
time_sum -Inf
time_count 0
# TYPE else untyped
else 1e+21
`);
  expect(await written(OPENMETRICS, ...families)).toBe(`# TYPE build info
build_info{version="1"} 1
# TYPE state stateset
state{state="on"} 1
# TYPE size gaugehistogram
size_bucket{le="+Inf"} 1
size_gsum 2
size_gcount 1
# TYPE time summary
time{quantile="1.0"} NaN
time_sum -Inf
time_count 0
# TYPE else unknown
else 1e+21
# EOF
`);
});

test("names of any characters are quoted for who takes UTF-8, and escaped for others", async () => {
  const dotted = {
    ...family("my.metric", "gauge", [
      { labels: ["a.b", "c"], value: 1 },
      { labels: [], value: 2 },
    ]),
    help: "",
  };
  expect(await written(UTF8, dotted)).toBe('# TYPE "my.metric" gauge\n{"my.metric","a.b"="c"} 1\n{"my.metric"} 2\n');
  expect(await written(TEXT, dotted)).toBe('# TYPE my_metric gauge\nmy_metric{a_b="c"} 1\nmy_metric 2\n');
});

test("a series that becomes the same as another by escaping is left out, and told", async () => {
  const families = ["a.b", "a_b"].map((name) => family(name, "gauge", [{ labels: [], value: 1 }]));
  const collisions: string[] = [];
  const page = encodePage(families, TEXT, (reason, name) => collisions.push(`${name}: ${reason}`));
  expect((await textOf(page)).match(/# TYPE/g)).toHaveLength(1);
  expect(collisions).toEqual(["a_b: duplicate"]);
});
