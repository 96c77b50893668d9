import { expect, onTestFinished, test, vi } from "vitest";

import { createLifetime } from "./lifetime.ts";
import type { LifetimeSettings } from "./lifetime.ts";

function start(settings: Pick<LifetimeSettings, "expiry" | "lifetimeMs">) {
  const heard: string[] = [];
  const timed = createLifetime({
    ...settings,
    onExpired: () => heard.push("expired"),
    onLifeEnd: () => heard.push("life end"),
  });
  timed.onDeadline();
  return { timed, heard };
}

test("without an end it never looks again", () => {
  const { timed, heard } = start({ expiry: undefined, lifetimeMs: undefined });
  expect([timed.deadline, heard]).toEqual([0, []]);
});

test("a certificate that ends later is looked at again soon, since the clock may be set", () => {
  const now = Date.now();
  vi.useFakeTimers({ toFake: ["Date"], now });
  onTestFinished(() => void vi.useRealTimers());
  const { timed, heard } = start({ expiry: now + 3_600_000, lifetimeMs: undefined });
  expect(timed.deadline - performance.now()).toBeLessThanOrEqual(30_000);
  expect(heard).toEqual([]);
  vi.setSystemTime(now + 3_600_000);
  timed.onDeadline();
  expect(heard).toEqual(["expired"]);
});

test("the end of life comes once, and a certificate's end may still follow", () => {
  const { timed, heard } = start({ expiry: Date.now() + 3_600_000, lifetimeMs: 0 });
  timed.onDeadline();
  expect(heard).toEqual(["life end"]);
  expect(timed.deadline).toBeGreaterThan(performance.now());
});
