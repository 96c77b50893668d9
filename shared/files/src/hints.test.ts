import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { tempDir } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { createVolume } from "../test/kubernetes-volume.ts";
import { createHints } from "./hints.ts";

/** Hints of these paths, and a promise of the next one. */
async function followed(...paths: string[]) {
  let wake: (() => void) | undefined;
  const hints = createHints({ onHint: () => wake?.() });
  cleanup(() => hints.close());
  await hints.follow(paths);
  const next = (change: () => void): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    wake = resolve;
    change();
    return promise;
  };
  return { hints, next };
}

test("what changes in any of the folders brings a hint", async () => {
  const folder = tempDir(cleanup);
  mkdirSync(join(folder, "sub"));
  const { hints, next } = await followed(folder, join(folder, "sub"));
  await next(() => writeFileSync(join(folder, "a"), "1"));
  await next(() => writeFileSync(join(folder, "sub", "b"), "1"));
  await next(() => renameSync(join(folder, "sub", "b"), join(folder, "sub", "c")));
  expect(hints.mode).toBe("events");
});

test("each swap of a volume brings one, and so does a folder that comes to be there", async () => {
  const folder = join(tempDir(cleanup), "volume");
  const { hints, next } = await followed(folder);
  let volume: ReturnType<typeof createVolume> | undefined;
  await next(() => (volume = createVolume(folder, { a: "0" })));
  await hints.follow([folder]);
  for (const a of ["1", "2", "3"]) await next(() => volume!.publish({ a }));
});
