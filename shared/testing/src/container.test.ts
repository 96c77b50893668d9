import { join } from "node:path";

import { expect, onTestFinished, test } from "vitest";

import type { ContainerOptions } from "./container.ts";
import { runContainer, spawnContainer } from "./container.ts";
import { repository } from "./programs.ts";
import { until } from "./until.ts";

const entry = join(repository, "shared", "testing", "fixtures", "program.mjs");
const start = (options: Partial<ContainerOptions> = {}) =>
  spawnContainer({ entry, cleanup: onTestFinished, ...options });

for (const runtime of ["node", "bun"]) {
  test(`a container on ${runtime} is reached by its admin server, and stops on SIGTERM`, async () => {
    const container = start({ runtime, args: ["--admin-listen", "127.0.0.1:0"] });
    expect(await container.address("admin")).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(await container.admin("/metrics")).toMatchObject({ status: 200, headers: { "x-method": "GET" } });
    expect((await container.admin("/nothing", { method: "POST" })).headers["x-method"]).toBe("POST");
    expect(await container.stop()).toEqual({ code: 0, signal: null });
    const { stdout, stderr } = await container.exited;
    expect(stdout).toBe('arguments ["--admin-listen","127.0.0.1:0"]\n');
    expect(stderr).toContain("a line that is not JSON\n");
    expect(container.logs().at(-1)).toEqual({ level: "info", msg: "draining" });
  });
}

test("metrics are read from the admin server", async () => {
  const metrics = await start().metrics();
  expect(metrics.value("requests_total")).toBe(4);
  expect(metrics.value("requests_total", { path: 'a"b' })).toBe(3);
});

test("the environment is PATH, HOME and what was given", async () => {
  const answer = await start({ env: { TLS_SIDECAR_TARGET: "127.0.0.1:1" } }).admin("/environment");
  const names = Object.keys(answer.json() as object);
  expect(names.sort()).toEqual(["HOME", "PATH", "TLS_SIDECAR_TARGET"]);
});

test("a log record is waited for, the next one of its kind too", async () => {
  const container = start();
  await container.address("admin");
  container.signal("SIGHUP");
  const first = await container.waitForLog("reloaded");
  container.signal("SIGHUP");
  const second = await container.waitForLog(({ msg }) => msg === "reloaded", { after: first });
  expect(second).not.toBe(first);
  const third = container.waitForLog("reloaded", { after: second, timeoutMs: 20 });
  await expect(third).rejects.toThrow('waited 20 ms for the log record "reloaded"');
});

test("waiting for a log record of a process that has ended fails at once, with what it wrote", async () => {
  const container = start({ args: ["--fail"] });
  await expect(container.address("admin")).rejects.toThrow(/the process ended before[^]*--fail: expected nothing/);
});

test("a short run gives the exit status and the output", async () => {
  expect(await runContainer({ entry, args: ["--fail"] })).toEqual({
    code: 2,
    signal: null,
    stdout: "",
    stderr: "--fail: expected nothing, got something\n",
  });
});

test("a run that does not end in time is killed, and an error", async () => {
  await expect(runContainer({ entry, timeoutMs: 200 })).rejects.toThrow("expected it to end within 200 ms");
});

test("a container that does not stop in time is killed, and that is an error", async () => {
  const container = start({ args: ["--stubborn"] });
  await container.address("admin");
  await expect(container.stop({ timeoutMs: 100 })).rejects.toThrow("expected it to end within 100 ms");
  expect(await container.exited).toMatchObject({ code: null, signal: "SIGKILL" });
});

test("clean-up kills a container that still runs", async () => {
  const undos: (() => unknown)[] = [];
  const { pid, address, exited } = start({ cleanup: (undo) => undos.push(undo) });
  await address("admin");
  for (const undo of undos) await undo();
  expect(await exited).toMatchObject({ code: null, signal: "SIGKILL" });
  await until(() => !isRunning(pid));
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test("a container without a bundle is refused with the way to make one", () => {
  expect(() => spawnContainer({ name: "no-such-container" })).toThrow(
    /container no-such-container: expected its bundle at .*main\.mjs, got no file; npm run build makes it/,
  );
});
