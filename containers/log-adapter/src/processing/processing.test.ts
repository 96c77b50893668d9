import { assert, property, string } from "fast-check";
import { expect, test } from "vitest";

import { createReading, resetReading } from "../reading.ts";
import type { Reading } from "../reading.ts";
import { createRedaction, isCardNumber } from "./redaction.ts";
import { createRules } from "./rules.ts";

function readingOf(body: string, attributes: unknown[] = [], severity = 9): Reading {
  const reading = createReading();
  resetReading(reading, body);
  reading.severityNumber = severity;
  reading.attributes.push(...attributes);
  return reading;
}

function redacted(body: string, names: ("tokens" | "emails" | "cards")[] = ["tokens", "emails", "cards"]): string {
  const reading = readingOf(body);
  createRedaction(names, [])(reading);
  return reading.body;
}

test.each([
  ["login of a.b+c@mail.example.com failed", "login of [redacted] failed"],
  ["paid with 4111 1111 1111 1111 today", "paid with [redacted] today"],
  ["paid with 5500-0000-0000-0004", "paid with [redacted]"],
  ["order 4111111111111112 is no card", "order 4111111111111112 is no card"],
  ["at 1136214245123456 and 0000000000000000", "at 1136214245123456 and 0000000000000000"],
  ["password=hunter2 user=me", "password=[redacted] user=me"],
  ['{"api_key": "abc123", "a": 1}', '{"api_key": "[redacted]", "a": 1}'],
  ["Authorization: Bearer abcdefgh12345678 sent", "Authorization: Bearer [redacted] sent"],
  ["token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0abc.c2lnbmF0dXJl end", "token [redacted] end"],
  ["key AKIAIOSFODNN7EXAMPLE", "key [redacted]"],
  ["nothing to see", "nothing to see"],
])("%s becomes %s", (body, expected) => {
  expect(redacted(body)).toBe(expected);
});

test("only what is asked for is taken out", () => {
  expect(redacted("a@b.example password=x", ["emails"])).toBe("[redacted] password=x");
});

test("attributes are redacted as well: by their name, within objects, and numbers of cards", () => {
  const reading = readingOf("x", [
    "db.password",
    "abc",
    "user",
    { mail: ["a@b.example"] },
    "card",
    4111111111111111,
    "n",
    7,
  ]);
  createRedaction(["tokens", "emails", "cards"], [{ regexp: "abc\\d", replacement: "#" }])(reading);
  expect(reading.attributes.filter((_, i) => i % 2 === 1)).toEqual([
    "[redacted]",
    { mail: ["[redacted]"] },
    "[redacted]",
    7,
  ]);
});

test("the check digit tells the numbers of cards", () => {
  expect(["4111111111111111", "378282246310005", "6011 1111 1111 1117"].map(isCardNumber)).toEqual([true, true, true]);
  expect(["4111111111111112", "1234567890123456", "411111111111"].map(isCardNumber)).toEqual([false, false, false]);
});

test("no text makes redaction throw, or take long", () => {
  assert(property(string({ unit: "binary", maxLength: 300 }), (text) => void redacted(text)));
  for (const piece of ["a@", "4 ", "password=", "eyJ", "Bearer ", "a.", "=", "secret: "]) {
    const began = performance.now();
    redacted(piece.repeat(50_000));
    expect(performance.now() - began, piece).toBeLessThan(2000);
  }
});

test("rules are tried in order: a record that one keeps passes, one that one drops does not", () => {
  const judge = createRules(
    [
      { if: { body: "^keep" }, keep: true },
      { below: "warn", if: { format: "^unparsed$" }, drop: true },
      { if: { user: "^bot$" }, drop: true },
    ],
    () => 0,
  );
  expect(judge(readingOf("keep me"))).toBe("pass");
  expect(judge(readingOf("hello"))).toBe("rule");
  expect(judge(readingOf("hello", [], 17))).toBe("pass");
  expect(judge(readingOf("hello", ["user", "bot"], 17))).toBe("rule");
});

test("of a sample as many pass as it says, evenly", () => {
  const judge = createRules([{ sample: 0.25 }], () => 0);
  const verdicts = Array.from({ length: 12 }, () => judge(readingOf("x")));
  expect(verdicts.map((verdict) => (verdict === "pass" ? 1 : 0)).join("")).toBe("100010001000");
});

test("a limit lets pass so many a second, for each key by itself, and a clock that jumps back changes nothing", () => {
  let now = 1000;
  const judge = createRules([{ limit: { perSecond: 2, key: "user" } }], () => now);
  const of = (user: string) => judge(readingOf("x", ["user", user]));
  expect([of("a"), of("a"), of("a"), of("b")]).toEqual(["pass", "pass", "limited", "pass"]);
  now = 0;
  expect(of("a")).toBe("limited");
  now = 1000;
  expect([of("a"), of("a"), of("a")]).toEqual(["pass", "pass", "limited"]);
});

test("attributes are renamed", () => {
  const reading = readingOf("x", ["usr", "me", "b", 1]);
  expect(createRules([{ rename: { usr: "user.name" } }], () => 0)(reading)).toBe("pass");
  expect(reading.attributes).toEqual(["user.name", "me", "b", 1]);
});
