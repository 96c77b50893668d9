// What the conformance tests need to start this container: parameters with which it becomes ready.
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Cleanup } from "@outrigger/testing";
import { tempDir } from "@outrigger/testing";

/** Flags with which the container starts and becomes ready, everything it needs being there until `cleanup`. */
export async function fixture(cleanup: Cleanup): Promise<{
  args: string[];
  /** Makes what the container depends on fail, and heal again. */
  dependency: { fail(): Promise<void>; heal(): Promise<void> };
}> {
  const file = join(tempDir(cleanup), "required");
  writeFileSync(file, "");
  return {
    args: ["--listen", "127.0.0.1:0", "--require-file", file, "--check-interval", "50ms"],
    dependency: {
      fail: async () => rmSync(file),
      heal: async () => writeFileSync(file, ""),
    },
  };
}
