// When the bytes held are too many, and when there is room again.
import { until } from "@outrigger/testing";
import { expect, test } from "vitest";

import { createBudget } from "./budget.ts";

test("at the limit it is full, and those who wait are woken once a tenth is free", async () => {
  let reached = 0;
  const budget = createBudget(100, () => reached++);
  const woken: string[] = [];
  budget.add(99);
  expect(budget.isFull()).toBe(false);
  budget.add(1);
  expect([budget.isFull(), reached]).toEqual([true, 1]);
  const gone = { resume: () => woken.push("gone") };
  budget.wait({ resume: () => woken.push("waiting") });
  budget.wait(gone);
  budget.forget(gone);
  budget.release(9);
  expect(budget.isFull()).toBe(true);
  budget.release(1);
  expect([budget.isFull(), budget.used()]).toEqual([false, 90]);
  await until(() => woken.length > 0);
  expect(woken).toEqual(["waiting"]);
});
