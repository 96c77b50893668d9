// Files of a Git repository, from the real servers of git.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { spawnContainer, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { createRepository, git, startGitDaemon, startGitHttp } from "./git-server.ts";
import { createSync, withApi } from "./sync.ts";
import type { Started, Sync } from "./sync.ts";

function startGit(sync: Sync, source: string, ...args: string[]): Started {
  const quick = [
    "--admin-listen",
    "127.0.0.1:0",
    "--drain-delay",
    "0",
    "--quiet-period",
    "10ms",
    "--interval",
    "300ms",
  ];
  return withApi(
    spawnContainer({
      name: "config-sync",
      args: [...quick, "--output", sync.output, "--source", source, ...args],
      cleanup,
    }),
  );
}

describe.skipIf(git.skip)(git.title("git"), () => {
  test("a branch is followed, by git daemon, also where its history is rewritten", async () => {
    const sync = createSync(cleanup);
    const repository = createRepository(cleanup);
    repository.commit({ "a.yaml": "1", "sub/b.yaml": "1" });
    const container = startGit(sync, `git+${await startGitDaemon(repository, cleanup)}?ref=main`);
    await sync.sees({ "a.yaml": "1", "sub/b.yaml": "1" });
    repository.commit({ "a.yaml": "2" });
    await sync.sees({ "a.yaml": "2", "sub/b.yaml": "1" });
    repository.run("reset", "--quiet", "--hard", "HEAD~1");
    repository.run("push", "--quiet", "--force", "origin", "main");
    await sync.sees({ "a.yaml": "1", "sub/b.yaml": "1" });
    expect((await container.status()).error).toBeNull();
  });

  test("a subfolder, a tag, a commit and another branch can be had", async () => {
    const sync = createSync(cleanup);
    const repository = createRepository(cleanup);
    const first = repository.commit({ "conf/a": "1", other: "x" });
    repository.run("tag", "-a", "-m", "v1", "v1");
    repository.run("push", "--quiet", "origin", "v1");
    repository.commit({ "conf/a": "2" });
    repository.commit({ "conf/a": "side" }, "side");
    const url = `git+${await startGitDaemon(repository, cleanup)}`;
    for (const [ref, text] of [
      ["v1", "1"],
      ["main", "2"],
      ["side", "side"],
      [first, "1"],
    ] as const) {
      const once = await sync.run("--once", "--source", `${url}?ref=${ref}&path=conf`);
      expect(once.code, once.stderr).toBe(0);
      expect(sync.visible(), ref).toEqual({ "app.yaml": "a: 1\n", a: text });
    }
    const { code, stderr } = await sync.run("--once", "--source", `${url}?ref=nope`);
    expect([code, stderr]).toEqual([1, expect.stringContaining("couldn't find remote ref nope")]);
  });

  test("by HTTP with a token from a file, which shows nowhere; while the server is down the old set stays", async () => {
    const sync = createSync(cleanup);
    const repository = createRepository(cleanup);
    repository.commit({ a: "1" });
    const server = await startGitHttp(repository, "t0ken-s3cret", cleanup);
    const token = join(sync.folder, "token");
    writeFileSync(token, "t0ken-s3cret\n");
    const container = startGit(sync, `git+${server.url}?token=${token}`);
    await sync.sees({ a: "1" });
    server.state.isDown = true;
    await until(async () => (await container.status()).error?.includes("503") === true);
    expect(sync.visible()).toEqual({ a: "1" });
    repository.commit({ a: "2" });
    server.state.isDown = false;
    await sync.sees({ a: "2" });
    writeFileSync(token, "wrong");
    await until(async () => (await container.status()).error?.includes("git: expected exit status 0") === true);
    expect(container.rawStderr() + (await container.admin("/api/v1/status")).body).not.toContain("s3cret");
  });

  test("a link within what is published is its file, and one that leads out is refused", async () => {
    const sync = createSync(cleanup);
    const repository = createRepository(cleanup);
    repository.commit({ "conf/a": "1", "conf/sub/link": "->../a", secret: "2" });
    const container = startGit(sync, `git+${await startGitDaemon(repository, cleanup)}?path=conf`);
    await sync.sees({ a: "1", "sub/link": "1" });
    repository.commit({ "conf/evil": "->../secret" });
    await until(
      async () => (await container.status()).error?.includes("conf/evil: expected a link to a file") === true,
    );
    repository.commit({ "conf/worse": "->/etc/passwd" });
    expect(sync.visible()).toEqual({ a: "1", "sub/link": "1" });
  });

  test("more than the limits is refused before it is read", async () => {
    const sync = createSync(cleanup);
    const repository = createRepository(cleanup);
    repository.commit({ large: "x".repeat(5000) });
    const url = `git+${await startGitDaemon(repository, cleanup)}`;
    const { code, stderr } = await sync.run("--once", "--source", url, "--max-size", "1KiB");
    expect([code, stderr]).toEqual([1, expect.stringContaining("git: expected at most 1024 bytes")]);
  });

  test.each([
    ["git+https://user:pass@host/r.git", "without credentials in it, got one with them"],
    ["git+ext::sh -c id", "without credentials in it"],
    ["git+https://host/r.git?ref=--upload-pack=id", "expected the name of a branch or a tag, or a commit"],
    ["git+ssh://git@host/r.git?ssh-key=/k;id", "expected an absolute path of plain characters"],
    ["git+https://host/r.git?rev=1", "expected settings among ref"],
  ])("%s is refused", async (source, problem) => {
    const { code, stderr } = await createSync(cleanup).run("--check-config", "--source", source);
    expect([code, stderr]).toEqual([2, expect.stringContaining(problem)]);
    expect(stderr).not.toContain("pass@");
  });
});
