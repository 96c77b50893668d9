// What must hold before anything becomes visible.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { startApp, until } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { createSync } from "./sync.ts";

test("one invalid file of twenty keeps the whole old set live, says why everywhere, and heals when it is mended", async () => {
  const files = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`app-${i}.yaml`, `number: ${i}\n`]));
  const sync = createSync(cleanup, files);
  const container = sync.start("--validate", "yaml");
  await sync.sees(files);
  sync.put({ "app-3.yaml": "changed: true\n", "app-7.yaml": "broken: [\n" });
  await until(async () => (await container.status()).outcome === "invalid");
  expect(sync.visible()).toEqual(files);
  expect((await container.status()).error).toContain("yaml: app-7.yaml: expected YAML, got");
  expect((await container.metrics()).value("config_sync_validation_failures_total")).toBeGreaterThan(0);
  await container.waitForLog((record) => record["subject"] === "sync" && String(record["reason"]).includes("app-7"));
  expect((await container.admin("/readyz")).status).toBe(200);
  sync.put({ "app-7.yaml": "broken: []\n" });
  await sync.sees({ ...files, "app-3.yaml": "changed: true\n", "app-7.yaml": "broken: []\n" });
  await until(async () => (await container.status()).error === null);
});

test.each([
  ["json", "a.json", '{"a":1}', '{"a":1'],
  ["yaml@*.conf", "a.conf", "a: 1", "a: b: c"],
  ["toml", "a.toml", "a = 1\n[b]\nc = [1]", "a = "],
  ["ini", "a.ini", "; c\n[s]\na = 1\nb: 2\n  more\n", "[s]\nnonsense\n"],
  ["non-empty@*.txt", "a.txt", "x", " \n"],
  ["regex:(?m)^listen @*.conf", "a.conf", "# x\nlisten 80;", "# listen 80;"],
  ["size:10@a.txt", "a.txt", "x", "x".repeat(11)],
  ["json@*.txt", "a.txt", "1", "\u00ff\u0000{"],
])("%s takes %s with %j, and not with %j", async (validator, name, good, bad) => {
  const sync = createSync(cleanup, { [name]: good });
  expect((await sync.run("--once", "--validate", validator)).code).toBe(0);
  sync.put({ [name]: bad });
  const { code, stderr } = await sync.run("--once", "--validate", validator);
  expect([code, stderr]).toEqual([1, expect.stringContaining(`${name}: expected`)]);
  expect(sync.visible()).toEqual({ [name]: good });
});

test("a required file must be there", async () => {
  const sync = createSync(cleanup, { "conf/app.yaml": "a: 1" });
  expect((await sync.run("--once", "--validate", "required:app.yaml")).code).toBe(0);
  sync.put({ "conf/app.yaml": "a: 2" });
  const { stderr } = await sync.run("--once", "--validate", "required:other.*");
  expect(stderr).toContain("other.*: expected a file of this name, got none");
});

test("a JSON Schema is about JSON, YAML and TOML", async () => {
  const sync = createSync(cleanup, {
    "a.yaml": "port: 80\n---\nport: 81\n",
    "b.json": '{"port":1}',
    "c.toml": "port = 1",
  });
  const schema = join(sync.folder, "schema.json");
  writeFileSync(
    schema,
    JSON.stringify({ type: "object", properties: { port: { type: "integer" } }, required: ["port"] }),
  );
  const check = () => sync.run("--once", "--validate", `schema:${schema}`);
  expect((await check()).code).toBe(0);
  sync.put({ "a.yaml": "port: 80\n---\nport: eighty\n" });
  expect((await check()).stderr).toContain("a.yaml: expected /port as the schema says, got one that must be integer");
});

test("a command of the operator's looks at the staged folder, and what it says is the reason", async () => {
  const sync = createSync(cleanup, { "a.txt": "good" });
  const check = (...args: string[]) =>
    sync.run("--once", "--validate", `exec:sh -c "grep good a.txt || { echo not good >&2; exit 3; }"`, ...args);
  expect((await check()).code).toBe(0);
  sync.put({ "a.txt": "bad" });
  expect((await check()).stderr).toContain("sh: expected exit status 0, got 3: not good");
  const { stderr } = await sync.run("--once", "--validate", "exec:sleep 60", "--notify-timeout", "200ms");
  expect(stderr).toContain("sleep: expected it to end within 200 ms");
  expect(sync.visible()).toEqual({ "a.txt": "good" });
});

test("an HTTP service is asked about the staged folder, and may say no", async () => {
  const asked: string[] = [];
  let status = 200;
  const app = await startApp(
    async (request, response) => {
      let body = "";
      for await (const chunk of request) body += String(chunk);
      asked.push(body);
      response.writeHead(status).end("not today");
    },
    { cleanup },
  );
  const sync = createSync(cleanup, { a: "1" });
  const check = () => sync.run("--once", "--validate", `http://${app.address}/check`);
  expect((await check()).code).toBe(0);
  expect(JSON.parse(asked[0]!)).toMatchObject({ job: "default", added: ["a"], files: ["a"] });
  status = 422;
  sync.put({ a: "2" });
  expect((await check()).stderr).toContain("expected 2xx, got 422 not today");
  expect(sync.visible()).toEqual({ a: "1" });
});
