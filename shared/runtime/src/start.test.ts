import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";

import { formatAddress } from "@outrigger/options";
import { repository, request, runtimePath, startEchoServer, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { demo } from "../test/demo.ts";
import { captureLog } from "../test/log.ts";
import { startDemo, valuesOf } from "../test/started.ts";
import type { Stdio } from "./container.ts";
import { startContainer } from "./start.ts";

const messages = (lines: { msg: string }[]): string[] => lines.map(({ msg }) => msg);

test("it starts, is ready, drains and stops, and tells each", async () => {
  const { admin, stop, stopped, lines } = await startDemo();
  expect(lines()).toContainEqual(
    expect.objectContaining({ msg: "listening", listener: "admin", address: formatAddress(admin) }),
  );
  expect(await stop()).toEqual({ finished: true });
  expect(await stopped).toEqual({ finished: true });
  expect(messages(lines())).toEqual([
    "listening",
    "loop runs",
    "condition holds",
    "readiness changed",
    "started",
    "draining",
    "condition does not hold",
    "readiness changed",
    "stopped",
  ]);
});

test("started and stopped twice in one process, it leaves no handle, timer or listener behind", () => {
  const program = join(repository, "shared", "runtime", "test", "start-twice.ts");
  for (const runtime of ["node", "bun"]) {
    // That the program ends by itself says that nothing keeps it alive.
    const out = execFileSync(runtimePath(runtime), [program], { encoding: "utf8", timeout: 15_000 });
    expect(JSON.parse(out), runtime).toEqual({ left: [], listeners: 0 });
  }
});

test("what was acquired is undone in reverse order, the admin server last, after everything is finished", async () => {
  const order: string[] = [];
  const { stop, admin } = await startDemo({
    container: {
      start: async ({ onStop, draining }) => {
        draining.addEventListener("abort", () => order.push("draining"));
        onStop("first", async () => order.push(`first, admin answers ${(await request(admin, "/livez")).status}`));
        onStop("second", () => order.push("second"));
        return { drain: async () => void order.push("drained") };
      },
    },
  });
  await Promise.all([stop(), stop()]);
  expect(order).toEqual(["draining", "drained", "second", "first, admin answers 200"]);
  await expect(request(admin, "/livez")).rejects.toThrow("ECONNREFUSED");
});

test("the drain delay passes before draining begins, and it still serves meanwhile", async () => {
  let drained = false;
  const { ask, stop } = await startDemo({
    args: ["--drain-delay", "300ms"],
    container: { start: async () => ({ drain: async () => void (drained = true) }) },
  });
  const began = performance.now();
  const stopping = stop();
  expect((await ask("/readyz")).status).toBe(503);
  expect(drained).toBe(false);
  await stopping;
  expect(drained).toBe(true);
  expect(performance.now() - began).toBeGreaterThan(290);
});

describe("a start that fails", () => {
  test("undoes what was done, and throws its reason", async () => {
    const { sink, lines } = captureLog();
    let undone = false;
    let address = "";
    const starting = startContainer(
      {
        ...demo,
        start: async ({ onStop }) => {
          onStop("something", () => (undone = true));
          address = String(lines().find(({ listener }) => listener === "admin")!["address"]);
          throw new Error("--cert: expected a file, got nothing");
        },
      },
      valuesOf(demo),
      { sink },
    );
    await expect(starting).rejects.toThrow("--cert: expected a file, got nothing");
    expect(undone).toBe(true);
    const [host = "", port] = address.split(":");
    await expect(request({ host, port: Number(port) }, "/livez")).rejects.toThrow("ECONNREFUSED");
  });

  test("because the admin port is taken says so, and starts nothing", async () => {
    const taken = await startEchoServer({ cleanup });
    let started = false;
    const start = async () => {
      started = true;
      return {};
    };
    await expect(startDemo({ args: ["--admin-listen", taken.address], container: { start } })).rejects.toThrow(
      `--admin-listen: expected a free address, got ${taken.address} (EADDRINUSE)`,
    );
    expect(started).toBe(false);
  });
});

describe("a stop that does not go well", () => {
  test("work that is not finished within --shutdown-timeout is given up, and that is told", async () => {
    const { stop, lines } = await startDemo({ args: ["--shutdown-timeout", "50ms", "--drain-time", "10s"] });
    expect(await stop()).toEqual({ finished: false });
    expect(messages(lines())).toContain("shutdown timed out");
    expect(lines().at(-1)).toMatchObject({ msg: "stopped", finished: false });
  });

  test.each([
    ["rejects", () => Promise.reject(new Error("no"))],
    [
      "throws",
      () => {
        throw new Error("no");
      },
    ],
  ])("a drain that %s is logged, and everything is undone all the same", async (_, drain) => {
    let undone = false;
    const { stop, lines } = await startDemo({
      container: {
        start: async ({ onStop }) => {
          onStop("something", () => (undone = true));
          return { drain };
        },
      },
    });
    expect(await stop()).toEqual({ finished: false });
    expect(undone).toBe(true);
    expect(lines()).toContainEqual(expect.objectContaining({ msg: "draining failed", error: { message: "no" } }));
  });

  test("something that cannot be undone does not keep it from stopping, and is named", async () => {
    const server = createServer().listen(0);
    await once(server, "listening");
    const { stop, lines } = await startDemo({
      container: {
        start: async ({ onStop }) => {
          onStop("server", () => server.close());
          onStop("stuck", () => new Promise(() => undefined));
          return {};
        },
      },
    });
    expect(await stop()).toEqual({ finished: false });
    expect(server.listening).toBe(false);
    expect(lines()).toContainEqual(expect.objectContaining({ msg: "stopping timed out", name: "stuck" }));
  });
});

test("asked to stop while it starts, it first starts and then stops, so that nothing is left", async () => {
  const { sink, lines } = captureLog();
  const starting = startContainer(demo, valuesOf(demo, ["--start-time", "300ms"]), { sink });
  const admin = await until(() => lines().find(({ listener }) => listener === "admin")?.["address"]);
  const [host = "", port] = String(admin).split(":");
  const answer = await request({ host, port: Number(port) }, "/api/v1/shutdown", { method: "POST" });
  expect(answer.status).toBe(202);
  expect(messages(lines())).not.toContain("started");
  const { stopped } = await starting;
  expect(await stopped).toEqual({ finished: true });
  expect(messages(lines()).indexOf("draining")).toBeGreaterThan(messages(lines()).indexOf("started"));
});

test("recorded lines are written before it has stopped", async () => {
  const { stop, lines } = await startDemo({
    container: {
      start: async ({ record }) => ({ drain: async () => record("request", { status: 200 }) }),
    },
  });
  await stop();
  expect(messages(lines())).toContain("request");
});

test("threads need to know the bundle that they run", async () => {
  const start = startDemo({
    container: {
      start: async ({ startThread }) => {
        startThread({});
        return {};
      },
    },
  });
  await expect(start).rejects.toThrow("threads: expected the bundle's URL as entry, got nothing");
});

test("a container whose work is done ends by itself, and waits for nobody to look elsewhere", async () => {
  let drained = false;
  const began = performance.now();
  const { stopped } = await startDemo({
    args: ["--drain-delay", "1h"],
    container: {
      start: async ({ finish }) => {
        setImmediate(finish);
        return { drain: async () => void (drained = true) };
      },
    },
  });
  expect(await stopped).toEqual({ finished: true });
  expect(drained).toBe(true);
  expect(performance.now() - began).toBeLessThan(60_000);
});

test("a container that needs standard input cannot start where nobody gives it", async () => {
  const start = async ({ stdio }: { stdio: Stdio }) => {
    stdio.input();
    return {};
  };
  await expect(startDemo({ container: { start } })).rejects.toThrow("stdio: expected to be given");
});
