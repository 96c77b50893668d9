// Jobs without an output: mounted folders are watched, and their changes announced.
import { rmSync } from "node:fs";
import { join } from "node:path";

import { runContainer, spawnContainer, startApp, tempDir, until } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { createVolume } from "../../../shared/files/test/kubernetes-volume.ts";
import { withApi } from "./sync.ts";
import type { Started } from "./sync.ts";

const QUICK = ["--admin-listen", "127.0.0.1:0", "--drain-delay", "0", "--quiet-period", "10ms", "--interval", "300ms"];

const start = (...args: string[]): Started => withApi(spawnContainer({ name: "config-sync", args, cleanup }));

type Told = { readonly method: string; readonly body: string };

/** Who is told; what it answers can be set. */
async function startHook() {
  const state = { status: 200, told: [] as Told[] };
  const { address } = await startApp(
    async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      state.told.push({ method: request.method!, body: Buffer.concat(chunks).toString() });
      response.writeHead(state.status).end();
    },
    { cleanup },
  );
  return { state, url: `http://${address}/reload` };
}

const changed = ({ told }: { readonly told: readonly Told[] }): string[][] =>
  told.map(({ body }) => (JSON.parse(body) as { changed: string[] }).changed);

test("each change of a mounted folder is announced once, and nothing is written", async () => {
  const folder = join(tempDir(cleanup), "volume");
  const volume = createVolume(folder, { "app.conf": "0" });
  const hook = await startHook();
  const container = start(...QUICK, "--source", `dir:${folder}`, "--notify", hook.url);
  await until(() => hook.state.told.length === 1);
  for (const text of ["1", "2"]) {
    const before = hook.state.told.length;
    volume.publish({ "app.conf": text });
    await until(() => hook.state.told.length > before);
  }
  // The same content once more is no change; the round that the request asks for has seen it.
  volume.publish({ "app.conf": "2" });
  expect((await container.post("/api/v1/sync")).status).toBe(200);
  const path = join(folder, "app.conf").slice(1);
  expect(changed(hook.state)).toEqual([[], [path], [path]]);
  const status = await container.status();
  expect([status.error, (status as unknown as { output: null }).output]).toEqual([null, null]);
  const metrics = (await container.admin("/metrics")).body;
  expect(metrics).toContain("reloader_reloads_total 3");
  expect(metrics).toContain("reloader_config_apply_operations_total 0");
  expect(metrics).toContain('config_sync_syncs_total{job="default",outcome="noticed"} 3');
});

test("files of the same name in two folders do not hide each other", async () => {
  const [a, b] = [join(tempDir(cleanup), "a"), join(tempDir(cleanup), "b")];
  const volumes = [createVolume(a, { x: "1" }), createVolume(b, { x: "1" })];
  const hook = await startHook();
  start(...QUICK, "--source", `dir:${a}`, "--source", `dir:${b}`, "--notify", hook.url);
  await until(() => hook.state.told.length === 1);
  volumes[0]!.publish({ x: "2" });
  await until(() => hook.state.told.length === 2);
  volumes[1]!.publish({ x: "2" });
  await until(() => hook.state.told.length === 3);
  expect(changed(hook.state)).toEqual([[], [join(a, "x").slice(1)], [join(b, "x").slice(1)]]);
});

test("an application that refuses is an error that shows, as there is nothing to go back to, and heals", async () => {
  const folder = join(tempDir(cleanup), "volume");
  const volume = createVolume(folder, { x: "good" });
  const [hook, app] = [await startHook(), await startHook()];
  const confirm = ["--confirm", app.url, "--confirm-timeout", "200ms"];
  const container = start(...QUICK, "--source", `dir:${folder}`, "--notify", hook.url, ...confirm);
  await until(async () => (await container.status()).error === null);
  app.state.status = 500;
  volume.publish({ x: "bad" });
  await until(async () => (await container.status()).error?.includes("has refused revision"));
  app.state.status = 200;
  volume.publish({ x: "better" });
  await until(async () => (await container.status()).error === null);
});

test("a folder that is gone is an error that heals", async () => {
  const folder = join(tempDir(cleanup), "volume");
  createVolume(folder, { x: "1" });
  const hook = await startHook();
  const container = start(...QUICK, "--source", `dir:${folder}`, "--notify", hook.url);
  await until(() => hook.state.told.length === 1);
  rmSync(folder, { recursive: true });
  await until(async () => (await container.status()).error?.includes("ENOENT"));
  createVolume(folder, { x: "2" });
  await until(() => hook.state.told.length === 2);
});

test("configmap-reload's flags: changes are announced, the start is not", async () => {
  const folder = join(tempDir(cleanup), "volume");
  const volume = createVolume(folder, { x: "1" });
  const hook = await startHook();
  const flags = [`--volume-dir=${folder}`, `--webhook-url=${hook.url}`, "-webhook-method", "PUT"];
  const container = start(...flags, "--web.listen-address=127.0.0.1:0", "--drain-delay=0");
  await until(async () => (await container.admin("/readyz")).status === 200);
  await until(async () => (await container.status()).error === null);
  volume.publish({ x: "2" });
  await until(() => hook.state.told.length > 0);
  expect(hook.state.told.map(({ method, body }) => [method, JSON.parse(body)])).toEqual([
    ["PUT", expect.objectContaining({ changed: [join(folder, "x").slice(1)], output: null, reason: "published" })],
  ]);
});

test.each([
  [["--source", "dir:/a"], "output: expected a folder, or somebody to notify of changes without one, got neither"],
  [["--source", "https://h/x?y", "--notify", "touch:/x"], "output: expected a folder for what comes from https://h/x"],
  [["--source", "dir:/a", "--notify", "touch:/x", "--validate", "json"], "validate: expected an output for it"],
  [["--source", "dir:/a", "--notify", "touch:/x", "--render", "env"], "render: expected an output for it"],
])("%j is refused", async (args, problem) => {
  const { code, stderr } = await runContainer({ name: "config-sync", args: ["--check-config", ...args], cleanup });
  expect([code, stderr]).toEqual([2, expect.stringContaining(problem)]);
});
