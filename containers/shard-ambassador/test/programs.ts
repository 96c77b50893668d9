// Real servers as child processes on ports of their own: redis-server, and whatever else a test compares with.
import type { Cleanup, Program } from "@outrigger/testing";
import { freePort, requirePrograms, startProgram, tempDir } from "@outrigger/testing";

export const redisServer = requirePrograms("redis-server");
export const memcached = requirePrograms("memcached");

/** An empty redis-server that keeps nothing on disk. */
export async function startRedis(
  cleanup: Cleanup,
  given?: number,
  more: Readonly<Record<string, string>> = {},
): Promise<Program> {
  const port = given ?? (await freePort());
  const flags = { ...more, port: String(port), bind: "127.0.0.1", save: "", appendonly: "no", dir: tempDir(cleanup) };
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
  return startProgram(redisServer.path("redis-server"), args, { port, cleanup });
}

export async function startMemcached(cleanup: Cleanup, given?: number): Promise<Program> {
  const port = given ?? (await freePort());
  const args = ["-p", String(port), "-l", "127.0.0.1", "-U", "0", "-m", "16", "-u", "nobody"];
  return startProgram(memcached.path("memcached"), args, { port, cleanup });
}
