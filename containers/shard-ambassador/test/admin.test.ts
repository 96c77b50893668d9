// What the ambassador tells on its admin server, before and besides any client; no shard has to be there for it.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { freePort, tempDir } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { startAmbassador } from "./ambassador.ts";

test("which shard owns a key is told, as text in any script, and described in /openapi.json", async () => {
  const shards = [{ port: await freePort() }, { port: await freePort() }];
  const ambassador = await startAmbassador(shards, { cleanup, ready: false });
  await ambassador.waitForLog("started");
  const route = async (key: string) => {
    const { body } = await ambassador.admin(`/api/v1/route?key=${encodeURIComponent(key)}`);
    return JSON.parse(body) as { key: string; shard: string; address: string };
  };
  const keys = ["user:1", "user:2", "clé", "鍵", "a b&c", ""];
  const routes = await Promise.all(keys.map(route));
  expect(routes.map(({ key }) => key)).toEqual(keys);
  for (const { shard, address } of routes) {
    expect([`alpha 127.0.0.1:${shards[0]!.port}`, `beta 127.0.0.1:${shards[1]!.port}`]).toContain(
      `${shard} ${address}`,
    );
  }
  expect((await route("{user:1}:mail")).shard).toBe(routes[0]!.shard);
  expect((await ambassador.admin("/api/v1/route")).status).toBe(400);
  const { paths } = JSON.parse((await ambassador.admin("/openapi.json")).body) as {
    paths: Record<string, { get?: { summary?: string; parameters?: { name: string }[] } }>;
  };
  expect(paths["/api/v1/route"]?.get?.parameters?.map(({ name }) => name)).toEqual(["key", "pool"]);
  expect(paths["/api/v1/shards"]?.get?.summary).toBeTruthy();
});

test("what another list of shards would mean is told before it is taken over", async () => {
  const shards = [{ port: await freePort() }, { port: await freePort() }];
  const ambassador = await startAmbassador(shards, { cleanup, ready: false });
  await ambassador.waitForLog("started");
  const plan = async (list: string) =>
    JSON.parse((await ambassador.admin(`/api/v1/plan?shards=${encodeURIComponent(list)}`)).body) as {
      moved: number;
      moves: { from: string; to: string }[];
      load: { shard: string; after: number }[];
      problems: string[];
      warnings: string[];
    };
  const { moved, moves, load, problems, warnings } = await plan(
    "10.0.0.1:6379 alpha, 10.0.0.2:6379 beta, 10.0.0.3:6379 new",
  );
  expect(moved).toBeGreaterThan(0.3);
  expect(moved).toBeLessThan(0.37);
  expect(moves.map(({ from, to }) => `${from} ${to}`).sort()).toEqual(["alpha new", "beta new"]);
  expect(load.map(({ shard }) => shard)).toEqual(["alpha", "beta", "new"]);
  expect(load.every(({ after }) => after > 0.3 && after < 0.37)).toBe(true);
  expect(problems).toEqual([]);
  expect(warnings).toEqual([]);
  expect((await plan("10.0.0.9:1 beta,10.0.0.8:1 alpha")).moved).toBe(0);
  expect((await plan("nothing")).problems).toEqual(["shards: expected host:port[:weight] [name], got nothing"]);
});

test("a reload refuses what needs a restart, and says so", async () => {
  const file = join(tempDir(cleanup), "options.yaml");
  const write = (timeout: string): void => writeFileSync(file, `timeout: ${timeout}\n`);
  write("1s");
  const shards = [{ port: await freePort() }];
  const ambassador = await startAmbassador(shards, { cleanup, ready: false, args: ["--config", file] });
  await ambassador.waitForLog("started");
  const reload = async (): Promise<unknown> =>
    JSON.parse((await ambassador.admin("/api/v1/reload", { method: "POST" })).body);
  expect(await reload()).toEqual({ outcome: "unchanged" });
  write("2s");
  expect(await reload()).toEqual({
    outcome: "refused",
    reasons: ["timeout: expected to stay as it was until a restart, got another value"],
  });
});
