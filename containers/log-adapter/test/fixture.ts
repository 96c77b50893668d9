// What the conformance tests need to start this container: parameters with which it becomes ready.
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
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
  writeFileSync(join(folder, "app.log"), "2006-01-02 15:04:05,000 INFO [main] app.Main: started\n");
  let source = await startSource(0);
  const { port } = source.address() as AddressInfo;
  cleanup(() => void source.close());
  return {
    args: [
      "--input",
      `file:${folder}/*.log,poll+http://127.0.0.1:${port}/`,
      "--poll-every",
      "100ms",
      "--output",
      `file:${join(folder, "records.json")}`,
      "--state-dir",
      join(folder, "state"),
    ],
    dependency: {
      fail: async () => {
        source.closeAllConnections();
        await new Promise((resolve) => void source.close(resolve));
      },
      heal: async () => {
        source = await startSource(port);
      },
    },
  };
}

/** An application that tells its state as JSON. */
async function startSource(port: number): Promise<Server> {
  const server = createServer((_, outgoing) => void outgoing.setHeader("connection", "close").end('{"msg":"well"}'));
  await new Promise<void>((resolve) => void server.listen(port, "127.0.0.1", resolve));
  return server;
}
