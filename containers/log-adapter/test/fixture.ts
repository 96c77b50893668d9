// What the conformance tests need to start this container: parameters with which it becomes ready.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Cleanup } from "@outrigger/testing";
import { tempDir } from "@outrigger/testing";

/** Flags with which the container starts and becomes ready, everything it needs being there until `cleanup`. */
export async function fixture(cleanup: Cleanup): Promise<{ args: string[] }> {
  const folder = tempDir(cleanup);
  writeFileSync(join(folder, "app.log"), "2006-01-02 15:04:05,000 INFO [main] app.Main: started\n");
  return {
    args: [
      "--input",
      `file:${folder}/*.log`,
      "--output",
      `file:${join(folder, "records.json")}`,
      "--state-dir",
      join(folder, "state"),
    ],
  };
}
