// Formats of the user's own, explain, and tests in the configuration: the adapter from outside.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { repository, tempDir } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { startFilter } from "./filter.ts";

const CONFIG = `
formats:
  - name: shop
    grok: '^%{WORD:level}/%{WORD:part} at %{TIMESTAMP_ISO8601:time}: %{GREEDYDATA:message}'
tests:
  - name: a line of the shop
    lines: 'warn/cart at 2006-01-02T15:04:05Z: it is full'
    expect:
      - Timestamp: '2006-01-02T15:04:05.000Z'
        SeverityNumber: 13
        Body: it is full
        Attributes: {part: cart, log.format: shop}
`;
const LINE = "warn/cart at 2006-01-02T15:04:05Z: it is full\n";

function configIn(text: string): string {
  const path = join(tempDir(cleanup), "config.yaml");
  writeFileSync(path, text);
  return path;
}

test("a format of the user's own takes part in detection, and comes first", async () => {
  const filter = startFilter(cleanup, ["--config", configIn(CONFIG)]);
  const { records } = await filter.end(`${LINE}2006-01-02 15:04:05,000 INFO [main] app.Main: ready\n`);
  expect(records.map(({ Body, Attributes }) => [Body, Attributes["log.format"]])).toEqual([
    ["it is full", "shop"],
    ["ready", "text"],
  ]);
});

test("with a format that is asked for, lines of others pass as they are, flagged", async () => {
  const { records } = await startFilter(cleanup, ["--format", "logfmt"]).end(`level=warn msg="low"\n${LINE}`);
  expect(records.map(({ Body, Attributes }) => [Body, Attributes["log.flags"]])).toEqual([
    ["low", undefined],
    [LINE.trim(), ["unparsed"]],
  ]);
});

test("parsers of fluent-bit can be used, and one that cannot is told while the others serve", async () => {
  const parsers = configIn(
    "[PARSER]\n  Name shop\n  Format regex\n  Regex ^(?<level>\\w+)/(?<part>\\w+) at (?<time>\\S+): (?<message>.*)$\n" +
      "[PARSER]\n  Name odd\n  Format regex\n  Regex ^(?=a)b\n",
  );
  const { records, errors } = await startFilter(cleanup, ["--format-files", parsers]).end(LINE);
  expect(records[0]).toMatchObject({ Body: "it is full", Attributes: { "log.format": "shop", part: "cart" } });
  expect(errors).toContain("looking ahead or behind is not possible at character 2");
});

test("tests in the configuration are run by --check-config: what is as expected passes", async () => {
  const { code, output } = await startFilter(cleanup, ["--check-config", "--config", configIn(CONFIG)]).end();
  expect([code, output.trim()]).toEqual([0, "the configuration is usable"]);
});

test("a test whose record is another is told with what was expected, and nothing starts", async () => {
  const broken = CONFIG.replace("SeverityNumber: 13", "SeverityNumber: 17").replace("part: cart", "part: till");
  const { code, errors } = await startFilter(cleanup, ["--config", configIn(broken)]).end(LINE);
  expect(code).toBe(2);
  expect(errors).toContain("a line of the shop: record 1: SeverityNumber: expected 17, got 13");
  expect(errors).toContain('a line of the shop: record 1: Attributes.part: expected "till", got "cart"');
});

test("what is wrong with formats is told, all at once", async () => {
  const config = configIn("formats:\n  - {name: a, regexp: 'x('}\n  - {name: b, grok: '%{NOPE:x}'}\n");
  const args = ["--config", config, "--format", "jsn", "--format-files", "/nowhere/parsers.conf"];
  const { code, errors } = await startFilter(cleanup, args).end();
  expect(code).toBe(2);
  for (const problem of [
    "a: regexp: missing closing ) at character 2",
    "b: grok: expected the name of a pattern, got NOPE at character 1",
    "got jsn (did you mean json?)",
    "/nowhere/parsers.conf: ENOENT",
  ]) {
    expect.soft(errors).toContain(problem);
  }
});

test("explain shows for each record its lines, what was considered with which score, and the record", async () => {
  const trace = "2006-01-02 15:04:05,000 ERROR [main] a.B: no\njava.io.IOException: disk\n\tat a.B.run(B.java:1)\n";
  const { code, output } = await startFilter(cleanup, ["explain", "--config", configIn(CONFIG)], []).end(LINE + trace);
  expect(code).toBe(0);
  const [own, text] = output
    .trim()
    .split("\n")
    .map(
      (line) =>
        JSON.parse(line) as { lines: string[]; considered: { format: string; score: number }[]; record: object },
    );
  expect(own!.considered[0]).toMatchObject({ format: "shop" });
  expect(own!.considered[0]!.score).toBeGreaterThan(own!.considered.at(-1)!.score);
  expect(text!.lines).toHaveLength(3);
  expect(text!.record).toMatchObject({ Body: trace.trim().slice("2006-01-02 15:04:05,000 ERROR [main] a.B: ".length) });
  expect(text!.considered.find(({ format }) => format === "text")!.score).toBeGreaterThan(50);
  expect(text!.considered.find(({ format }) => format === "redis")!.score).toBe(0);
});

test("the formats of the example pass their own tests", async () => {
  const example = join(repository, "containers", "log-adapter", "examples", "formats.yaml");
  const { code, errors } = await startFilter(cleanup, ["--check-config", "--config", example]).end();
  expect([code, errors]).toEqual([0, ""]);
});

test("records are redacted, dropped and limited as the configuration says, and explain says why one is missing", async () => {
  const example = join(repository, "containers", "log-adapter", "examples", "processing.yaml");
  const lines =
    'level=error msg="customer-17 a@b.example password=hunter2" usr=me\n' +
    '10.0.0.1 - - [02/Jan/2006:15:04:05 +0000] "GET /healthz HTTP/1.1" 200 2\n' +
    Array.from({ length: 20 }, (_, i) => `level=info msg="number ${i}"\n`).join("");
  const { records } = await startFilter(cleanup, ["--config", example]).end(lines);
  expect(records.map(({ Body }) => Body)).toEqual([
    "customer-* [redacted] password=[redacted]",
    "number 0",
    "number 10",
  ]);
  const { output } = await startFilter(cleanup, ["explain", "--config", example], []).end(lines);
  expect(output).toContain('"dropped":"rule"');
  expect(output).toContain('"dropped":"sampled"');
});

test("what is wrong with rules and redactions is told", async () => {
  const config = configIn("redactions: [{regexp: 'x('}]\nrules: [{if: {body: '['}, drop: true}]\n");
  const { code, errors } = await startFilter(cleanup, ["--config", config]).end();
  expect(code).toBe(2);
  expect(errors).toContain("redactions: missing closing ) at character 2");
  expect(errors).toContain("rules: missing closing ]");
});

test("attributes of the resource come from files as the downward API writes them, and from flags before these", async () => {
  const folder = tempDir(cleanup);
  writeFileSync(join(folder, "labels"), 'app="shop"\nnote="a \\"b\\""\n');
  writeFileSync(join(folder, "podinfo"), 'k8s.pod.name="shop-1"\nservice.name="file"\n');
  const files = ["--resource-file", join(folder, "labels"), "--resource-file", join(folder, "podinfo")];
  const { records } = await startFilter(cleanup, [...files, "--resource", "service.name=flag"]).end("hello\n");
  expect(records[0]).toMatchObject({
    Resource: {
      "k8s.pod.label.app": "shop",
      "k8s.pod.label.note": 'a "b"',
      "k8s.pod.name": "shop-1",
      "service.name": "flag",
    },
  });
});
