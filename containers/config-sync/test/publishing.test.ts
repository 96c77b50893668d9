// From a mounted folder to the application's: what is published, when, and what is left alone.
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import { spawnContainer, tempDir, until } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { createSync, withApi } from "./sync.ts";

test("what the source has is published, and each change of it", async () => {
  const sync = createSync(cleanup, { "app.yaml": "a: 1\n", "sub/b.txt": "1" });
  const container = sync.start();
  await sync.sees({ "app.yaml": "a: 1\n", "sub/b.txt": "1" });
  sync.put({ "app.yaml": "a: 2\n" });
  await sync.sees({ "app.yaml": "a: 2\n", "sub/b.txt": "1" });
  sync.put({ "sub/b.txt": undefined, "sub/deep/c.txt": "2" });
  await sync.sees({ "app.yaml": "a: 2\n", "sub/deep/c.txt": "2" });
  expect(await container.status()).toMatchObject({ added: ["sub/deep/c.txt"], removed: ["sub/b.txt"], error: null });
});

test("what did not change is neither written nor announced, and not after a restart either", async () => {
  const sync = createSync(cleanup);
  const touched = join(sync.folder, "touched");
  const first = sync.start("--notify", `touch:${touched}`);
  await until(async () => (await first.status()).announced);
  const live = readlinkSync(join(sync.output, "..data"));
  const time = statSync(touched).mtimeMs;
  sync.put({ "app.yaml": "a: 1\n" });
  expect((await first.post("/api/v1/sync")).status).toBe(200);
  await first.stop();
  const second = sync.start("--notify", `touch:${touched}`);
  await until(async () => (await second.status()).announced);
  expect(readlinkSync(join(sync.output, "..data"))).toBe(live);
  expect(statSync(touched).mtimeMs).toBe(time);
  expect((await second.metrics()).value("config_sync_syncs_total", { outcome: "published" })).toBe(0);
});

test("several sources are merged, the later one wins, and that two have a file is told", async () => {
  const sync = createSync(cleanup, { a: "base", b: "base" });
  const over = tempDir(cleanup);
  writeFileSync(join(over, "b"), "over");
  const container = sync.start("--source", `dir:${over}`);
  await sync.sees({ a: "base", b: "over" });
  expect((await container.metrics()).value("config_sync_collisions")).toBe(1);
  await container.waitForLog((record) => record["subject"] === "collisions");
  await container.stop();
  const strict = sync.start("--source", `dir:${over}`, "--collision", "error");
  await until(async () => (await strict.status()).error?.includes("got b, which") === true);
  await strict.stop();
  sync.start("--source", `dir:${over}`, "--collision", "first");
  await sync.sees({ a: "base", b: "base" });
});

test("any number of changes within the quiet period are one publication and one notification", async () => {
  const sync = createSync(cleanup);
  const log = join(sync.folder, "log");
  const container = sync.start(
    "--quiet-period",
    "300ms",
    "--notify",
    `exec:sh -c "echo $CONFIG_SYNC_REVISION >> ${log}"`,
  );
  await until(async () => (await container.status()).announced);
  for (let i = 0; i < 300; i++) sync.put({ [`dashboard-${i}.json`]: `{"id":${i}}` });
  await until(() => Object.keys(sync.visible()).length === 301);
  await until(async () => {
    const { added, announced } = await container.status();
    return added.length === 100 && announced;
  });
  expect(readFileSync(log, "utf8").trim().split("\n").length).toBe(2);
});

