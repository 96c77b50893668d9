// The adapter as a filter: from standard input to standard output.
import { until } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { entryOf } from "../../../test/apps/dictionary/log.ts";
import { startFilter } from "./filter.ts";

test("one record a line comes out, and it ends with status 0 when its input ends", async () => {
  const { code, records } = await startFilter(cleanup).end(
    '{"level":40,"time":1136214245123,"msg":"one"}\nJan  2 15:04:05 web app[7]: two\nthree',
  );
  expect(code).toBe(0);
  expect(records.map(({ Body }) => Body)).toEqual(["one", "two", "three"]);
});

test("an empty input gives nothing, with status 0", async () => {
  expect(await startFilter(cleanup).end()).toMatchObject({ code: 0, records: [] });
});

test("a hundred thousand lines come out in order, and none is missing", async () => {
  const lines = Array.from({ length: 100_000 }, (_, i) => `2006-01-02 15:04:05,000 INFO [main] app.Main: ${i}\n`);
  const { code, records } = await startFilter(cleanup).end(lines.join(""));
  expect(code).toBe(0);
  expect(records).toHaveLength(lines.length);
  expect(records.every(({ Body }, i) => Body === String(i))).toBe(true);
});

test("the odd log of the dictionary has its time, severity and message", async () => {
  const entries = [
    entryOf(new Date(2026, 9, 22, 13, 5, 11, 42), "W", "lookup/aple ~ miss (3ms) peer=127.0.0.1 xff=-"),
    entryOf(new Date(2026, 9, 22, 13, 5, 12, 0), "E", "request ~ URIError: malformed\n    at decode (/app/a.js:1:2)"),
    entryOf(new Date(2026, 9, 22, 13, 5, 13, 0), "I", "halt ~ SIGTERM"),
  ];
  const { records } = await startFilter(cleanup).end(entries.join(""));
  expect(records.map(({ Timestamp, SeverityNumber, Body }) => [Timestamp, SeverityNumber, Body])).toEqual([
    ["2026-10-22T13:05:11.042Z", 13, "miss (3ms) peer=127.0.0.1 xff=-"],
    ["2026-10-22T13:05:12.000Z", 17, "URIError: malformed\n    at decode (/app/a.js:1:2)"],
    ["2026-10-22T13:05:13.000Z", 9, "SIGTERM"],
  ]);
});

test("a record does not wait for the next line for long", async () => {
  const filter = startFilter(cleanup, ["--multiline-timeout", "50ms"]);
  filter.write("2006-01-02 15:04:05,000 INFO app.Main: alone\n");
  expect(await until(() => filter.records()[0]?.Body)).toBe("alone");
  expect((await filter.end()).code).toBe(0);
});

test("time zone, resource, model and original are as asked for", async () => {
  const line = "2006-07-02 15:04:05,000 INFO app.Main: hello";
  const args = ["--timezone", "Europe/Berlin", "--resource", "service.name=shop", "--keep-original", "--model", "ecs"];
  const { records } = await startFilter(cleanup, args).end(`${line}\n`);
  expect(records).toMatchObject([
    { "@timestamp": "2006-07-02T13:04:05.000Z", "service.name": "shop", "log.record.original": line, message: "hello" },
  ]);
});

test("what cannot be an input, an output, a zone or an attribute is told, all at once", async () => {
  const args = ["--input", "tcp:/a", "--output", "file:a", "--timezone", "Mars", "--resource", "shop"];
  const { code, errors } = await startFilter(cleanup, args).end();
  expect(code).toBe(2);
  for (const problem of [
    "--input: expected stdin, file:/path, fifo:/path",
    "--output: expected stdout, file:/path, http(s)://",
    "--timezone: expected a time zone such as Europe/Berlin, got Mars",
    "--resource: expected name=value, got shop",
  ]) {
    expect.soft(errors).toContain(problem);
  }
});
