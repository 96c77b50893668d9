// In the place of other programs: their parameters, and nothing else.
import { join } from "node:path";

import { freePort, runContainer, spawnContainer, startApp, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { createRepository, git, startGitDaemon } from "./git-server.ts";
import { createSync, withApi } from "./sync.ts";

describe.skipIf(git.skip)(git.title("git-sync's parameters"), () => {
  test("bring the files and call the webhook, once", async () => {
    const sync = createSync(cleanup);
    const repository = createRepository(cleanup);
    repository.commit({ a: "1" });
    let calls = 0;
    const hook = await startApp((_, response) => void (calls++, response.end()), { cleanup });
    const repo = await startGitDaemon(repository, cleanup);
    const args = [
      `--repo=${repo}`,
      `--root=${sync.folder}`,
      "--link",
      "output",
      "--one-time",
      `--webhook-url=http://${hook.address}/`,
    ];
    const { code, stderr } = await runContainer({
      name: "config-sync",
      args,
      env: { GITSYNC_REF: "main", GITSYNC_HTTP_BIND: ":0", CONFIG_SYNC_DRAIN_DELAY: "0" },
      cleanup,
    });
    expect(code, stderr).toBe(0);
    expect(sync.visible()).toEqual({ a: "1" });
    expect(calls).toBe(1);
  });

  test("that have no meaning are refused by their name", async () => {
    const { code, stderr } = await runContainer({
      name: "config-sync",
      args: ["--repo=git://h/r", "--submodules=off"],
      cleanup,
    });
    expect([code, stderr]).toEqual([2, expect.stringContaining("--submodules: expected a known flag")]);
  });
});

test("k8s-sidecar's variables are understood, and what it is asked for its health is answered", async () => {
  const sync = createSync(cleanup);
  const port = await freePort();
  const container = withApi(
    spawnContainer({
      name: "config-sync",
      env: {
        LABEL: "app",
        FOLDER: join(sync.folder, "output"),
        HEALTH_HOST: "127.0.0.1",
        HEALTH_PORT: String(port),
        KUBERNETES_SERVICE_HOST: "127.0.0.1",
        KUBERNETES_SERVICE_PORT: "1",
      },
      cleanup,
    }),
  );
  await until(async () => (await container.status()).error?.includes("token"));
  expect((await container.status()).outcome).toBe("failed");
  expect((await container.admin("/healthz")).status).toBe(503);
});

test("the frequency of updates that the book names is the interval, in seconds", async () => {
  const sync = createSync(cleanup);
  const { stdout } = await runContainer({
    name: "config-sync",
    args: ["--source", `dir:${sync.source}`, "--output", sync.output, "--print-config"],
    env: { UPDATE_FREQUENCY: "7" },
    cleanup,
  });
  expect(stdout).toContain("interval: 7s # variable UPDATE_FREQUENCY");
});
