// What the conformance tests need to start this container: parameters with which it becomes ready.
import type { Cleanup } from "@outrigger/testing";
import { startApp } from "@outrigger/testing";

import { createFiles } from "./sidecar.ts";

/** Flags with which the container starts and becomes ready, everything it needs being there until `cleanup`. */
export async function fixture(cleanup: Cleanup): Promise<{
  args: string[];
  /** Makes what the container depends on fail, and heal again. */
  dependency: { fail(): Promise<void>; heal(): Promise<void> };
}> {
  const files = await createFiles(cleanup);
  let app = await startApp((_, response) => response.end("hello"), { cleanup });
  const { port } = app;
  return {
    args: [
      "--listen",
      "127.0.0.1:0",
      "--target",
      app.address,
      "--cert",
      files.cert,
      "--key",
      files.key,
      "--target-interval",
      "100ms",
    ],
    dependency: {
      fail: () => app.close(),
      heal: async () => {
        app = await startApp((_, response) => response.end("hello"), { cleanup, port });
      },
    },
  };
}
