import { until } from "@outrigger/testing";
import { expect, onTestFinished, test } from "vitest";

import { createDeadlines } from "./deadlines.ts";
import type { Timed } from "./deadlines.ts";

function setUp() {
  let beats = 0;
  const deadlines = createDeadlines(() => void beats++);
  onTestFinished(() => deadlines.stop());
  const passed: string[] = [];
  const timed = (name: string, deadline: number): Timed => ({ deadline, onDeadline: () => void passed.push(name) });
  return { deadlines, passed, timed, beats: () => beats };
}

test("a deadline passes once, after its time, and 0 is never", async () => {
  const { deadlines, passed, timed, beats } = setUp();
  const began = performance.now();
  deadlines.add(timed("soon", began + 50));
  deadlines.add(timed("never", 0));
  deadlines.add(timed("later", began + 60_000));
  await until(() => passed.length > 0);
  expect(performance.now() - began).toBeGreaterThanOrEqual(50);
  const seen = beats();
  await until(() => beats() >= seen + 3);
  expect(passed).toEqual(["soon"]);
});

test("what was put off, deleted or stopped does not pass", async () => {
  const { deadlines, passed, timed, beats } = setUp();
  const [putOff, deleted] = [timed("put off", performance.now()), timed("deleted", performance.now())];
  deadlines.add(putOff);
  deadlines.add(deleted);
  putOff.deadline += 60_000;
  deadlines.delete(deleted);
  await until(() => beats() >= 2);
  deadlines.stop();
  expect(passed).toEqual([]);
});

test("a deadline may be set anew, and another one deleted, when one passes", async () => {
  const { deadlines, passed, timed } = setUp();
  const other = timed("other", performance.now());
  const again: Timed = {
    deadline: performance.now(),
    onDeadline: () => {
      passed.push("again");
      deadlines.delete(other);
      again.deadline = performance.now();
    },
  };
  deadlines.add(again);
  deadlines.add(other);
  await until(() => passed.length >= 3);
  expect(passed).not.toContain("other");
});
