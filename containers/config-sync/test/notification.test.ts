// Who is told of a new revision, when, and how it is tried again.
import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { IncomingHttpHeaders } from "node:http";
import { join } from "node:path";

import type { Cleanup } from "@outrigger/testing";
import { freePort, startApp, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { nginx, startNginx } from "./nginx.ts";
import { createSync } from "./sync.ts";

type Call = { readonly method: string; readonly headers: IncomingHttpHeaders; readonly body: string };

async function startReceiver(cleanup: Cleanup, statusOf: (call: number) => number = () => 200) {
  const calls: Call[] = [];
  const app = await startApp(
    async (request, response) => {
      let body = "";
      for await (const chunk of request) body += String(chunk);
      calls.push({ method: request.method!, headers: request.headers, body });
      response.writeHead(statusOf(calls.length)).end();
    },
    { cleanup },
  );
  return { calls, url: `http://${app.address}/reload`, close: app.close };
}

test("a webhook is told what has changed, once for each revision", async () => {
  const sync = createSync(cleanup, { a: "1", b: "1" });
  const receiver = await startReceiver(cleanup);
  const container = sync.start("--notify", receiver.url);
  await until(() => receiver.calls.length === 1);
  sync.put({ a: "2", b: undefined, c: "1" });
  await until(() => receiver.calls.length === 2);
  const told = JSON.parse(receiver.calls[1]!.body) as Record<string, unknown>;
  expect(told).toMatchObject({ job: "default", added: ["c"], changed: ["a"], removed: ["b"], reason: "published" });
  expect(receiver.calls[1]!.headers["x-config-revision"]).toBe(told["revision"]);
  await until(async () => (await container.status()).announced);
  expect((await container.metrics()).value("reloader_last_reload_successful")).toBe(1);
  expect((await container.metrics()).value("reloader_reloads_total")).toBe(2);
});

test("method, header fields, body, credentials and the expected status are the operator's", async () => {
  const sync = createSync(cleanup, { a: "1" });
  const receiver = await startReceiver(cleanup, () => 418);
  const credentials = join(sync.folder, "credentials");
  writeFileSync(credentials, "Bearer s3cret\n");
  const container = sync.start(
    "--notify",
    receiver.url,
    "--notify-method",
    "PUT",
    "--notify-header",
    "X-One: 1",
    "--notify-status",
    "418",
    "--notify-body",
    "job={job} revision={revision} {unknown}",
    "--notify-authorization-file",
    credentials,
  );
  await until(async () => (await container.status()).announced);
  const { revision } = await container.status();
  expect(receiver.calls).toMatchObject([
    {
      method: "PUT",
      headers: { "x-one": "1", authorization: "Bearer s3cret" },
      body: `job=default revision=${revision} {unknown}`,
    },
  ]);
  expect(container.rawStderr()).not.toContain("s3cret");
});

test("a notification that fails is tried again, and then again with each interval, until it is heard", async () => {
  const sync = createSync(cleanup, { a: "1" });
  const receiver = await startReceiver(cleanup, (call) => (call < 5 ? 500 : 200));
  const container = sync.start(
    "--notify",
    receiver.url,
    "--notify-retries",
    "1",
    "--notify-backoff",
    "10ms",
    "--interval",
    "200ms",
  );
  await until(async () => (await container.status()).error?.includes("expected 2xx, got 500") === true);
  expect(sync.visible()).toEqual({ a: "1" });
  await until(async () => (await container.status()).announced);
  expect(receiver.calls.length).toBe(5);
  expect((await container.status()).error).toBeNull();
});

test("what was published and not yet told when the container was killed is told by the next one", async () => {
  const sync = createSync(cleanup, { a: "1" });
  const receiver = await startReceiver(cleanup, (call) => (call === 1 ? 500 : 200));
  const first = sync.start("--notify", receiver.url, "--notify-retries", "0", "--interval", "1h");
  await until(() => receiver.calls.length === 1);
  first.signal("SIGKILL");
  await first.exited;
  const second = sync.start("--notify", receiver.url);
  await until(async () => (await second.status()).announced);
  expect(receiver.calls.length).toBe(2);
});

test("nobody is told before the application answers for the first time, and what is published does not wait", async () => {
  const sync = createSync(cleanup, { a: "1" });
  const receiver = await startReceiver(cleanup);
  const port = await freePort();
  const container = sync.start("--notify", receiver.url, "--wait-for", `http://127.0.0.1:${port}/`);
  await sync.sees({ a: "1" });
  await until(async () => (await container.status()).error?.includes("does not answer yet") === true);
  expect((await container.admin("/readyz")).status).toBe(200);
  sync.put({ a: "2" });
  await sync.sees({ a: "2" });
  expect(receiver.calls).toEqual([]);
  await startApp((_, response) => response.writeHead(404).end(), { cleanup, port });
  await until(async () => (await container.status()).announced);
  expect(receiver.calls.length).toBe(1);
});

test("the first revision after the start can be kept to oneself", async () => {
  const sync = createSync(cleanup, { a: "1" });
  const receiver = await startReceiver(cleanup);
  const container = sync.start("--notify", receiver.url, "--skip-first-notify");
  await until(async () => (await container.status()).announced);
  sync.put({ a: "2" });
  await until(() => receiver.calls.length === 1);
  expect(JSON.parse(receiver.calls[0]!.body)).toMatchObject({ changed: ["a"] });
});

test("a command is run with what it has to know, and without a shell", async () => {
  const sync = createSync(cleanup, { a: "1" });
  const out = join(sync.folder, "out");
  writeFileSync(join(sync.folder, "told.sh"), `echo "$CONFIG_SYNC_JOB $CONFIG_SYNC_REVISION $PWD $1" > ${out}`);
  const container = sync.start("--notify", `exec:sh ${sync.folder}/told.sh "$(id)"`);
  await until(async () => (await container.status()).announced);
  const { revision } = await container.status();
  expect(readFileSync(out, "utf8")).toBe(`default ${revision} ${sync.output} $(id)\n`);
});

test("a command that runs when the container is asked to end is waited for", async () => {
  const sync = createSync(cleanup, { a: "1" });
  const [begun, ended] = [join(sync.folder, "begun"), join(sync.folder, "ended")];
  writeFileSync(join(sync.folder, "slow.sh"), `touch ${begun}; sleep 3; touch ${ended}`);
  const container = sync.start("--notify", `exec:sh ${sync.folder}/slow.sh`);
  await until(() => existsSync(begun));
  expect(await container.stop()).toEqual({ code: 0, signal: null });
  expect(existsSync(ended)).toBe(true);
});

describe("signals", () => {
  /** A process with a name of its own, which writes a file when it is signalled. */
  async function startSleeper(folder: string, name: string) {
    const script = join(folder, "sleeper.mjs");
    writeFileSync(
      script,
      `import { writeFileSync } from "node:fs"; process.on("SIGUSR1", () => undefined);
       process.on("SIGHUP", () => writeFileSync("${folder}/signalled", String(process.pid)));
       setInterval(() => undefined, 1000); writeFileSync("${folder}/up", "");`,
    );
    const child = spawn(process.execPath, [script, name], { stdio: "ignore", argv0: name });
    cleanup(() => void child.kill("SIGKILL"));
    await until(() => existsSync(join(folder, "up")));
    return child;
  }
  const name = `app-${process.pid}-${process.env["OUTRIGGER_RUNTIME"]}`;

  test.each([
    ["name", (name: string) => `signal:HUP:${name}`],
    ["command line", (name: string) => `signal:SIGHUP:command:sleeper.mjs ${name}`],
    ["pid file", (_: string, folder: string) => `signal:HUP:file:${folder}/pid`],
  ])("a process is found by its %s", async (_, notifier) => {
    const sync = createSync(cleanup, { a: "1" });
    const child = await startSleeper(sync.folder, name);
    writeFileSync(join(sync.folder, "pid"), `${child.pid}\n`);
    const container = sync.start("--notify", notifier(name, sync.folder));
    await until(() => existsSync(join(sync.folder, "signalled")));
    await until(async () => (await container.status()).announced);
    expect(readFileSync(join(sync.folder, "signalled"), "utf8")).toBe(String(child.pid));
  });

  test("what is missing is named: the process, or a number in the file", async () => {
    const sync = createSync(cleanup, { a: "1" });
    const none = await sync.run("--once", "--notify", "signal:HUP:no-such-thing", "--notify-retries", "0");
    expect(none.code).toBe(1);
    expect(none.stderr).toContain("signal: expected a process named no-such-thing, got none among");
    writeFileSync(join(sync.folder, "pid"), "-1");
    sync.put({ a: "2" });
    const group = await sync.run("--once", "--notify", `signal:HUP:file:${sync.folder}/pid`, "--notify-retries", "0");
    expect(group.stderr).toContain("pid: expected a process id, got -1");
  });

  test.skipIf(process.getuid?.() !== 0)("the right to signal that is missing is named, with both users", async () => {
    const sync = createSync(cleanup, { a: "1" });
    const child = await startSleeper(sync.folder, name);
    const { signalTarget } = await import("../src/processes.ts");
    const host = {
      environment: {},
      userId: 65532,
      processId: process.pid,
      signal: () => {
        throw Object.assign(new Error("kill EPERM"), { code: "EPERM" });
      },
    };
    writeFileSync(join(sync.folder, "pid"), String(child.pid));
    await expect(signalTarget({ by: "file", path: join(sync.folder, "pid") }, "SIGHUP", host)).rejects.toThrow(
      `expected the right to signal process ${child.pid} of UID 0, got EPERM as UID 65532: run both as the same UID, or add CAP_KILL`,
    );
  });
});

describe.skipIf(nginx.skip)(nginx.title("a real nginx"), () => {
  const conf = (text: string): string => `location / { return 200 "${text}"; }\n`;
  const args = (url: string, pidFile: string): string[] => [
    "--notify",
    `signal:HUP:file:${pidFile}`,
    "--wait-for",
    url,
    "--confirm",
    `${url}/version`,
    "--confirm-text",
    "{file:version.txt}",
    "--confirm-timeout",
    "2s",
  ];
  const version = (number: number): string => `location = /version { return 200 "v${number}"; }\n`;

  test("is reloaded by SIGHUP, and a revision that it refuses is taken back within seconds", async () => {
    const sync = createSync(cleanup, { "app.conf": conf("one") + version(1), "version.txt": "v1\n" });
    expect((await sync.run("--once")).code).toBe(0);
    const server = await startNginx(sync.output, cleanup);
    const container = sync.start(...args(server.url, server.pidFile));
    await until(async () => (await container.status()).confirmed);
    const good = (await container.status()).revision;
    sync.put({ "app.conf": `no such directive;\n`, "version.txt": "v2\n" });
    await until(async () => (await container.status()).refused.length === 1, { timeoutMs: 15_000 });
    await sync.sees({ "app.conf": conf("one") + version(1), "version.txt": "v1\n" });
    await until(async () => (await container.status()).announced);
    expect(await container.status()).toMatchObject({ revision: good, outcome: "refused" });
    expect(await server.answer("/")).toBe("one");
    const metrics = await container.metrics();
    expect(metrics.value("config_sync_rollbacks_total", { reason: "refused" })).toBe(1);
    expect((await container.status()).revisions.map(({ revision }) => revision)).toEqual([good]);
    expect((await container.status()).error).toContain("the application has refused revision");
    sync.put({ "app.conf": conf("three") + version(3), "version.txt": "v3\n" });
    await until(async () => (await server.answer("/")) === "three");
    await until(async () => (await container.status()).confirmed);
    expect((await container.status()).error).toBeNull();
  });

  test("that answers with errors after a reload is brought back, and a restart does not try again", async () => {
    const sync = createSync(cleanup, { "app.conf": conf("one") + version(1), "version.txt": "v1\n" });
    expect((await sync.run("--once")).code).toBe(0);
    const server = await startNginx(sync.output, cleanup);
    const container = sync.start(...args(server.url, server.pidFile));
    await until(async () => (await container.status()).confirmed);
    sync.put({ "app.conf": 'location / { return 503 "broken"; }\n', "version.txt": "v2\n" });
    await until(async () => (await container.status()).refused.length === 1, { timeoutMs: 15_000 });
    await until(async () => (await server.answer("/")) === "one");
    await container.stop();
    const again = sync.start(...args(server.url, server.pidFile));
    await until(async () => (await again.status()).outcome === "refused");
    expect(await server.answer("/")).toBe("one");
    expect((await again.metrics()).value("config_sync_syncs_total", { outcome: "published" })).toBe(0);
  });
});
