// What the conformance tests need to start this container: parameters with which it becomes ready.
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Cleanup } from "@outrigger/testing";
import { tempDir } from "@outrigger/testing";

/** Flags with which the container starts and becomes ready, everything it needs being there until `cleanup`. */
export async function fixture(cleanup: Cleanup): Promise<{
  args: string[];
  /** Makes what the container depends on fail, and heal again. */
  dependency: { fail(): Promise<void>; heal(): Promise<void> };
}> {
  const folder = tempDir(cleanup);
  const source = join(folder, "source");
  mkdirSync(source);
  writeFileSync(join(source, "app.yaml"), "greeting: hello\n");
  return {
    args: [
      "--source",
      `dir:${source}`,
      "--output",
      join(folder, "output"),
      "--interval",
      "200ms",
      "--stale-after",
      "800ms",
    ],
    dependency: {
      fail: async () => renameSync(source, `${source}.gone`),
      heal: async () => renameSync(`${source}.gone`, source),
    },
  };
}
