// Who is measured: the adapter on each runtime, redis_exporter, and prom-client.
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { parseAddress } from "@outrigger/options";
import { parseMetrics, request, until } from "@outrigger/testing";
import type { Metrics } from "@outrigger/testing";

import { findProgram, freePort, startProgram } from "../programs.ts";
import type { Running } from "../programs.ts";

const root = join(import.meta.dirname, "../../..");
export const RUNTIMES: Readonly<Record<string, string>> = {
  "ours-node": process.execPath,
  "ours-bun": join(root, "node_modules/.bin/bun"),
};

/** A program that serves a page. */
export type Exporter = Running & { scrape(): Promise<Metrics> };

const scrapeAt =
  (port: number): Exporter["scrape"] =>
  async () =>
    parseMetrics((await request({ host: "127.0.0.1", port }, "/metrics", { timeoutMs: 20_000 })).body);

async function exporterAt(port: number, running: Running): Promise<Exporter> {
  const scrape = scrapeAt(port);
  await until(
    async () => {
      running.assertRunning();
      return scrape();
    },
    { timeoutMs: 15_000, describe: "the exporter to answer" },
  );
  return { ...running, scrape };
}

/** The adapter with these flags; `listeners` are the ports that its log names. */
export async function startAdapter(
  bundle: string,
  { runtime, args, log }: { runtime: string; args: readonly string[]; log: string },
): Promise<Exporter & { portOf(listener: string): number }> {
  const port = await freePort();
  const flags = [`--listen=127.0.0.1:${port}`, "--admin-listen=127.0.0.1:0", ...args];
  const exporter = await exporterAt(port, await startProgram([runtime, bundle, ...flags], log));
  const portOf = (listener: string): number => {
    const lines = readFileSync(log, "utf8").split("\n");
    const line = lines.find((each) => each.includes(`"listener":"${listener}"`));
    const address = parseAddress(String((JSON.parse(line ?? "{}") as { address?: string }).address), "127.0.0.1");
    if (address === undefined || !("port" in address)) throw new Error(`${listener}: expected an address in ${log}`);
    return address.port;
  };
  return { ...exporter, portOf };
}

export async function startRedisExporter(redis: string, log: string): Promise<Exporter> {
  const program = findProgram("prometheus-redis-exporter");
  if (program === undefined) throw new Error("skipped: prometheus-redis-exporter is not installed");
  const port = await freePort();
  const command = [program, "-redis.addr", redis, "-web.listen-address", `127.0.0.1:${port}`, "-redis-only-metrics"];
  return exporterAt(port, await startProgram(command, log));
}

/** An empty Redis with a database or two, and where it is. */
export async function startRedis(folder: string): Promise<Running & { readonly url: string }> {
  const program = findProgram("redis-server");
  if (program === undefined) throw new Error("part metrics: expected redis-server to be installed, got nothing");
  const port = await freePort();
  const flags = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder];
  return { ...(await startProgram([program, ...flags], join(folder, "redis.log"))), url: `redis://127.0.0.1:${port}` };
}
