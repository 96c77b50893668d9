// Statistics as JSON: json_exporter's modules as they are, and what goes beyond them.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { runContainer, startApp, tempDir } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { startAdapter } from "./adapter.ts";

const DOCUMENT = {
  counter: 1234,
  timestamp: 1657568506,
  location: "mars",
  values: [
    { id: "id-A", count: 1, some_boolean: true, state: "ACTIVE" },
    { id: "id-B", count: 2, some_boolean: true, state: "INACTIVE" },
    { id: "id-C", count: 3, some_boolean: false, state: "ACTIVE" },
  ],
  pools: { main: { size: 5, free: "2" }, spare: { size: 1, free: "0" } },
  health: "degraded",
  started: "2026-01-02T03:04:05.500Z",
  average: "12.5ms",
  twice: [
    { n: "x", v: 1 },
    { n: "x", v: 2 },
    { n: "y", v: 4 },
  ],
};

type Asked = { method: string; headers: Record<string, unknown>; body: string };

async function serve(document: unknown = DOCUMENT, status = 200): Promise<{ url: string; asked: Asked[] }> {
  const asked: Asked[] = [];
  const { address } = await startApp(
    async (incoming, response) => {
      let body = "";
      for await (const chunk of incoming) body += String(chunk);
      asked.push({ method: incoming.method ?? "", headers: incoming.headers, body });
      response.writeHead(status, { "content-type": "application/json" });
      response.end(typeof document === "string" ? document : JSON.stringify(document));
    },
    { cleanup },
  );
  return { url: `http://${address}/stats`, asked };
}

/** The lines of our own metrics on the page. */
async function linesOf(source: object): Promise<string[]> {
  const adapter = await startAdapter(cleanup, { config: { sources: [{ type: "json", ...source }] } });
  return (await adapter.page()).text.split("\n").filter((line) => /^(m|example)_?/.test(line));
}

const MODULES = `modules:
  default:
    headers: {X-Dummy: my-test-header}
    metrics:
    - name: example_global_value
      path: '{ .counter }'
      help: Example of a top-level value
      valuetype: gauge
      labels: {environment: beta, location: 'planet-{.location}'}
    - name: example_timestamped_value
      type: object
      path: '{ .values[?(@.state == "INACTIVE")] }'
      epochTimestamp: '{ .timestamp }'
      labels: {environment: beta}
      values: {count: '{.count}'}
    - name: example_value
      type: object
      path: '{.values[?(@.state == "ACTIVE")]}'
      labels: {id: '{.id}'}
      values: {active: 1, count: '{.count}', boolean: '{.some_boolean}'}
    - name: example_missing
      path: '{ .nope }'
      allow_missing_key: true
  secured:
    http_client_config:
      basic_auth: {username: user, password: hunter2-hunter2}
    body: {content: '{"query":"all"}'}
    valid_status_codes: [418]
    metrics: [{name: example_counter, path: '{.counter}', valuetype: counter}]
`;

function modulesFile(text = MODULES): string {
  const file = join(tempDir(cleanup), "json.yml");
  writeFileSync(file, text);
  return file;
}

describe("json_exporter's modules", () => {
  test("are read as they are", async () => {
    const { url, asked } = await serve();
    expect(await linesOf({ url, modulesFile: modulesFile() })).toEqual([
      'example_global_value{environment="beta",location="planet-mars"} 1234',
      'example_timestamped_value_count{environment="beta"} 2',
      'example_value_active{id="id-A"} 1',
      'example_value_active{id="id-C"} 1',
      'example_value_count{id="id-A"} 1',
      'example_value_count{id="id-C"} 3',
      'example_value_boolean{id="id-A"} 1',
      'example_value_boolean{id="id-C"} 0',
    ]);
    expect(asked[0]!.headers["x-dummy"]).toBe("my-test-header");
  });

  test("say with what credentials, what body and for which status", async () => {
    const { url, asked } = await serve(DOCUMENT, 418);
    expect(await linesOf({ url, modulesFile: modulesFile(), module: "secured" })).toEqual(["example_counter 1234"]);
    expect(asked[0]).toMatchObject({ method: "POST", body: '{"query":"all"}' });
    expect(asked[0]!.headers["authorization"]).toBe(`Basic ${btoa("user:hunter2-hunter2")}`);
  });

  test("are the modules of /probe where the configuration says so", async () => {
    const { url } = await serve();
    const file = modulesFile();
    const config = { modules: { app: { type: "json", modulesFile: file } }, probeTargets: ["127.0.0.1:*"] };
    const adapter = await startAdapter(cleanup, { config });
    expect((await adapter.ask(`/probe?module=app&target=${url}`)).body).toContain("\nexample_value_count{");
    writeFileSync(file, "modules: 7");
    const { status, body } = await adapter.ask(`/probe?module=app&target=${url}`);
    expect([status, body]).toEqual([500, expect.stringContaining("module: expected app to be usable, got ")]);
  });

  test.each([
    [
      "a key that there is not",
      "modules:\n  default:\n    metrics:\n    - name: x\n      pth: y\n",
      ":4:7: modules.default.metrics.0.path: expected",
    ],
    [
      "a path that is none",
      "modules:\n  default:\n    metrics:\n    - {name: x, path: '{.a['}\n",
      ":4:23: modules.default.metrics.0.path: expected a path",
    ],
    [
      "an expression that is none",
      "modules:\n  default:\n    metrics:\n    - name: x\n      path: '{.a}'\n      regex: a(\n",
      ":6:14: modules.default.metrics.0.regex: expected a regular expression",
    ],
    ["what is no YAML", "modules:\n  default: [\n", ":3:1: expected YAML"],
    ["a module that there is not", "modules: {other: {}}\n", "expected a module default, got other"],
  ])("with %s are refused with the line and the column", async (_, text, problem) => {
    const args = ["--check-config", "--json", "http://127.0.0.1:1/", "--json-modules-file", modulesFile(text)];
    const ended = await runContainer({ name: "metrics-adapter", args, cleanup });
    expect(ended.stderr).toContain(problem);
    expect(ended.code).toBe(2);
  });
});

