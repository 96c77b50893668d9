import { expect, test } from "vitest";

import { createReading, resetReading } from "../reading.ts";
import { createTimeReader } from "../timestamp.ts";
import { importFormats } from "./imports.ts";
import { compileOwnFormat, ownFormat } from "./own.ts";
import { compileTimeFormat } from "./time-format.ts";

const times = createTimeReader({ zone: "UTC", now: () => Date.parse("2026-11-22T12:00:00Z") });

/** Time, severity, body and attributes of a line by a format; nothing where it does not fit. */
function read(format: object, line: string, grokPatterns = {}): unknown[] | undefined {
  const reading = createReading();
  resetReading(reading, line);
  const { read: readLine } = compileOwnFormat(ownFormat.parse({ name: "shop", ...format }), grokPatterns);
  if (!readLine(line, reading, times)) return undefined;
  const { ms, severityNumber, body, attributes } = reading;
  return [Number.isNaN(ms) ? "" : new Date(ms).toISOString(), severityNumber, body, attributes];
}

test("a regular expression's groups are time, level and message by their usual names, and the rest attributes", () => {
  const regexp = "^(?<time>\\S+ \\S+) <(?<level>\\w+)> (?<shop>\\w+): (?<message>.*)$";
  expect(read({ regexp }, "2006-01-02 15:04:05 <warn> north: it is full")).toEqual([
    "2006-01-02T15:04:05.000Z",
    13,
    "it is full",
    ["shop", "north"],
  ]);
  expect(read({ regexp }, "something else")).toBeUndefined();
});

test("other names, a time of its own form and levels of its own are as the format says", () => {
  const format = {
    grok: "^%{DATA:when}\\|%{INT:grade}\\|%{ORDER:order:int}\\|%{GREEDYDATA:said}",
    time: "when",
    timeFormat: "%d.%m.%y %H-%M-%S.%L",
    level: "grade",
    levels: { 7: "error", 3: "debug" },
    body: "said",
  };
  expect(read(format, "02.01.06 15-04-05.123|7|12|it broke", { ORDER: "[0-9]+" })).toEqual([
    "2006-01-02T15:04:05.123Z",
    17,
    "it broke",
    ["order", 12],
  ]);
});

test("fields of JSON objects are known by the names that the format gives them, also within others", () => {
  const format = { json: true, time: "meta.when", level: "grade", body: "said" };
  expect(read(format, '{"meta":{"when":1136214245123},"grade":"WARN","said":"low","a":1}')).toEqual([
    "2006-01-02T15:04:05.123Z",
    13,
    "low",
    ["meta", { when: 1136214245123 }, "a", 1],
  ]);
  expect(read(format, '{"msg":"of another"}')).toBeUndefined();
});

test.each([
  ["%Y-%m-%d %H:%M:%S", "2006-01-02 15:04:05", "2006-01-02 15:04:05"],
  ["%d/%b/%Y:%T %z", "02/Jan/2006:15:04:05 -0700", "2006-01-02 15:04:05 -0700"],
  ["%b %e %I:%M:%S %p", "Jan  2 3:04:05 PM", "01-02 03:04:05 PM"],
  ["%s", "1136214245.5", "1136214245.5"],
  ["%T", "15:04:05", "15:04:05"],
])("the time format %s reads %s", (format, text, expected) => {
  expect(compileTimeFormat(format)(text)).toBe(expected);
  expect(compileTimeFormat(format)("never")).toBeUndefined();
});

test.each([
  [{ regexp: "a(b" }, "regexp: missing closing ) at character 2"],
  [{ grok: "%{NOPE}" }, "grok: expected the name of a pattern, got NOPE"],
  [{ regexp: "(?<time>.*)", timeFormat: "%Q" }, "timeFormat: expected directives of strptime, got %Q"],
  [{ regexp: "(?<level>.*)", levelPatterns: { error: "[" } }, "levelPatterns: "],
])("%j is refused: %s", (format, message) => {
  expect(() => compileOwnFormat(ownFormat.parse({ name: "x", ...format }), {})).toThrow(message);
});

test("parsers of fluent-bit are formats, with their times and types", () => {
  const formats = importFormats(`
[PARSER]
    # of the shop
    Name        shop
    Format      regex
    Regex       ^(?<when>[^ ]*) (?<level>[A-Z]*) (?<took>[0-9]+) (?<log>.*)$
    Time_Key    when
    Time_Format %Y-%m-%dT%H:%M:%S.%L%z
    Types       took:integer
[PARSER]
    Name   objects
    Format json
    Time_Key at
[MULTILINE_PARSER]
    name   other
`);
  expect(formats.map(({ name }) => name)).toEqual(["shop", "objects"]);
  expect(read(formats[0]!, "2006-01-02T15:04:05.123+0000 ERROR 12 it broke")).toEqual([
    "2006-01-02T15:04:05.123Z",
    17,
    "it broke",
    ["took", 12],
  ]);
});

test("formats of lnav have their expressions, levels and fields", () => {
  const formats = importFormats(
    JSON.stringify({
      $schema: "https://lnav.org/schemas/format-v1.schema.json",
      shop_log: {
        regex: {
          std: { pattern: "^(?<timestamp>\\d+-\\d+-\\d+ \\d+:\\d+:\\d+);(?<sev>\\w+);(?<body>.*)$" },
          short: { pattern: "^!(?<body>.*)$" },
        },
        "level-field": "sev",
        level: { error: "^E.*", warning: "^W" },
      },
    }),
  );
  expect(formats).toHaveLength(2);
  expect(read(formats[0]!, "2006-01-02 15:04:05;Eeek;it broke")).toEqual([
    "2006-01-02T15:04:05.000Z",
    17,
    "it broke",
    [],
  ]);
  expect(read(formats[1]!, "!short")).toEqual(["", 0, "short", []]);
});

test("what is neither is told", () => {
  expect(() => importFormats("hello")).toThrow("expected sections [PARSER] or a JSON object, got neither");
  expect(() => importFormats("[PARSER]\nName a\nFormat ltsv")).toThrow("a: expected Format regex or json, got ltsv");
});
