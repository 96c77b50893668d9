// ConfigMaps and Secrets through the API of Kubernetes, from a test server that can be as bad as real ones.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { spawnContainer, until } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { startKubeServer } from "./kube-server.ts";
import type { KubeServer } from "./kube-server.ts";
import { createSync, withApi } from "./sync.ts";
import type { Started, Sync } from "./sync.ts";

const LABELS = { labels: { app: "x" } };

function startKube(sync: Sync, server: KubeServer, source: string, ...args: string[]): Started {
  const written = `${source}${source.includes("?") ? "&" : "?"}server=${server.url}&namespace=default`;
  const quick = ["--admin-listen", "127.0.0.1:0", "--drain-delay", "0", "--quiet-period", "10ms", "--interval", "1h"];
  return withApi(
    spawnContainer({
      name: "config-sync",
      args: [...quick, "--output", sync.output, "--source", written, ...args],
      cleanup,
    }),
  );
}

test("labelled ConfigMaps are published, and each change of them as soon as it happens", async () => {
  const sync = createSync(cleanup);
  const server = await startKubeServer(cleanup);
  server.put(
    "configmaps",
    "one",
    { "a.yaml": "1" },
    { ...LABELS, binaryData: { "b.bin": Buffer.from([0, 255]).toString("base64") } },
  );
  server.put("configmaps", "other", { "c.yaml": "1" }, { labels: { app: "y" } });
  startKube(sync, server, "kube:configmap?label=app=x");
  await until(() => Object.keys(sync.visible()).sort().join() === "a.yaml,b.bin");
  expect(sync.visible()["a.yaml"]).toBe("1");
  server.put("configmaps", "two", { "d.yaml": "2" }, LABELS);
  await until(() => sync.visible()["d.yaml"] === "2");
  server.put("configmaps", "one", { "a.yaml": "3" }, LABELS);
  await sync.sees({ "a.yaml": "3", "d.yaml": "2" });
  server.remove("configmaps", "one");
  await sync.sees({ "d.yaml": "2" });
  expect(server.lists).toBe(1);
});

test("a Secret is had by its name, may come later, and is decoded", async () => {
  const sync = createSync(cleanup);
  const server = await startKubeServer(cleanup);
  server.put("secrets", "other", { password: Buffer.from("no").toString("base64") });
  const container = startKube(sync, server, "kube:secret/db", "--file-mode", "0600");
  await until(async () => (await container.status()).error?.includes("expected files, got none") === true);
  server.put("secrets", "db", { password: Buffer.from("s3cret").toString("base64") });
  await sync.sees({ password: "s3cret" });
  expect(container.rawStderr()).not.toContain("s3cret");
});

test("a thousand objects come in pages, and three hundred changes at once are one notification", async () => {
  const sync = createSync(cleanup);
  const server = await startKubeServer(cleanup);
  for (let i = 0; i < 1000; i++) server.put("configmaps", `map-${i}`, { [`${i}.json`]: "{}" }, LABELS);
  const container = startKube(
    sync,
    server,
    "kube:configmap?label=app",
    "--notify",
    `touch:${sync.folder}/touched`,
    "--quiet-period",
    "300ms",
  );
  await until(() => Object.keys(sync.visible()).length === 1000, { timeoutMs: 20_000 });
  expect(server.lists).toBe(20);
  await until(async () => (await container.status()).announced);
  const told = async () => (await container.metrics()).value("config_sync_notifications_total", { outcome: "ok" });
  expect(await told()).toBe(1);
  for (let i = 0; i < 300; i++) server.put("configmaps", `map-${i}`, { [`${i}.json`]: "[]" }, LABELS);
  await until(() => Object.values(sync.visible()).filter((text) => text === "[]").length === 300);
  await until(async () => (await told()) === 2);
});

test("after a version that is too old everything is listed again, and what was missed is there", async () => {
  const sync = createSync(cleanup);
  const server = await startKubeServer(cleanup);
  server.put("configmaps", "one", { a: "1" }, LABELS);
  server.put("configmaps", "two", { b: "1" }, LABELS);
  startKube(sync, server, "kube:configmap?label=app");
  await sync.sees({ a: "1", b: "1" });
  await until(() => server.watches === 1);
  server.endWatches("gone");
  await until(() => server.lists === 2 && server.watches === 2);
  server.become("gone");
  server.endWatches("end");
  server.remove("configmaps", "two");
  server.put("configmaps", "one", { a: "2" }, LABELS);
  await sync.sees({ a: "2" });
  server.become("good");
  const { watches } = server;
  await until(() => server.watches > watches);
});

