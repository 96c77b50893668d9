// What the conformance tests need to start this container: parameters with which it becomes ready.
import type { Cleanup } from "@outrigger/testing";
import { startEchoServer } from "@outrigger/testing";

/** Flags with which the container starts and becomes ready, everything it needs being there until `cleanup`. */
export async function fixture(cleanup: Cleanup): Promise<{
  args: string[];
  /** Makes what the container depends on fail, and heal again. */
  dependency: { fail(): Promise<void>; heal(): Promise<void> };
}> {
  let shard = await startEchoServer({ cleanup });
  const { port } = shard;
  return {
    args: ["--listen", "127.0.0.1:0", "--shards", `${shard.address} only`, "--distribution", "ketama", "--hash", "md5"],
    dependency: {
      fail: () => shard.close(),
      heal: async () => {
        shard = await startEchoServer({ cleanup, port });
      },
    },
  };
}
