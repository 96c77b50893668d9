import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { encodePage } from "../../exposition/encode.ts";
import { createPage } from "../../exposition/page.ts";
import { createSection } from "../../section.ts";
import { parseYaml } from "../../yaml-file.ts";
import { createMapper } from "../push/mapper.ts";
import { mappingFile } from "../push/mapping-file.ts";
import { createStore } from "../push/store.ts";
import { createIngest } from "./ingest.ts";

function setUp(mapping = "{}", { maxSeries = 1000, styles = {} } = {}) {
  const loaded = parseYaml(mapping, "mapping.yml", mappingFile);
  if (loaded.problems !== undefined) throw new Error(loaded.problems.join());
  let time = 1_000_000;
  const now = (): number => time;
  const store = createStore({ maxSeries, now });
  const all = { dogstatsd: true, influxdb: true, librato: true, signalfx: true, ...styles };
  const ingest = createIngest({ mapper: createMapper(loaded.value), store, styles: all, cacheSize: 100, now });
  const lines = async (): Promise<string[]> => {
    const left: string[] = [];
    const page = createPage({ maxSeries: 10_000, maxSeriesPerMetric: 10_000, maxLabelValue: 10_000 }, (reason) =>
      left.push(reason),
    );
    await store.collect(createSection(page, [], undefined));
    expect(left).toEqual([]);
    let text = "";
    for await (const chunk of encodePage(page.families(), {
      syntax: "text",
      version: "0.0.4",
      escaping: "underscores",
    }))
      text += chunk.toString();
    return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  };
  return { ingest, lines, pass: (milliseconds: number) => void (time += milliseconds) };
}

const linesOf = async (text: string, mapping = "{}"): Promise<string[]> => {
  const { ingest, lines } = setUp(mapping);
  ingest.take(text);
  return lines();
};

describe("lines", () => {
  test.each([
    ["a counter", "a.b:2|c\na.b:3|c", ["a_b 5"]],
    ["a counter of which one in ten was sent", "a:1|c|@0.1", ["a 10"]],
    ["a gauge, and changes of it", "a:5|g\na:+3|g\na:-1|g", ["a 7"]],
    ["DogStatsD's tags", "a:1|c|#x:y,z:w v,bare", ['a{x="y",z="w v"} 1']],
    ["InfluxDB's tags", "a,x=y,z=w:1|c", ['a{x="y",z="w"} 1']],
    ["Librato's tags", "a#x=y,z=w:1|c", ['a{x="y",z="w"} 1']],
    ["SignalFX' tags, which may stand within the name", "a[x=y,z=w].b:1|c", ['a_b{x="y",z="w"} 1']],
    ["several values of one name", "a:1:2:3|c", ["a 6"]],
    ["several values with tags", "a:1:2|c|#x:y", ['a{x="y"} 3']],
    ["several samples of one name", "a:1|c:2|c|@0.5:3|c", ["a 8"]],
    ["a container's id, a time and external data", "a:1|c|c:abc|T1656581400|e:it-false", ["a 1"]],
    ["a set", "a:x|s\na:y|s\na:x|s", ["a 2"]],
    ["a name that begins with a digit", "1x:1|c", ["_1x 1"]],
    ["line ends of Windows, and empty lines", "a:1|c\r\n\r\n\na:1|c\r\n", ["a 2"]],
  ])("%s", async (_, text, expected) => expect(await linesOf(text)).toEqual(expected));

  test("a timer comes in milliseconds and is shown in seconds; what was sampled counts as often as it stands for", async () => {
    const lines = await linesOf("t:100|ms\nt:300|ms|@0.5\nh:7|h\nd:9|d");
    expect(lines).toContain("t_sum 0.7");
    expect(lines).toContain("t_count 3");
    expect(lines).toEqual(expect.arrayContaining(["h_sum 7", "d_sum 9"]));
    const median = Number(/quantile="0.5"\} (\S+)/.exec(lines.join("\n"))![1]);
    expect(Math.abs(median - 0.3)).toBeLessThan(0.3 * 0.006);
  });

  test.each([
    ["a:1", "not_enough_parts_after_colon"],
    ["nonsense", "malformed_line"],
    [`${"a".repeat(5000)}:1|c`, "malformed_line"],
    ["a:x|c", "malformed_value"],
    ["a:|c", "malformed_value"],
    ["a:1|q", "illegal_event"],
    ["a:1|c|@x", "invalid_sample_factor"],
    ["a:1|c|@0", "invalid_sample_factor"],
    ["a:1|c|?", "malformed_component"],
    ["a,x=y:1|c|#z:w", "mixed_tagging_styles"],
  ] as const)("%s is counted as %s", async (line, error) => {
    const { ingest, lines } = setUp();
    ingest.take(`${line}\nfine:1|c`);
    expect([...ingest.counts.sampleErrors]).toEqual([[error, 1]]);
    expect(await lines()).toContain("fine 1");
  });

  test("a style of tags that is switched off is part of the name", async () => {
    const { ingest, lines } = setUp("{}", { styles: { influxdb: false } });
    ingest.take("a,x=y:1|c");
    expect(await lines()).toEqual(["a_x_y 1"]);
  });

  test("whatever comes, it is taken or counted, and the page is one", async () => {
    const part = fc.constantFrom(
      "a",
      ":",
      "|",
      "#",
      ",",
      "=",
      "[",
      "]",
      "1",
      "-",
      "@",
      "0.5",
      "c",
      "ms",
      "g",
      "s",
      "h",
      "\n",
      ".",
      "é",
      '"',
      "\\",
      "\u0000",
    );
    const check = fc.asyncProperty(fc.array(part, { maxLength: 60 }), async (parts) => {
      const { ingest, lines } = setUp();
      ingest.take(parts.join(""));
      await lines();
    });
    await fc.assert(check, { numRuns: 2000 });
  });
});