describe("beyond them", () => {
  test.each<[string, object, string[]]>([
    [
      "keys are labels",
      { path: "{.pools}", type: "object", key_label: "pool", values: { size: "{.size}", free: "{.free}" } },
      ['m_size{pool="main"} 5', 'm_size{pool="spare"} 1', 'm_free{pool="main"} 2', 'm_free{pool="spare"} 0'],
    ],
    [
      "members of an object are values",
      { path: "{.pools.main}", key_label: "what" },
      ['m{what="size"} 5', 'm{what="free"} 2'],
    ],
    [
      "fields of what is around are labels",
      { path: "{.values[*].count}", parent_labels: { id: "{.id}" }, root_labels: { at: "{.location}" } },
      ['m{id="id-A",at="mars"} 1', 'm{id="id-B",at="mars"} 2', 'm{id="id-C",at="mars"} 3'],
    ],
    ["texts stand for numbers", { path: "{.health}", value_map: { ok: 1, degraded: 0.5 } }, ["m 0.5"]],
    [
      "an expression finds the number, and a factor makes it a base unit",
      { path: "{.average}", regex: "^([\\d.]+)ms$", scale: 0.001 },
      ["m 0.0125"],
    ],
    ["a time is seconds", { path: "{.started}", time: true }, ["m 1767323045.5"]],
    [
      "the first of duplicates",
      { path: "{.twice}", type: "object", labels: { n: "{.n}" }, values: { v: "{.v}" } },
      ['m_v{n="x"} 1', 'm_v{n="y"} 4'],
    ],
    [
      "the last of duplicates",
      { path: "{.twice}", type: "object", labels: { n: "{.n}" }, values: { v: "{.v}" }, duplicates: "last" },
      ['m_v{n="x"} 2', 'm_v{n="y"} 4'],
    ],
    [
      "the sum of duplicates",
      { path: "{.twice}", type: "object", labels: { n: "{.n}" }, values: { v: "{.v}" }, duplicates: "sum" },
      ['m_v{n="x"} 3', 'm_v{n="y"} 4'],
    ],
  ])("%s", async (_, metric, expected) => {
    const { url } = await serve();
    expect(await linesOf({ url, metrics: [{ name: "m", ...metric }] })).toEqual(expected);
  });

  test("a metric that is not as it should be costs itself only, and is named once", async () => {
    const { url } = await serve();
    const metrics = [
      { name: "m_bad", path: "{.location}" },
      { name: "m_gone", path: "{.gone}" },
      { name: "m_good", path: "{.counter}" },
    ];
    const adapter = await startAdapter(cleanup, { config: { sources: [{ type: "json", url, metrics }] } });
    for (let round = 0; round < 2; round++) expect((await adapter.page()).value("m_good")).toBe(1234);
    expect((await adapter.page()).value("json_up")).toBe(1);
    const told = adapter.logs().filter(({ msg }) => msg === "metric left out");
    expect(told.map(({ reason }) => reason)).toEqual([
      'm_bad: expected a number, got "mars"',
      "m_gone: expected something at {.gone}, got nothing",
    ]);
  });

  test("without any module, all numbers are shown under their paths", async () => {
    const { url } = await serve({ upTime: 5, "Odd Name!": { ok: true, text: "x", deep: { n: 1.5 } }, list: [1] });
    const adapter = await startAdapter(cleanup, { args: ["--json", url] });
    const { text, value } = await adapter.page();
    expect(text).toContain("# TYPE json_up_time untyped\n");
    expect([value("json_up_time"), value("json_odd_name_ok"), value("json_odd_name_deep_n")]).toEqual([5, 1, 1.5]);
  });
});

test.each([
  ["no JSON", "<html>", 200],
  ["an error", "{}", 500],
])("an application that answers %s is down", async (_, body, status) => {
  const { url } = await serve(body, status);
  const adapter = await startAdapter(cleanup, { args: ["--json", url] });
  expect((await adapter.page()).value("json_up")).toBe(0);
});
