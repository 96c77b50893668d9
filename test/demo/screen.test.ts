import { createServer } from "node:net";

import { expect, onTestFinished, test } from "vitest";

import { compactLine } from "./log-lines.ts";
import { isFree } from "./ports.ts";
import { createLines, paintFor } from "./screen.ts";

test("colour is for terminals that want it", () => {
  const coloured = (isTTY: boolean, env: Record<string, string>) => paintFor({ isTTY }, env)("red", "a") !== "a";
  expect(coloured(true, {})).toBe(true);
  expect(coloured(false, {})).toBe(false);
  expect(coloured(false, { FORCE_COLOR: "1" })).toBe(false);
  expect(coloured(true, { NO_COLOR: "1" })).toBe(false);
  expect(coloured(true, { TERM: "dumb" })).toBe(false);
});

test("lines have the labels of their speakers in one column", () => {
  let text = "";
  const show = createLines(
    (some) => (text += some),
    (_, plain) => plain,
    ["demo", "dictionary", "a"],
  );
  show("a", "one");
  show("dictionary", "two");
  expect(text).toBe("a          | one\ndictionary | two\n");
});

test("a record becomes a short line, and any other line stays as it is", () => {
  const record = {
    level: "warn",
    time: "2026-11-22T13:05:11.042Z",
    container: "x",
    a: 1,
    b: "two words",
    msg: "hello",
  };
  const { text, level } = compactLine(JSON.stringify(record));
  expect(text).toMatch(/^\d\d:05:11 warn hello  a=1 b="two words"$/);
  expect(level).toBe("warn");
  expect(compactLine(JSON.stringify(record), ({ a }) => `a is ${String(a)}`).text).toMatch(/11 warn a is 1$/);
  expect(compactLine("{ no JSON").text).toBe("{ no JSON");
});

test("a port is free until somebody listens on it", async () => {
  const server = createServer();
  onTestFinished(() => void server.close());
  const port = await new Promise<number>((resolve) => {
    server.listen({ host: "127.0.0.1", port: 0 }, () => resolve((server.address() as { port: number }).port));
  });
  expect(await isFree(port)).toBe(false);
  await new Promise((resolve) => server.close(resolve));
  expect(await isFree(port)).toBe(true);
});