describe("rules", () => {
  const RULES = `
defaults: {observer_type: histogram, histogram_options: {buckets: [0.1, 1]}, ttl: 1m}
mappings:
- match: "test.dispatcher.*.*.*"
  name: "dispatcher_events_total"
  labels: {processor: "$1", action: "$2", outcome: "\${3}_x", job: "test_dispatcher"}
- match: "*.signup.*.*"
  name: "signup_events_total"
  labels: {provider: "$2", outcome: "$3", job: "\${1}_server"}
- match: 'servers\\.(.*)\\.networking\\.subnetworks\\.transmissions\\.([a-z0-9-]+)\\.(.*)'
  match_type: regex
  name: "servers_networking_transmissions_\${3}"
  labels: {hostname: "\${1}", device: "\${2}"}
- match: "time.*"
  match_metric_type: observer
  name: "time_seconds"
  scale: 2
  labels: {what: "$1"}
- match: "time.*"
  match_metric_type: counter
  name: "time_events"
- match: "secret.*"
  action: drop
  name: "dropped"
- match: "honest.*"
  name: "honest"
  honor_labels: true
  labels: {tag: "rule"}
- match: "dishonest.*"
  name: "dishonest"
  labels: {tag: "rule"}
`;

  test("make names and labels of parts, by globs and by expressions; others keep their own names", async () => {
    const lines = await linesOf(
      "test.dispatcher.FooProcessor.send.success:1|c\nfoo.signup.facebook.failure:1|c\nservers.rack-003.networking.subnetworks.transmissions.eth0.total:7|g\nother.x:1|c",
      RULES,
    );
    expect(lines).toEqual([
      'dispatcher_events_total{processor="FooProcessor",action="send",outcome="success_x",job="test_dispatcher"} 1',
      'signup_events_total{provider="facebook",outcome="failure",job="foo_server"} 1',
      'servers_networking_transmissions_total{hostname="rack-003",device="eth0"} 7',
      "other_x 1",
    ]);
  });

  test("are by type, scale values, make histograms, and drop", async () => {
    const lines = await linesOf("time.a:250|ms\ntime.a:1|c\nsecret.x:1|c", RULES);
    expect(lines).toEqual([
      'time_seconds_bucket{what="a",le="0.1"} 0',
      'time_seconds_bucket{what="a",le="1"} 1',
      'time_seconds_bucket{what="a",le="+Inf"} 1',
      'time_seconds_sum{what="a"} 0.5',
      'time_seconds_count{what="a"} 1',
      "time_events 1",
    ]);
  });

  test("win over tags, unless they honour them", async () => {
    const lines = await linesOf("honest.a:1|c|#tag:own\ndishonest.a:1|c|#tag:own", RULES);
    expect(lines).toEqual(['honest{tag="own"} 1', 'dishonest{tag="rule"} 1']);
  });

  test("let series go that are not sent for their time, and begin anew with the next", async () => {
    const { ingest, lines, pass } = setUp(RULES);
    ingest.take("gone:5|c\nstays:1|c");
    pass(40_000);
    ingest.take("stays:1|c");
    pass(40_000);
    expect(await lines()).toEqual(["stays 2"]);
    ingest.take("gone:1|c");
    expect(await lines()).toContain("gone 1");
  });

  test.each([
    ["mappings: [{match: a}]", "mapping.yml:1:12: mappings.0.name: expected a name"],
    [
      "mappings:\n- match: 'a('\n  match_type: regex\n  name: x",
      "mapping.yml:2:10: mappings.0.match: expected a regular expression",
    ],
    ["mappings:\n- match: a\n  name: x\n  lables: {}", "mapping.yml:4:11: mappings.0.lables: expected a known key"],
    ["defaults: {ttl: soon}", "mapping.yml:1:17: defaults.ttl: expected a duration"],
  ])("%s is refused with its place", (mapping, problem) => expect(() => setUp(mapping)).toThrow(problem));
});