test("a watch that the server ends goes on where it was, by the last bookmark, without a new list", async () => {
  const sync = createSync(cleanup);
  const server = await startKubeServer(cleanup);
  server.put("configmaps", "one", { a: "1" }, LABELS);
  startKube(sync, server, "kube:configmap?label=app");
  await sync.sees({ a: "1" });
  await until(() => server.watches === 1);
  server.put("configmaps", "unrelated", { z: "1" });
  server.bookmark();
  server.put("configmaps", "one", { a: "2" }, LABELS);
  await sync.sees({ a: "2" });
  server.endWatches("end");
  await until(() => server.watches === 2);
  server.put("configmaps", "one", { a: "3" }, LABELS);
  await sync.sees({ a: "3" });
  expect(server.lists).toBe(1);
});

test("a server that ends each watch at once is not asked without end, and what it has is listed", async () => {
  const sync = createSync(cleanup);
  const server = await startKubeServer(cleanup);
  server.put("configmaps", "one", { a: "1" }, LABELS);
  server.become("closing");
  startKube(sync, server, "kube:configmap?label=app");
  await sync.sees({ a: "1" });
  server.put("configmaps", "one", { a: "2" }, LABELS);
  await sync.sees({ a: "2" });
  expect(server.watches).toBeLessThan(6);
});

test("a server that goes silent is found out: the old set stays, /livez fails, and both heal", async () => {
  const sync = createSync(cleanup);
  const server = await startKubeServer(cleanup);
  server.put("configmaps", "one", { a: "1" }, LABELS);
  const container = startKube(sync, server, "kube:configmap?label=app&watch-timeout=1s&timeout=500ms");
  await sync.sees({ a: "1" });
  await until(() => server.watches >= 1);
  server.become("silent");
  server.put("configmaps", "one", { a: "2" }, LABELS);
  await until(async () => (await container.admin("/livez")).status === 503, { timeoutMs: 20_000 });
  expect((await container.admin("/livez")).body).toContain("source kube:configmap?label=app");
  expect(sync.visible()).toEqual({ a: "1" });
  expect((await container.admin("/readyz")).status).toBe(200);
  server.become("good");
  await sync.sees({ a: "2" });
  await until(async () => (await container.admin("/livez")).status === 200);
}, 60_000);

test("a server that refuses says what is missing, and does not make /livez fail", async () => {
  const sync = createSync(cleanup);
  const server = await startKubeServer(cleanup);
  server.become("forbidden");
  server.put("configmaps", "one", { a: "1" }, LABELS);
  const container = startKube(sync, server, "kube:configmap?label=app");
  await until(
    async () => (await container.status()).error?.includes("service account needs get, list and watch") === true,
  );
  expect((await container.admin("/livez")).status).toBe(200);
  server.become("good");
  await sync.sees({ a: "1" });
});

test("the token is read anew for each request", async () => {
  const sync = createSync(cleanup);
  const server = await startKubeServer(cleanup);
  server.put("configmaps", "one", { a: "1" }, LABELS);
  const token = join(sync.folder, "token");
  writeFileSync(token, "first-token\n");
  const container = startKube(sync, server, `kube:configmap?label=app&token=${token}`);
  await sync.sees({ a: "1" });
  await until(() => server.watches === 1);
  writeFileSync(token, "second-token\n");
  server.endWatches("end");
  await until(() => server.watches === 2);
  expect(server.tokens.slice(0, 2)).toEqual(["Bearer first-token", "Bearer first-token"]);
  expect(server.tokens.at(-1)).toBe("Bearer second-token");
  expect(container.rawStderr()).not.toContain("-token");
});

test("objects with the same key do not overwrite each other unnoticed, and can have names of their own", async () => {
  const sync = createSync(cleanup);
  const server = await startKubeServer(cleanup);
  server.put("configmaps", "one", { "app.yaml": "1" }, LABELS);
  server.put("configmaps", "two", { "app.yaml": "2" }, { ...LABELS, annotations: { folder: "sub/" } });
  server.put("configmaps", "three", { "app.yaml": "3" }, LABELS);
  const strict = startKube(sync, server, "kube:configmap?label=app", "--collision", "error");
  await until(async () => (await strict.status()).error?.includes("which configmap default/one has, too") === true);
  await strict.stop();
  const unique = startKube(sync, server, "kube:configmap?label=app&unique=true&folder-annotation=folder");
  await sync.sees({
    "namespace_default.configmap_one.app.yaml": "1",
    "sub/namespace_default.configmap_two.app.yaml": "2",
    "namespace_default.configmap_three.app.yaml": "3",
  });
  server.put("configmaps", "two", { "app.yaml": "2" }, { ...LABELS, annotations: { folder: "/etc/cron.d" } });
  await until(async () => (await unique.status()).error?.includes("expected a relative path") === true);
});
