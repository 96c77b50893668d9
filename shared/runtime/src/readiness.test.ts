import { expect, test } from "vitest";

import { captureLog } from "../test/log.ts";
import { createReadiness } from "./readiness.ts";

function observed() {
  const { log, lines } = captureLog();
  const changes: boolean[] = [];
  const readiness = createReadiness(log, (ready) => changes.push(ready));
  const told = (): string[] => lines().map(({ level, msg, condition = "" }) => `${level} ${msg} ${String(condition)}`);
  return { readiness, changes, told };
}

test("it is ready when it has started and every condition holds", () => {
  const { readiness, changes } = observed();
  expect(readiness.isReady()).toBe(false);
  readiness.set("target", true);
  expect(readiness.isReady()).toBe(false);
  readiness.set("started", true);
  expect(readiness.isReady()).toBe(true);
  readiness.set("target", false, "ECONNREFUSED");
  expect(readiness.isReady()).toBe(false);
  expect(changes).toEqual([true, false]);
});

test("the conditions tell which of them does not hold, and why", () => {
  const { readiness } = observed();
  readiness.set("target", false, "ECONNREFUSED");
  expect(readiness.conditions()).toEqual([
    { name: "started", ok: false, reason: "starting" },
    { name: "target", ok: false, reason: "ECONNREFUSED" },
  ]);
  readiness.set("target", true, "a reason that no longer holds");
  expect(readiness.conditions()[1]).toEqual({ name: "target", ok: true, reason: "" });
});

test("each change is one line, and what stays as it was is none", () => {
  const { readiness, told } = observed();
  readiness.set("started", true);
  for (let i = 0; i < 3; i++) readiness.set("target", false, "ECONNREFUSED");
  for (let i = 0; i < 3; i++) readiness.set("target", false, "timeout");
  for (let i = 0; i < 3; i++) readiness.set("target", true);
  expect(told()).toEqual([
    "info condition holds started",
    "info readiness changed ",
    "warn condition does not hold target",
    "info readiness changed ",
    "warn condition does not hold target",
    "info condition holds target",
    "info readiness changed ",
  ]);
});

test("what does not hold before the start is over is nothing to look at", () => {
  const { readiness, told } = observed();
  readiness.set("target", false, "not asked yet");
  expect(told()).toEqual(["info condition does not hold target"]);
});

test("a remark is shown with a condition that holds, and does not end readiness", () => {
  const { readiness } = observed();
  readiness.set("started", true);
  readiness.set("job", true);
  readiness.remark("job", "nobody was told");
  expect(readiness.isReady()).toBe(true);
  expect(readiness.conditions()).toContainEqual({ name: "job", ok: true, reason: "nobody was told" });
  readiness.set("job", false, "nothing is there");
  expect(readiness.conditions()).toContainEqual({ name: "job", ok: false, reason: "nothing is there" });
  readiness.set("job", true);
  readiness.remark("job", undefined);
  expect(readiness.conditions()).toContainEqual({ name: "job", ok: true, reason: "" });
});
