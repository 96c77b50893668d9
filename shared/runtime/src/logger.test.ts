import { until } from "@outrigger/testing";
import { expect, test } from "vitest";

import { captureLog } from "../test/log.ts";
import { createRecorder } from "./logger.ts";

test("a log line is one JSON object with time, level, container, fields and message", () => {
  const { log, text, lines } = captureLog();
  log.info({ address: "a\nb" }, "listening");
  expect(text()).toMatch(/^[^\n]+\n$/);
  const [line] = lines();
  expect(line).toMatchObject({ level: "info", container: "demo", address: "a\nb", msg: "listening" });
  expect(new Date(line!["time"] as string).toISOString()).toBe(line!["time"]);
  expect(line).not.toHaveProperty("pid");
});

test("only messages of the level and above are written", () => {
  for (const [level, expected] of [
    ["debug", ["debug", "info", "warn", "error", "fatal"]],
    ["warn", ["warn", "error", "fatal"]],
    ["error", ["error", "fatal"]],
  ] as const) {
    const { log, lines } = captureLog({ logLevel: level });
    for (const each of ["debug", "info", "warn", "error", "fatal"] as const) log[each]("hello");
    expect(lines().map((line) => line.level)).toEqual(expected);
  }
});

test("an error is told by its message and code, without its stack", () => {
  const { log, lines, text } = captureLog();
  log.error({ error: Object.assign(new Error("gone"), { code: "ENOENT" }) }, "failed");
  log.error({ error: new Error("plain") }, "failed");
  log.error({ error: "a text" }, "failed");
  expect(lines().map(({ error }) => error)).toEqual([
    { message: "gone", code: "ENOENT" },
    { message: "plain" },
    "a text",
  ]);
  expect(text()).not.toContain("logger.test");
});

test("pretty lines are for people: time, level, message and facts, on one line", () => {
  const { log, text } = captureLog({ logFormat: "pretty" });
  log.warn({ address: "0.0.0.0:1", count: 2, list: ["a"] }, "listening");
  // oxlint-disable-next-line no-control-regex
  expect(text().replaceAll(/\u001b\[\d+m/g, "")).toMatch(
    /^\d\d:\d\d:\d\d\.\d{3} warn {2}listening {2}address=0\.0\.0\.0:1 count=2 list=\["a"\]\n$/,
  );
});

const SETTINGS = { logLevel: "info", logFormat: "json" } as const;

test("recorded lines are gathered, and written together soon, or at once when asked", async () => {
  const { sink, pieces, lines } = captureLog();
  const recorder = createRecorder("demo", SETTINGS, sink);
  recorder.record("request", { status: 200 });
  recorder.record("request", { status: 404 });
  expect(pieces).toEqual([]);
  await until(() => pieces.length > 0);
  expect(pieces).toHaveLength(1);
  expect(lines()).toMatchObject([
    { level: "info", container: "demo", status: 200, msg: "request" },
    { level: "info", container: "demo", status: 404, msg: "request" },
  ]);
  recorder.record("request", { status: 500 });
  recorder.flush();
  recorder.flush();
  expect(pieces).toHaveLength(2);
});

test("gathered lines are never more bytes than a pipe takes in one piece, unless one line alone is", () => {
  const { sink, pieces, lines } = captureLog();
  const recorder = createRecorder("demo", SETTINGS, sink);
  for (let i = 0; i < 200; i++) recorder.record("request", { path: "é€😀".repeat(20) });
  recorder.record("request", { path: "x".repeat(5000) });
  recorder.flush();
  const sizes = pieces.map((piece) => Buffer.byteLength(piece));
  expect(sizes.slice(0, -1).every((size) => size <= 4096)).toBe(true);
  expect(sizes.at(-1)).toBeGreaterThan(5000);
  expect(pieces.every((piece) => piece.endsWith("\n"))).toBe(true);
  expect(lines()).toHaveLength(201);
});

test("a level above info records nothing, and pretty records are pretty", () => {
  const { sink, text } = captureLog();
  const quiet = createRecorder("demo", { ...SETTINGS, logLevel: "warn" }, sink);
  quiet.record("request", { status: 200 });
  quiet.flush();
  expect(text()).toBe("");
  const pretty = createRecorder("demo", { ...SETTINGS, logFormat: "pretty" }, sink);
  pretty.record("request", { status: 200 });
  pretty.flush();
  expect(text()).toContain("request  status=200\n");
});
