// What `--check` asks of the cache of four shards.
import assert from "node:assert/strict";

import { until } from "@outrigger/testing";

import type { Check } from "../part.ts";
import { ask } from "./client.ts";
import type { Scene } from "./part.ts";

type CheckOf = (scene: Scene) => Promise<string>;

const KEYS = Array.from({ length: 200 }, (_, i) => `word:${i}`);
const FEWEST = 20;
const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;

const store = async ({ port }: Scene): Promise<string[]> =>
  ask(
    port,
    KEYS.map((key) => ["SET", key, key]),
  );
const load = async ({ port }: Scene): Promise<string[]> =>
  ask(
    port,
    KEYS.map((key) => ["GET", key]),
  );

const spread: CheckOf = async (scene) => {
  assert.deepEqual(
    await store(scene),
    KEYS.map(() => "+OK\r\n"),
  );
  const counts = scene.caches.map(({ keys }) => keys().length);
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    KEYS.length,
  );
  assert.ok(Math.min(...counts) >= FEWEST, `expected at least ${FEWEST} keys on each, got ${counts.join(", ")}`);
  return `${KEYS.length} keys are on the four as ${counts.join(", ")}`;
};

const onePlace: CheckOf = async (scene) => {
  await store(scene);
  assert.deepEqual(await load(scene), KEYS.map(bulk));
  const routes = await ask(
    scene.port,
    KEYS.map((key) => ["OUTRIGGER", "ROUTE", key]),
  );
  for (const [i, key] of KEYS.entries()) {
    const holders = scene.caches.filter(({ keys }) => keys().includes(key));
    assert.deepEqual([key, holders.length], [key, 1]);
    assert.ok(routes[i]!.includes(`\r\n${holders[0]!.name}\r\n`), `expected ${holders[0]!.name}, got ${routes[i]}`);
  }
  return "written twice and read, each key is on one shard: the one that OUTRIGGER ROUTE names";
};

const killed: CheckOf = async (scene) => {
  await store(scene);
  const victim = scene.caches[1]!;
  const lost = new Set(victim.keys());
  victim.kill();
  await until(
    async () => (await scene.process.metrics()).value("shard_ambassador_shard_up", { shard: victim.name }) === 0,
    {
      timeoutMs: 5000,
      describe: `${victim.name} to count as down`,
    },
  );
  const values = await load(scene);
  for (const [i, key] of KEYS.entries()) {
    if (lost.has(key)) assert.match(values[i]!, /^-ERR shard cache-1 /);
    else assert.equal(values[i], bulk(key));
  }
  return `${lost.size} keys get an error at once, ${KEYS.length - lost.size} are served`;
};

const back: CheckOf = async (scene) => {
  await scene.caches[1]!.restart();
  await until(async () => (await store(scene)).every((reply) => reply === "+OK\r\n"), {
    timeoutMs: 5000,
    describe: "all keys to be taken again",
  });
  assert.deepEqual(await load(scene), KEYS.map(bulk));
  return "all keys are served again";
};

export const checksOf = (scene: Scene): Check[] => [
  { what: "keys spread over shards", run: () => spread(scene) },
  { what: "a key has one place", run: () => onePlace(scene) },
  { what: "a shard is killed", run: () => killed(scene) },
  { what: "the shard is back", run: () => back(scene) },
];
