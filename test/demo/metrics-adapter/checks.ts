// What `--check` asks of the metrics adapter.
import assert from "node:assert/strict";

import type { Metrics } from "@outrigger/testing";
import { parseMetrics, request, until } from "@outrigger/testing";

import type { Check } from "../part.ts";
import type { Scene } from "./part.ts";

type CheckOf = (scene: Scene) => Promise<string>;

const pageOf = async ({ port }: Scene): Promise<Metrics> => {
  const { status, body } = await request({ host: "127.0.0.1", port }, "/metrics");
  assert.equal(status, 200);
  return parseMetrics(body);
};

const lookups: CheckOf = async (scene) => {
  const application = { host: "127.0.0.1", port: scene.pod.application.port };
  const count = (page: Metrics, result: string): number => page.value("dictionary_lookups_total", { result }) ?? 0;
  const before = await pageOf(scene);
  for (const path of ["/words/outrigger", "/words/aple"]) await request(application, path);
  const after = await pageOf(scene);
  const grown = ["Hit", "MISS"].map((result) => count(after, result) - count(before, result));
  assert.deepEqual(grown, [1, 1]);
  assert.ok(after.value("dictionary_memory_bytes")! > 1e6);
  return "a word found and one missed are counted under names and units that Prometheus knows";
};

/** What every source has, whatever its application is. */
const INTERFACE = ["up", "scrape_duration_seconds"];

const oneInterface: CheckOf = async (scene) => {
  const { text, value } = await pageOf(scene);
  const prefixes = scene.cache === undefined ? ["json"] : ["json", "redis"];
  for (const prefix of prefixes) {
    for (const name of INTERFACE) assert.ok(text.includes(`# TYPE ${prefix}_${name} gauge\n`), `${prefix}_${name}`);
    assert.equal(value(`${prefix}_up`), 1);
  }
  if (scene.cache === undefined) return "the dictionary alone: there is no redis-server here";
  assert.ok(value("redis_connected_clients")! >= 1);
  return "JSON and INFO on one page, each with up and a duration";
};

const killed: CheckOf = async (scene) => {
  const { application } = scene.pod;
  await application.kill();
  const down = await pageOf(scene);
  assert.equal(down.value("json_up"), 0);
  assert.equal(down.value("dictionary_memory_bytes"), undefined);
  await application.start();
  await until(async () => (await pageOf(scene)).value("json_up") === 1, { describe: "json_up to be 1 again" });
  return "200 with json_up 0 and no stale value; started again: 1";
};

const CHECKS: Readonly<Record<string, CheckOf>> = {
  "odd statistics, known names": lookups,
  "two applications, one interface": oneInterface,
  "application killed, page intact": killed,
};

export const checksOf = (scene: Scene): Check[] =>
  Object.entries(CHECKS).map(([what, run]) => ({ what, run: () => run(scene) }));