test("a name that is used for two types keeps the first, and the others are counted", async () => {
  const { ingest, lines } = setUp();
  ingest.take("a:1|c\na:2|g\na:3|ms\na:4|c");
  expect(ingest.counts.conflicts).toEqual({ counter: 0, gauge: 1, observer: 1, set: 0 });
  expect(await lines()).toEqual(["a 5"]);
});

test("counters that go down, and series that are one too many, are counted", async () => {
  const { ingest, lines } = setUp("{}", { maxSeries: 2 });
  ingest.take("a:-1|c\na:1|c\nb:1|c\nc:1|c\nc:1|c\na:1|c");
  expect(ingest.counts).toMatchObject({ negativeCounters: 1, full: 2 });
  expect(await lines()).toEqual(["a 2", "b 1"]);
});

test("native histograms have the resolution that the factor asks for, and lose it when there are too many buckets", async () => {
  const { createNativeBuckets } = await import("../push/native-buckets.ts");
  const fine = createNativeBuckets({ factor: 1.1, maxBuckets: 256 });
  for (const value of [1, 1, 2, -4, 0]) fine.observe(value, 1);
  expect(fine.read()).toMatchObject({
    schema: 3,
    zeroCount: 1,
    positive: {
      spans: [
        { offset: 0, length: 1 },
        { offset: 7, length: 1 },
      ],
      deltas: [2, -1],
    },
    negative: { spans: [{ offset: 16, length: 1 }], deltas: [1] },
  });
  const coarse = createNativeBuckets({ factor: 1.1, maxBuckets: 10 });
  for (let value = 1; value < 1e6; value *= 1.3) coarse.observe(value, 1);
  const { schema, positive } = coarse.read();
  expect(schema).toBeLessThan(0);
  expect(positive.deltas.length).toBeLessThanOrEqual(10);
});
