import { expect, test } from "vitest";

import { createHotKeys } from "./hot-keys.ts";

function see(hot: ReturnType<typeof createHotKeys>, key: string): void {
  const bytes = Buffer.from(`..${key}..`);
  hot.see(bytes, 2, bytes.length - 2);
}

test("finds the keys that are asked for most among a million others, and about how often", () => {
  const hot = createHotKeys();
  for (let i = 0; i < 1_000_000; i++) {
    see(hot, i % 5 === 0 ? "hot" : i % 20 === 1 ? "warm" : `cold:${i}`);
    if (i % 400_000 === 399_999) hot.age();
  }
  const [first, second, third] = hot.top(3);
  expect(first!.key).toBe("hot");
  expect(first!.share).toBeGreaterThan(0.17);
  expect(first!.share).toBeLessThan(0.23);
  expect(second!.key).toBe("warm");
  expect(second!.share).toBeGreaterThan(0.035);
  expect(third!.share).toBeLessThan(0.01);
  expect(hot.top(10_000).length).toBeLessThanOrEqual(1024);
});

test("forgets what is not asked for any more, and says nothing of few requests", () => {
  const hot = createHotKeys();
  for (let i = 0; i < 100; i++) see(hot, "a");
  expect(hot.top(5)).toEqual([]);
  for (let i = 0; i < 50_000; i++) see(hot, "a");
  expect(hot.top(5)).toEqual([{ key: "a", share: 1 }]);
  for (let round = 0; round < 5; round++) {
    hot.age();
    for (let i = 0; i < 50_000; i++) see(hot, `b:${i % 2}`);
  }
  expect(
    hot
      .top(5)
      .map(({ key }) => key)
      .slice(0, 2)
      .sort(),
  ).toEqual(["b:0", "b:1"]);
});

test("finds a hot key in commands that come in a fixed pattern", () => {
  const hot = createHotKeys();
  for (let i = 0; i < 64_000; i++) see(hot, i % 16 === 3 ? "third" : `${i}`);
  const [first] = hot.top(1);
  expect(first!.key).toBe("third");
  expect(first!.share).toBeGreaterThan(0.04);
  expect(first!.share).toBeLessThan(0.09);
});