test("a source that fails or is empty takes nothing away, and heals by itself", async () => {
  const sync = createSync(cleanup);
  const container = sync.start("--stale-after", "600ms");
  await sync.sees({ "app.yaml": "a: 1\n" });
  renameSync(sync.source, `${sync.source}.gone`);
  await until(async () => (await container.admin("/readyz")).status === 503);
  expect(sync.visible()).toEqual({ "app.yaml": "a: 1\n" });
  mkdirSync(sync.source);
  await until(async () => (await container.status()).error?.includes("expected files, got none") === true);
  expect(sync.visible()).toEqual({ "app.yaml": "a: 1\n" });
  expect((await container.admin("/livez")).status).toBe(200);
  sync.put({ "app.yaml": "a: 2\n" });
  await sync.sees({ "app.yaml": "a: 2\n" });
  await until(async () => (await container.admin("/readyz")).status === 200);
});

test("an empty source is taken seriously when that is asked for", async () => {
  const sync = createSync(cleanup, { a: "1" });
  sync.start("--unsafe-allow-empty");
  await sync.sees({ a: "1" });
  sync.put({ a: undefined });
  await sync.sees({});
});

test("a link out of the source, or more than the limits, is refused and counted", async () => {
  const sync = createSync(cleanup, { a: "1" });
  const container = sync.start("--max-size", "1KiB");
  await sync.sees({ a: "1" });
  symlinkSync("/etc/passwd", join(sync.source, "passwd"));
  await until(async () => (await container.status()).error?.includes("expected a link inside of") === true);
  renameSync(join(sync.source, "passwd"), join(sync.folder, "passwd"));
  sync.put({ large: "x".repeat(2000) });
  await until(
    async () => (await container.metrics()).value("config_sync_limits_reached_total", { limit: "bytes" })! > 0,
  );
  expect(sync.visible()).toEqual({ a: "1" });
});

test("the flat layout has plain files, and leaves those of others alone", async () => {
  const sync = createSync(cleanup, { "a.conf": "1", "sub/b.conf": "1" });
  mkdirSync(sync.output);
  writeFileSync(join(sync.output, "theirs.conf"), "theirs");
  const container = sync.start("--layout", "flat", "--file-mode", "0600");
  await sync.sees({ "a.conf": "1", "sub/b.conf": "1", "theirs.conf": "theirs" });
  expect(statSync(join(sync.output, "a.conf")).mode & 0o777).toBe(0o600);
  sync.put({ "theirs.conf": "ours" });
  await until(async () => (await container.status()).error?.includes("somebody else's") === true);
  sync.put({ "theirs.conf": undefined, "sub/b.conf": undefined });
  await sync.sees({ "a.conf": "1", "theirs.conf": "theirs" });
  expect(existsSync(join(sync.output, "sub"))).toBe(false);
});

test("once brings everything up to date and ends, with 1 and the reason if it cannot", async () => {
  const sync = createSync(cleanup);
  expect(await sync.run("--once")).toMatchObject({ code: 0 });
  expect(sync.visible()).toEqual({ "app.yaml": "a: 1\n" });
  sync.put({ "app.yaml": "a: [\n" });
  const { code, stderr } = await sync.run("--once", "--validate", "yaml");
  expect(code).toBe(1);
  expect(stderr).toContain("app.yaml: expected YAML, got");
  expect(sync.visible()).toEqual({ "app.yaml": "a: 1\n" });
});

test("a dry run publishes nothing, tells nobody and says what would change", async () => {
  const sync = createSync(cleanup);
  const touched = join(sync.folder, "touched");
  const { code, stderr } = await sync.run("--once", "--dry-run", "--notify", `touch:${touched}`);
  expect(code).toBe(0);
  expect(stderr).toContain('"added":["app.yaml"]');
  expect(sync.visible()).toEqual({});
  expect(existsSync(touched)).toBe(false);
});

