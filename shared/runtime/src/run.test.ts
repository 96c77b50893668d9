import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Container, ContainerExit } from "@outrigger/testing";
import { repository, runContainer, spawnContainer, startEchoServer, tempDir, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { EXIT, exitCodesMarkdown } from "./exit.ts";

const entry = join(repository, "shared", "runtime", "test", "demo-main.ts");
const QUICK = ["--admin-listen", "127.0.0.1:0", "--drain-delay", "0"];

const run = (args: string[], env: Record<string, string> = {}): Promise<ContainerExit> =>
  runContainer({ entry, args, env, cleanup });

async function start(args: string[] = [], env: Record<string, string> = {}): Promise<Container> {
  const container = spawnContainer({ entry, args: [...QUICK, ...args], env, cleanup });
  await container.waitForLog("started");
  return container;
}

describe("a command", () => {
  test("answers on stdout, and its exit status tells whether the answer is a good one", async () => {
    expect(await run(["greet", "Ada"])).toMatchObject({ code: 0, stdout: "hello Ada from nowhere\n", stderr: "" });
    expect(await run(["greet", "--politely", "stranger", "--source", "x"])).toMatchObject({
      code: 1,
      stdout: "dear stranger from x\n",
      stderr: "",
    });
  });

  test("tells an error on stderr, and wrong options as every start does", async () => {
    expect(await run(["greet", "nobody"])).toMatchObject({
      code: 1,
      stdout: "",
      stderr: "demo greet: expected somebody, got nobody\n",
    });
    expect(await run(["greet"])).toMatchObject({
      code: 2,
      stdout: "",
      stderr: "demo: greet: expected greet <name>, got nothing after greet\n",
    });
    expect((await run(["greet", "Ada", "--source", "bad"])).code).toBe(2);
  });

  test("is shown by --help, and shows its own flags after its name", async () => {
    expect((await run(["--help"])).stdout).toContain("  greet <name>\n      Greets somebody.\n");
    const { code, stdout } = await run(["greet", "--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain("Usage: demo greet <name> [flags]\n\n  --politely\n      With a bow.\n");
  });
});

describe("asked for text", () => {
  test("--help and --version write it to stdout and exit 0, whatever else is wrong", async () => {
    const help = await run(["--help", "--nonsense"]);
    expect(help).toMatchObject({ code: 0, stderr: "" });
    expect(help.stdout).toMatch(/^demo - A demonstration\n/);
    expect(help.stdout).toContain("--drain-time <duration>");
    expect(await run(["--version"])).toMatchObject({ code: 0, stdout: "demo 1.2.3\n", stderr: "" });
  });

  test("--print-config shows the values with their origin, and no secret", async () => {
    const token = join(tempDir(cleanup), "token");
    writeFileSync(token, "s3cret");
    const { code, stdout } = await run(["--source", "here", "--admin-token-file", token, "--print-config"], {
      DEMO_LOG_LEVEL: "warn",
      DEMO_CONFIG_INLINE: "drainDelay: 7s",
    });
    expect(code).toBe(0);
    expect(stdout).toContain("source: here # flag --source\n");
    expect(stdout).toContain("logLevel: warn # variable DEMO_LOG_LEVEL\n");
    expect(stdout).toContain("drainDelay: 7s # DEMO_CONFIG_INLINE: drainDelay\n");
    expect(stdout).toContain("shutdownTimeout: 20s # default");
    expect(stdout).toContain(`adminTokenFile: ${token} # flag --admin-token-file\n`);
    expect(stdout).not.toContain("s3cret");
  });

  test("--check-config says whether all is usable, the container's own check included", async () => {
    expect(await run(["--check-config"])).toMatchObject({
      code: 0,
      stdout: "the configuration is usable\n",
      stderr: "",
    });
    expect(await run(["--check-config", "--source", "bad"])).toMatchObject({
      code: 2,
      stdout: "",
      stderr: "demo: --source: expected another name, got bad\n",
    });
  });
});

describe("parameters that cannot be used", () => {
  test("are all told at once, with status 2, and nothing is started", async () => {
    const { code, stdout, stderr } = await run(["--drain-tiem", "1s", "--log-level", "loud"], { DEMO_SUORCE: "x" });
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr.trim().split("\n")).toEqual([
      "demo: --drain-tiem: expected a known flag (did you mean --drain-time?)",
      "demo: DEMO_SUORCE: expected a known variable (did you mean DEMO_SOURCE?)",
      "demo: --log-level: expected one of debug, info, warn, error, got loud",
    ]);
  });

  test("a file that is none, or too large, is refused without waiting or reading it whole", async () => {
    const folder = tempDir(cleanup);
    const fifo = join(folder, "fifo");
    const large = join(folder, "large");
    execFileSync("mkfifo", [fifo]);
    writeFileSync(large, "#".repeat(1024 ** 2 + 1));
    const { code, stderr } = await run(["--config", large, "--admin-token-file", fifo]);
    expect(code).toBe(2);
    expect(stderr.trim().split("\n")).toEqual([
      `demo: --config: expected a readable file, got ${large} (more than 1048576 bytes)`,
      `demo: --admin-token-file: expected a readable file, got ${fifo} (not a regular file)`,
    ]);
  });
});

test("a start that fails ends with status 1 and its reason in one line", async () => {
  const { code, stderr } = await run([...QUICK, "--failing"]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/\ndemo: --failing: expected false, got true\n$/);
  const taken = await startEchoServer({ cleanup });
  expect(await run(["--admin-listen", taken.address])).toMatchObject({
    code: 1,
    stderr: `demo: --admin-listen: expected a free address, got ${taken.address} (EADDRINUSE)\n`,
  });
});

describe("signals", () => {
  test.each(["SIGTERM", "SIGINT"] as const)("%s stops it in good order, with status 0", async (signal) => {
    const container = await start(["--drain-time", "100ms"]);
    container.signal(signal);
    expect(await container.exited).toMatchObject({ code: 0, signal: null, stdout: "" });
    expect(container.logs().map(({ msg }) => msg)).toEqual(expect.arrayContaining(["draining", "stopped"]));
  });

  test.each([
    ["SIGTERM", "SIGTERM"],
    ["SIGTERM", "SIGINT"],
    ["SIGINT", "SIGTERM"],
  ] as const)("%s, and then %s, ends it at once with status 1", async (first, second) => {
    const container = await start(["--drain-delay", "1h"]);
    container.signal(first);
    await container.waitForLog("draining");
    container.signal(second);
    expect(await container.exited).toMatchObject({ code: 1, signal: null });
    expect(container.logs().at(-1)).toMatchObject({ msg: "stopped at once by a second signal", signal: second });
  });

  test("work that is not finished in time makes the status 1", async () => {
    const container = await start(["--shutdown-timeout", "50ms", "--drain-time", "1h"]);
    expect(await container.stop()).toEqual({ code: 1, signal: null });
  });

  test("while it starts, SIGHUP does no harm, and SIGTERM stops it once it has started", async () => {
    const container = spawnContainer({ entry, args: [...QUICK, "--start-time", "500ms"], cleanup });
    await container.waitForLog("loop runs");
    container.signal("SIGHUP");
    container.signal("SIGTERM");
    expect(await container.exited).toMatchObject({ code: 0, signal: null });
    const told = container.logs().map(({ msg }) => msg);
    expect(told.indexOf("draining")).toBeGreaterThan(told.indexOf("started"));
    expect(told.at(-1)).toBe("stopped");
  });

  test("while it starts, a second signal ends it at once", async () => {
    const container = spawnContainer({ entry, args: [...QUICK, "--start-time", "1h"], cleanup });
    await container.waitForLog("loop runs");
    container.signal("SIGTERM");
    container.signal("SIGINT");
    expect(await container.exited).toMatchObject({ code: 1, signal: null });
  });

  test("SIGHUP reads the file again; what cannot be used is refused with its reasons, and it goes on", async () => {
    const config = join(tempDir(cleanup), "config.yaml");
    writeFileSync(config, "source: here\n");
    const container = await start(["--config", config]);
    container.signal("SIGHUP");
    const applied = await container.waitForLog("reloaded");
    expect(applied).toMatchObject({ outcome: "applied" });
    writeFileSync(config, "suorce: there\n");
    container.signal("SIGHUP");
    const refused = await container.waitForLog("reload refused", { after: applied });
    expect(refused["reasons"]).toEqual([`${config}: suorce: expected a known key (did you mean source?)`]);
    writeFileSync(config, "source: bad\n");
    container.signal("SIGHUP");
    const checked = await container.waitForLog("reload refused", { after: refused });
    expect(checked["reasons"]).toEqual([`${config}: source: expected another name, got bad`]);
    expect((await container.admin("/readyz")).status).toBe(200);
    expect((await container.metrics()).value("outrigger_reloads_total", { outcome: "refused" })).toBe(2);
  });
});

describe("healthcheck", () => {
  test("exits 0 while the container is ready, and 1 when it is not or is gone", async () => {
    const container = await start(["--drain-delay", "1h"]);
    const address = await container.address("admin");
    const ask = (...args: string[]) => run(["healthcheck", ...args], { DEMO_ADMIN_LISTEN: address });
    expect(await ask()).toMatchObject({ code: 0, stdout: "", stderr: "" });
    expect(await run(["healthcheck", "--admin-listen", address])).toMatchObject({ code: 0 });
    container.signal("SIGTERM");
    await container.waitForLog("draining");
    expect(await ask()).toMatchObject({ code: 1, stdout: "", stderr: "" });
    container.signal("SIGTERM");
    await container.exited;
    expect(await ask()).toMatchObject({ code: 1 });
  });

  test("reaches a container that listens everywhere or on a Unix socket, and one that does not answer is not healthy", async () => {
    const path = join(tempDir(cleanup), "admin.sock");
    await start(["--admin-listen", `unix:${path}`]);
    expect(await run(["healthcheck", "--admin-listen", `unix:${path}`])).toMatchObject({ code: 0 });
    const everywhere = await start(["--admin-listen", "0.0.0.0:0"]);
    const address = await everywhere.address("admin");
    expect(address).toMatch(/^0\.0\.0\.0:\d+$/);
    expect(await run(["healthcheck", "--admin-listen", address])).toMatchObject({ code: 0 });
    const silent = await startEchoServer({ cleanup });
    expect(await run(["healthcheck", "--admin-listen", silent.address])).toMatchObject({ code: 1 });
  });

  test("with wrong options is a usage error", async () => {
    expect(await run(["healthcheck", "--admin-listen", "nowhere"])).toMatchObject({ code: 2 });
    expect((await run(["healthcheck", "--source", "bad"])).stderr).toBe("");
  });
});

test("an error that nobody catches is one log line with its stack, and status 1", async () => {
  const file = join(tempDir(cleanup), "crashing.ts");
  const folder = join(repository, "shared", "runtime");
  writeFileSync(
    file,
    `import { run } from "${folder}/src/index.ts";
import { demo } from "${folder}/test/demo.ts";
await run({ ...demo, start: async () => ({ status: () => void setImmediate(() => { throw new Error("a bug"); }) }) }, import.meta.url);
`,
  );
  const container = spawnContainer({ entry: file, args: QUICK, cleanup });
  await container.waitForLog("started");
  await container.admin("/api/v1/status").catch(() => undefined);
  expect(await container.exited).toMatchObject({ code: 1 });
  await until(() => container.logs().length > 0);
  expect(container.logs().at(-1)).toMatchObject({
    level: "fatal",
    msg: "crashed",
    error: { message: "a bug", stack: expect.stringContaining("crashing.ts") },
  });
});

test("the documentation of exit codes has a row for each", () => {
  const rows = exitCodesMarkdown().split("\n").slice(2);
  expect(rows.map((row) => Number(/^\| (\d) \| \S/.exec(row)![1]))).toEqual(Object.values(EXIT));
});
