// What the API changes: sync now, go back, pause, resume; and who may ask.
import { createHmac } from "node:crypto";
import { writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";

import { parseAddress } from "@outrigger/options";
import { request, until } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { createSync } from "./sync.ts";

test("a rollback publishes the revision before, stays with it also after a restart, and resume ends that", async () => {
  const sync = createSync(cleanup, { a: "1" });
  const container = sync.start();
  await until(async () => (await container.status()).announced);
  const first = (await container.status()).revision;
  sync.put({ a: "2" });
  await until(async () => (await container.status()).changed.length === 1 && (await container.status()).announced);
  expect((await container.post("/api/v1/rollback")).status).toBe(200);
  expect(sync.visible()).toEqual({ a: "1" });
  expect(await container.status()).toMatchObject({ revision: first, pinned: expect.any(String) });
  await container.stop();
  const again = sync.start();
  await until(async () => (await again.status()).outcome === "held");
  sync.put({ a: "3" });
  await again.post("/api/v1/sync");
  expect(sync.visible()).toEqual({ a: "1" });
  expect((await again.post("/api/v1/resume?job=default")).status).toBe(200);
  expect(sync.visible()).toEqual({ a: "3" });
  expect((await again.post(`/api/v1/rollback?to=${first}`)).status).toBe(200);
  expect(sync.visible()).toEqual({ a: "1" });
});

test("an unknown revision is 409 and says which there are, an unknown job 404", async () => {
  const sync = createSync(cleanup, { a: "1" });
  const container = sync.start();
  await sync.sees({ a: "1" });
  const { status, body } = await container.post("/api/v1/rollback");
  expect([status, body]).toEqual([409, expect.stringContaining("expected an older revision to be there, got none")]);
  expect((await container.post("/api/v1/pause?job=nope")).status).toBe(404);
});

test("while paused nothing is published, and resume catches up", async () => {
  const sync = createSync(cleanup, { a: "1" });
  const container = sync.start();
  await sync.sees({ a: "1" });
  await container.post("/api/v1/pause");
  sync.put({ a: "2" });
  await container.post("/api/v1/sync");
  expect(sync.visible()).toEqual({ a: "1" });
  await container.post("/api/v1/resume");
  expect(sync.visible()).toEqual({ a: "2" });
});

test("a sync by API is done when it is answered", async () => {
  const sync = createSync(cleanup, { a: "1" });
  const container = sync.start("--quiet-period", "1h", "--max-delay", "1h", "--interval", "1h");
  await sync.sees({ a: "1" });
  sync.put({ a: "2" });
  const { body } = await container.post("/api/v1/sync");
  expect(sync.visible()).toEqual({ a: "2" });
  expect(JSON.parse(body)).toMatchObject({ jobs: [{ outcome: "published", changed: ["a"] }] });
});

const outside = Object.values(networkInterfaces())
  .flat()
  .find((address) => address?.family === "IPv4" && !address.internal)?.address;

test.skipIf(outside === undefined)("from elsewhere a sync needs a signature as GitHub or GitLab makes it", async () => {
  const sync = createSync(cleanup, { a: "1" });
  const secret = join(sync.folder, "secret");
  writeFileSync(secret, "hook-s3cret\n");
  const container = sync.start("--admin-listen", "0.0.0.0:0", "--push-secret-file", secret);
  const { port } = parseAddress(await container.address("admin"), "127.0.0.1") as { port: number };
  await container.waitForLog("started");
  const body = JSON.stringify({ ref: "refs/heads/main", text: "ü" });
  const ask = async (headers: Record<string, string>): Promise<number> =>
    (await request({ host: outside!, port }, "/api/v1/sync", { method: "POST", headers, body })).status;
  const sign = (key: string): string => `sha256=${createHmac("sha256", key).update(body).digest("hex")}`;
  const json = { "content-type": "application/json" };
  expect(await ask(json)).toBe(403);
  expect(await ask({ ...json, "x-hub-signature-256": sign("wrong") })).toBe(403);
  expect(await ask({ ...json, "x-gitlab-token": "wrong" })).toBe(403);
  expect(await ask({ ...json, "x-hub-signature-256": sign("hook-s3cret") })).toBe(200);
  expect(await ask({ ...json, "x-gitlab-token": "hook-s3cret" })).toBe(200);
  expect((await request({ host: outside!, port }, "/api/v1/rollback", { method: "POST" })).status).toBe(403);
  const metrics = await container.metrics();
  expect(metrics.value("config_sync_pushes_total", { outcome: "refused" })).toBe(3);
  expect(metrics.value("config_sync_pushes_total", { outcome: "accepted" })).toBe(2);
});
