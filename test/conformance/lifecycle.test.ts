// C9 to C12 of the container contract: the life of a container.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { prefixOf } from "@outrigger/options";
import { repository, requirePrograms, runtimePath, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { containerFolder } from "../../scripts/containers.ts";
import { start, subjects } from "./subject.ts";
import type { Subject } from "./subject.ts";

const RUNTIME = process.env["OUTRIGGER_RUNTIME"] ?? "node";
const unshare = requirePrograms("unshare");

describe.each(subjects)("$name", (subject: Subject) => {
  test("C9 it is not ready while draining, and alive all the time", async () => {
    const container = await start(subject, cleanup, ["--drain-delay", "500ms"]);
    expect((await container.admin("/startupz")).status).toBe(200);
    const exit = container.stop();
    await container.waitForLog("draining");
    expect((await container.admin("/readyz")).status).toBe(503);
    expect((await container.admin("/livez")).status).toBe(200);
    expect((await container.metrics()).value("outrigger_ready")).toBe(0);
    expect(await exit).toEqual({ code: 0, signal: null });
  });

  test.each(["SIGTERM", "SIGINT"] as const)("C10 %s ends it with status 0", async (signal) => {
    const container = await start(subject, cleanup);
    container.signal(signal);
    expect(await container.exited).toMatchObject({ code: 0, signal: null });
    expect(container.logs().at(-1)).toMatchObject({ msg: "stopped", finished: true });
  });

  test("C10 a second signal ends it at once, with status 1", async () => {
    const container = await start(subject, cleanup, ["--drain-delay", "1h"]);
    container.signal("SIGTERM");
    await container.waitForLog("draining");
    container.signal("SIGTERM");
    expect(await container.exited).toMatchObject({ code: 1, signal: null });
  });

  test("C10 POST /api/v1/shutdown ends it as SIGTERM does", async () => {
    const container = await start(subject, cleanup);
    expect((await container.admin("/api/v1/shutdown", { method: "POST" })).status).toBe(202);
    expect(await container.exited).toMatchObject({ code: 0 });
  });

  test.skipIf(unshare.skip)(unshare.title("C10 as process 1 of its own namespace SIGTERM ends it, too"), async () => {
    const { args } = await subject.fixture(cleanup);
    const bundle = join(containerFolder(subject.name), "dist", "main.mjs");
    const flags = ["--admin-listen", "127.0.0.1:0", "--drain-delay", "0", ...args];
    const child = spawn(
      unshare.path("unshare"),
      ["--user", "--map-root-user", "--pid", "--fork", "--kill-child", runtimePath(RUNTIME), bundle, ...flags],
      { stdio: ["ignore", "ignore", "pipe"], env: { PATH: process.env["PATH"] } },
    );
    cleanup(() => void child.kill("SIGKILL"));
    let log = "";
    child.stderr.on("data", (bytes) => (log += String(bytes)));
    const exited = new Promise((resolve) => void child.once("exit", (code, signal) => resolve({ code, signal })));
    await until(() => log.includes('"msg":"started"'), { timeoutMs: 10_000, describe: "the container to start" });
    const inner = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim();
    process.kill(Number(inner), "SIGTERM");
    expect(await exited).toEqual({ code: 0, signal: null });
    expect(log).toContain('"msg":"stopped"');
  });

  test("C11 started and stopped twice in one process, it leaves nothing behind", async () => {
    const { args } = await subject.fixture(cleanup);
    const program = join(repository, "test", "conformance", "start-twice.ts");
    const container = join(containerFolder(subject.name), "src", "container.ts");
    const child = spawn(runtimePath(RUNTIME), [program, container, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    cleanup(() => void child.kill("SIGKILL"));
    let out = "";
    let log = "";
    child.stdout.on("data", (bytes) => (out += String(bytes)));
    child.stderr.on("data", (bytes) => (log += String(bytes)));
    const code = await new Promise((resolve) => void child.once("exit", resolve));
    // It ended by itself: whatever had been left would have kept it alive.
    expect(code, log).toBe(0);
    expect(JSON.parse(out)).toEqual({ left: [], uncaught: 0, listeners: 0 });
  });

  test("C12 a failing dependency shows in readiness, metrics and one log line for each change, and heals", async ({
    skip,
  }) => {
    const container = await start(subject, cleanup);
    const { dependency } = container.fixture;
    if (dependency === undefined) return skip("it depends on nothing");
    const before = container.logs().length;
    await dependency.fail();
    await until(async () => (await container.admin("/readyz")).status === 503);
    expect((await container.metrics()).value("outrigger_ready")).toBe(0);
    expect((await container.admin("/livez")).status).toBe(200);
    await dependency.heal();
    await until(async () => (await container.admin("/readyz")).status === 200);
    const changes = (): unknown[] =>
      container
        .logs()
        .slice(before)
        .filter((record) => record.msg === "readiness changed")
        .map((record) => record["ready"]);
    // The answer to a probe may be here before the line.
    await until(() => changes().length >= 2);
    expect(changes()).toEqual([false, true]);
    const told = container
      .logs()
      .slice(before)
      .filter((record) => record.msg === "condition does not hold");
    expect(told.length).toBeGreaterThanOrEqual(1);
    expect(told.length).toBeLessThanOrEqual(2);
    expect(await container.stop()).toEqual({ code: 0, signal: null });
  });

  test("C13 healthcheck asks the running container", async () => {
    const container = await start(subject, cleanup);
    const { runContainer } = await import("@outrigger/testing");
    const ask = async (address: string) =>
      (
        await runContainer({
          name: subject.name,
          args: ["healthcheck"],
          env: { [`${prefixOf(subject.name)}_ADMIN_LISTEN`]: address },
          cleanup,
        })
      ).code;
    const address = await container.address("admin");
    expect(await ask(address)).toBe(0);
    await container.stop();
    expect(await ask(address)).toBe(1);
  });
});
