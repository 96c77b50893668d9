// The metrics adapter under test, and what tests ask of it.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { parseAddress } from "@outrigger/options";
import type { Answer, Cleanup, Container, Metrics } from "@outrigger/testing";
import { parseMetrics, request, spawnContainer, tempDir } from "@outrigger/testing";

export type Adapter = Container & {
  /** Asks the port that Prometheus scrapes. */
  ask(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** The page of /metrics. */
  page(): Promise<Metrics>;
};

const QUICK = ["--admin-listen", "127.0.0.1:0", "--drain-delay", "0", "--listen", "127.0.0.1:0"];

export type AdapterSettings = {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The configuration file, as what it holds. */
  readonly config?: Readonly<Record<string, unknown>>;
};

export async function startAdapter(
  cleanup: Cleanup,
  { args = [], env = {}, config }: AdapterSettings,
): Promise<Adapter> {
  const file = config === undefined ? [] : ["--config", configFile(cleanup, config)];
  const container = spawnContainer({ name: "metrics-adapter", args: [...QUICK, ...file, ...args], env, cleanup });
  const address = parseAddress(await container.address("metrics"), "127.0.0.1")!;
  const ask: Adapter["ask"] = (path, headers = {}) => request(address, path, { headers, timeoutMs: 20_000 });
  return Object.assign(container, { ask, page: async () => parseMetrics((await ask("/metrics")).body) });
}

/** JSON is YAML, so a test may write either. */
export function configFile(cleanup: Cleanup, config: Readonly<Record<string, unknown>> | string): string {
  const path = join(tempDir(cleanup), "config.yaml");
  writeFileSync(path, typeof config === "string" ? config : JSON.stringify(config));
  return path;
}
