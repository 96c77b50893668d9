// Endpoints that speak Prometheus already: merged into one page, relabelled, and none spoiling another.
import { startApp } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { startAdapter } from "./adapter.ts";

async function serve(text: string, contentType = "text/plain; version=0.0.4"): Promise<string> {
  const { address } = await startApp(
    (_, response) => response.writeHead(200, { "content-type": contentType }).end(text),
    { cleanup },
  );
  return `http://${address}/metrics`;
}

const PAGE = `# HELP http_requests_total Requests "so\\nfar".
# TYPE http_requests_total counter
http_requests_total{code="200",path="/a\\"b"} 3
http_requests_total{code="500",path="/"} 1 1700000000000
# TYPE latency_seconds histogram
latency_seconds_bucket{le="0.1"} 1
latency_seconds_bucket{le="+Inf"} 2
latency_seconds_sum 0.5
latency_seconds_count 2
# TYPE size summary
size{quantile="0.5"} 7
size_sum 7
size_count 1
no_type 1500
`;

test("what comes in goes out: text, histograms, summaries, times", async () => {
  const adapter = await startAdapter(cleanup, {
    config: { sources: [{ type: "prometheus", url: await serve(PAGE) }] },
  });
  const { text } = await adapter.page();
  for (const line of PAGE.split("\n").filter((line) => !line.startsWith("#"))) expect(text).toContain(`${line}\n`);
  expect(text).toContain('# HELP http_requests_total Requests "so\\nfar".\n# TYPE http_requests_total counter\n');
  expect(text).toContain("# TYPE no_type untyped\n");
});

test("OpenMetrics comes in and goes out with its exemplars, units and creation times", async () => {
  const page = `# TYPE jobs counter
# HELP jobs Jobs.
jobs_total{q="a"} 5 # {trace_id="x"} 1 1.5
jobs_created{q="a"} 1000.5
# TYPE wait_seconds histogram
# UNIT wait_seconds seconds
wait_seconds_bucket{le="1.0"} 1 # {trace_id="y"} 0.5
wait_seconds_bucket{le="+Inf"} 1
wait_seconds_sum 0.5
wait_seconds_count 1
# TYPE build info
build_info{v="1"} 1
# EOF
`;
  const type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
  const adapter = await startAdapter(cleanup, {
    config: { sources: [{ type: "prometheus", url: await serve(page, type) }] },
  });
  const { body } = await adapter.ask("/metrics", { accept: "application/openmetrics-text;version=1.0.0" });
  for (const line of page.split("\n").slice(0, -1)) expect(body).toContain(`${line}\n`);
});

test("two with the same names are merged, told apart by a label, and one that fails does not spoil the other", async () => {
  const one = "# TYPE up_since gauge\nup_since 1\nprocess_threads 3\n";
  const bad = await serve("this is not { a page\n");
  const config = {
    sources: [
      { type: "prometheus", name: "a", url: await serve(one) },
      { type: "prometheus", name: "b", url: await serve(one) },
      { type: "prometheus", name: "c", url: await serve("# TYPE up_since counter\nup_since 9\nfine 1\n") },
      { type: "prometheus", name: "bad", url: bad },
    ],
  };
  const adapter = await startAdapter(cleanup, { config });
  const { value, text } = await adapter.page();
  expect(text.match(/# TYPE up_since/g)).toHaveLength(1);
  expect([value("up_since", { source: "a" }), value("up_since", { source: "b" }), value("fine")]).toEqual([1, 1, 1]);
  expect([value("prometheus_up", { source: "a" }), value("prometheus_up", { source: "bad" })]).toEqual([1, 0]);
  expect(value("up_since", { source: "c" })).toBeUndefined();
  expect(await adapter.waitForLog("series left out")).toMatchObject({ reason: "conflict", metric: "up_since" });
  expect(await adapter.waitForLog("source cannot be read")).toMatchObject({
    error: expect.stringMatching(/^line 1: expected /),
  });
});

describe("relabelling", () => {
  test.each<[string, object[], string[]]>([
    ["drop", [{ source_labels: ["code"], regex: "5..", action: "drop" }], ['m_total{code="200",path="/a/b"} 1']],
    [
      "keep",
      [{ source_labels: ["__name__", "code"], separator: "@", regex: "m_total@5..", action: "keep" }],
      ['m_total{code="500",path="/c"} 2'],
    ],
    [
      "replace with groups",
      [{ source_labels: ["path"], regex: "/(.)(?:/(?P<rest>.*))?", target_label: "first", replacement: "${1}-$rest" }],
      ['m_total{code="200",path="/a/b",first="a-b"} 1', 'm_total{code="500",path="/c",first="c-"} 2'],
    ],
    [
      "rename",
      [{ source_labels: ["__name__"], regex: "m_total", target_label: "__name__", replacement: "n_total" }],
      ['n_total{code="200",path="/a/b"} 1', 'n_total{code="500",path="/c"} 2'],
    ],
    ["labeldrop", [{ regex: "pa.*", action: "labeldrop" }], ['m_total{code="200"} 1', 'm_total{code="500"} 2']],
    ["labelkeep", [{ regex: "code", action: "labelkeep" }], ['m_total{code="200"} 1', 'm_total{code="500"} 2']],
    [
      "labelmap",
      [{ regex: "(co)de", action: "labelmap", replacement: "x_$1" }],
      ['m_total{code="200",path="/a/b",x_co="200"} 1', 'm_total{code="500",path="/c",x_co="500"} 2'],
    ],
    [
      "an empty replacement",
      [{ source_labels: ["code"], regex: "200", target_label: "path", replacement: "" }],
      ['m_total{code="200"} 1', 'm_total{code="500",path="/c"} 2'],
    ],
    [
      "uppercase",
      [{ source_labels: ["path"], target_label: "path", action: "uppercase" }],
      ['m_total{code="200",path="/A/B"} 1', 'm_total{code="500",path="/C"} 2'],
    ],
    [
      "hashmod",
      [{ source_labels: ["path"], target_label: "shard", modulus: 1, action: "hashmod" }],
      ['m_total{code="200",path="/a/b",shard="0"} 1', 'm_total{code="500",path="/c",shard="0"} 2'],
    ],
    ["dropequal", [{ source_labels: ["code"], target_label: "code", action: "dropequal" }], []],
  ])("%s", async (_, metricRelabelConfigs, expected) => {
    const url = await serve(
      '# TYPE m_total counter\nm_total{code="200",path="/a/b"} 1\nm_total{code="500",path="/c"} 2\n',
    );
    const adapter = await startAdapter(cleanup, {
      config: { sources: [{ type: "prometheus", url, metricRelabelConfigs }] },
    });
    const lines = (await adapter.page()).text.split("\n").filter((line) => /^[mn]_/.test(line));
    expect(lines).toEqual(expected);
  });

  test("an expression that could run for ever runs no longer than any", async () => {
    const url = await serve(`m{a="${"a".repeat(3000)}!"} 1\n`);
    const metricRelabelConfigs = [{ source_labels: ["a"], regex: "(a*)*(a*)*b", action: "drop" }];
    const adapter = await startAdapter(cleanup, {
      config: { sources: [{ type: "prometheus", url, metricRelabelConfigs }] },
    });
    expect((await adapter.page()).value("m")).toBe(1);
  });
});