test("one process does several jobs, and one that fails does not hold up the others", async () => {
  const sync = createSync(cleanup);
  const [one, two] = [join(sync.folder, "one"), join(sync.folder, "two")];
  const jobs = [
    { name: "one", source: [`dir:${sync.source}`], output: one, layout: "flat" },
    { name: "two", source: [`dir:${sync.folder}/missing`], output: two },
  ];
  const container = withApi(
    spawnContainer({
      name: "config-sync",
      args: ["--admin-listen", "127.0.0.1:0", "--drain-delay", "0"],
      env: { CONFIG_SYNC_CONFIG_INLINE: JSON.stringify({ jobs, quietPeriod: "20ms", interval: "300ms" }) },
      cleanup,
    }),
  );
  await until(() => existsSync(join(one, "app.yaml")));
  expect(await container.status("two")).toMatchObject({ revision: null, outcome: "failed" });
  expect((await container.admin("/readyz")).status).toBe(503);
  mkdirSync(join(sync.folder, "missing"));
  writeFileSync(join(sync.folder, "missing", "b"), "1");
  await until(async () => (await container.admin("/readyz")).status === 200);
  expect(readdirSync(two)).toContain("b");
});

test("whatever happens in the source in whatever order, the application ends with its final state", async () => {
  const sync = createSync(cleanup, { f0: "0" });
  const container = sync.start("--interval", "10s");
  await container.waitForLog("started");
  const random = (below: number): number => Math.floor(Math.random() * below);
  for (let i = 0; i < 400; i++) {
    const name = `${["", "x/", "x/y/", "z/"][random(4)]!}f${random(6)}`;
    const isRemoved = random(4) === 0 && existsSync(join(sync.source, name));
    sync.put({ [name]: isRemoved ? undefined : `${i}`, f0: `${i}` });
    if (random(10) === 0) container.signal("SIGHUP");
    if (random(20) === 0) await container.post("/api/v1/sync");
    if (random(3) === 0) await new Promise((resolve) => void setImmediate(resolve));
  }
  const final: Record<string, string> = {};
  for (const path of readdirSync(sync.source, { recursive: true, encoding: "utf8" })) {
    const file = join(sync.source, path);
    if (statSync(file).isFile()) final[path] = readFileSync(file, "utf8");
  }
  await sync.sees(final);
});

test("files are rendered with variables of the environment and of files, and again when those change", async () => {
  const sync = createSync(cleanup, { "app.conf": "${HOST}:${PORT:-80} ${PASSWORD}" });
  const secrets = join(sync.folder, "secrets");
  mkdirSync(secrets);
  writeFileSync(join(secrets, "PASSWORD"), "s3cret-one\n");
  const flags = [
    "--source",
    `dir:${sync.source}`,
    "--output",
    sync.output,
    "--render",
    "env",
    "--render-variables",
    secrets,
  ];
  const quick = ["--admin-listen", "127.0.0.1:0", "--drain-delay", "0", "--interval", "100ms"];
  const container = withApi(
    spawnContainer({ name: "config-sync", args: [...quick, ...flags], env: { HOST: "db" }, cleanup }),
  );
  await sync.sees({ "app.conf": "db:80 s3cret-one" });
  writeFileSync(join(secrets, "PASSWORD"), "s3cret-two\n");
  await sync.sees({ "app.conf": "db:80 s3cret-two" });
  sync.put({ "app.conf": "${NOT_THERE}" });
  await until(async () => (await container.status()).error?.includes("file named NOT_THERE") === true);
  expect(sync.visible()).toEqual({ "app.conf": "db:80 s3cret-two" });
  expect(container.rawStderr()).not.toContain("s3cret");
});

test("wrong options are told all at once", async () => {
  const sync = createSync(cleanup);
  const wrong = {
    validate: "xml",
    notify: "signal:NOPE:nginx",
    confirm: "maybe",
    "file-mode": "9",
    owner: "me",
    "wait-for": "udp://x",
    source: "ftp://x",
  };
  const { code, stderr } = await sync.run(...Object.entries(wrong).map(([name, text]) => `--${name}=${text}`));
  expect(code).toBe(2);
  for (const name of Object.keys(wrong)) expect.soft(stderr).toMatch(new RegExp(`--${name}: expected .*, got `));
});
