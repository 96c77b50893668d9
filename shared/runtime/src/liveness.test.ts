import { expect, test } from "vitest";

import { createLiveness } from "./liveness.ts";

function clocked() {
  let now = 1000;
  return { liveness: createLiveness(() => now), pass: (milliseconds: number) => void (now += milliseconds) };
}

test("a loop that is silent for more than three of its turns has stalled, and lives again with the next", () => {
  const { liveness, pass } = clocked();
  const turn = liveness.watch("poll", 10_000);
  pass(30_000);
  expect(liveness.stalled()).toEqual([]);
  pass(1);
  expect(liveness.stalled()).toEqual(["poll"]);
  turn();
  expect(liveness.stalled()).toEqual([]);
});

test("a quick loop has five seconds", () => {
  const { liveness, pass } = clocked();
  liveness.watch("sweep", 100);
  pass(5000);
  expect(liveness.stalled()).toEqual([]);
  pass(1);
  expect(liveness.stalled()).toEqual(["sweep"]);
});

test("each loop is judged by its own turns", () => {
  const { liveness, pass } = clocked();
  const quick = liveness.watch("quick", 1000);
  liveness.watch("slow", 60_000);
  liveness.watch("stuck", 1000);
  for (let i = 0; i < 10; i++) {
    pass(1000);
    quick();
  }
  expect(liveness.stalled()).toEqual(["stuck"]);
});
