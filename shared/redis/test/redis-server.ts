// A real redis-server for one test, on a Unix socket and on a free port of loopback.
import { spawn } from "node:child_process";
import { join } from "node:path";

import type { Cleanup } from "@outrigger/testing";
import { freePort, requirePrograms, tempDir, until } from "@outrigger/testing";

import { connectRedis } from "../src/index.ts";

export const redisServer = requirePrograms("redis-server");

export type RedisServer = { readonly port: number; readonly path: string };

/** `flags` are redis-server's own, such as `["--requirepass", "secret"]`. */
export async function startRedisServer(cleanup: Cleanup, flags: readonly string[] = []): Promise<RedisServer> {
  const [folder, port] = [tempDir(cleanup), await freePort()];
  const path = join(folder, "redis.sock");
  const base = ["--port", String(port), "--bind", "127.0.0.1", "--unixsocket", path, "--save", "", "--dir", folder];
  const child = spawn(redisServer.path("redis-server"), [...base, ...flags], { stdio: "ignore" });
  const gone = new Promise<void>((resolve) => void child.once("exit", () => resolve()));
  cleanup(async () => {
    child.kill("SIGKILL");
    await gone;
  });
  await until(
    async () => {
      const connection = await connectRedis({ address: { path }, timeoutMs: 1000, maxReplyBytes: 1000 });
      connection.close();
      return true;
    },
    { timeoutMs: 10_000, describe: "redis-server to listen" },
  );
  return { port, path };
}
