import { expect, test } from "vitest";

import { captureLog } from "../test/log.ts";
import type { ReloadOutcome } from "./container.ts";
import { createMetricStore } from "./metric-store.ts";
import { commonMetrics } from "./registry.ts";
import { createReloader } from "./reloader.ts";

function reloaderOf(reload?: () => Promise<ReloadOutcome>) {
  const { log, lines } = captureLog();
  const store = createMetricStore(commonMetrics);
  const reloader = createReloader(() => (reload === undefined ? {} : { reload }), log, store.metrics);
  const counts = (): Record<string, number> =>
    Object.fromEntries(
      store.samplesOf(commonMetrics.reloads).map(({ labels, value }) => [labels["outcome"], value]),
    ) as Record<string, number>;
  return { reloader, lines, counts, lastReload: () => store.samplesOf(commonMetrics.lastReload)[0]!.value };
}

test("each outcome is counted, logged and kept", async () => {
  const outcomes: ReloadOutcome[] = [
    { outcome: "applied" },
    { outcome: "unchanged" },
    { outcome: "refused", reasons: ["--cert: expected a file, got nothing"] },
  ];
  const { reloader, counts, lines, lastReload } = reloaderOf(async () => outcomes.shift()!);
  expect(reloader.last()).toBeNull();
  expect(await reloader.reload()).toEqual({ outcome: "applied" });
  const applied = lastReload();
  expect(Math.abs(applied - Date.now() / 1000)).toBeLessThan(10);
  await reloader.reload();
  await reloader.reload();
  expect(lastReload()).toBe(applied);
  expect(counts()).toEqual({ applied: 1, unchanged: 1, refused: 1 });
  expect(lines().map(({ level, msg }) => `${level} ${msg}`)).toEqual([
    "info reloaded",
    "info reloaded",
    "error reload refused",
  ]);
  expect(reloader.last()).toMatchObject({ outcome: "refused", reasons: [expect.stringContaining("--cert")] });
});

test("a reload that fails is refused with its reason, and the next one is tried", async () => {
  let attempts = 0;
  const { reloader } = reloaderOf(async () => {
    attempts++;
    if (attempts === 1) throw new Error("no disk");
    return { outcome: "applied" };
  });
  expect(await reloader.reload()).toEqual({ outcome: "refused", reasons: ["no disk"] });
  expect(await reloader.reload()).toEqual({ outcome: "applied" });
});

test("a container without anything to reload stays as it is", async () => {
  const { reloader, counts } = reloaderOf();
  expect(await reloader.reload()).toEqual({ outcome: "unchanged" });
  expect(counts()).toEqual({ applied: 0, unchanged: 1, refused: 0 });
});

test("reloads run one at a time, and those asked for meanwhile are one more", async () => {
  let running = 0;
  let most = 0;
  let attempts = 0;
  const { reloader, counts } = reloaderOf(async () => {
    attempts++;
    most = Math.max(most, ++running);
    await new Promise((resolve) => void setImmediate(resolve));
    running--;
    return { outcome: "applied" };
  });
  const asked = Array.from({ length: 100 }, () => reloader.reload());
  expect(await Promise.all(asked)).toEqual(Array.from({ length: 100 }, () => ({ outcome: "applied" })));
  expect(most).toBe(1);
  // The first saw what was there then; the second sees whatever the other 99 were asked for.
  expect(attempts).toBe(2);
  expect(counts()["applied"]).toBe(2);
});
