// Files of a Git repository over SSH, from a real sshd.
import { chmodSync, copyFileSync } from "node:fs";
import { join } from "node:path";

import { spawnContainer, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { createRepository, ssh, startSshd } from "./git-server.ts";
import { createSync, withApi } from "./sync.ts";

const QUICK = ["--admin-listen", "127.0.0.1:0", "--drain-delay", "0", "--quiet-period", "10ms", "--interval", "300ms"];

describe.skipIf(ssh.skip)(ssh.title("git over SSH"), () => {
  test("a branch is followed with a key from a file, from a host that is known", async () => {
    const sync = createSync(cleanup);
    const repository = createRepository(cleanup);
    repository.commit({ "a.yaml": "1" });
    const server = await startSshd(repository, cleanup);
    const source = `git+${server.url}?ref=main&ssh-key=${server.key}&known-hosts=${server.hosts}`;
    const args = [...QUICK, "--output", sync.output, "--source", source];
    const container = withApi(spawnContainer({ name: "config-sync", args, cleanup }));
    await sync.sees({ "a.yaml": "1" });
    repository.commit({ "a.yaml": "2" });
    await sync.sees({ "a.yaml": "2" });
    expect((await container.status()).error).toBeNull();
  });

  test("a host that shows another key than the known one is refused, until the right one is known", async () => {
    const sync = createSync(cleanup);
    const repository = createRepository(cleanup);
    repository.commit({ "a.yaml": "1" });
    const server = await startSshd(repository, cleanup);
    const known = join(sync.folder, "known-hosts");
    copyFileSync(server.wrongHosts, known);
    const source = `git+${server.url}?ref=main&ssh-key=${server.key}&known-hosts=${known}`;
    const args = [...QUICK, "--output", sync.output, "--source", source];
    const container = withApi(spawnContainer({ name: "config-sync", args, cleanup }));
    await until(async () => (await container.status()).error?.includes("Host key verification failed"));
    expect(sync.visible()).toEqual({});
    copyFileSync(server.hosts, known);
    await sync.sees({ "a.yaml": "1" });
  });

  test("without a file of known hosts no host is known", async () => {
    const repository = createRepository(cleanup);
    repository.commit({ a: "1" });
    const server = await startSshd(repository, cleanup);
    const { code, stderr } = await createSync(cleanup).run(
      "--once",
      "--source",
      `git+${server.url}?ssh-key=${server.key}`,
    );
    expect([code, stderr]).toEqual([1, expect.stringContaining("Host key verification failed")]);
  });

  test("a key that the server does not know, and one that others may read, are refused", async () => {
    const repository = createRepository(cleanup);
    repository.commit({ a: "1" });
    const server = await startSshd(repository, cleanup);
    const source = (key: string): string => `git+${server.url}?known-hosts=${server.hosts}&ssh-key=${key}`;
    const other = await createSync(cleanup).run("--once", "--source", source(server.otherKey));
    expect([other.code, other.stderr]).toEqual([1, expect.stringContaining("Permission denied (publickey)")]);
    chmodSync(server.key, 0o644);
    const open = await createSync(cleanup).run("--once", "--source", source(server.key));
    expect([open.code, open.stderr]).toEqual([1, expect.stringContaining("Permission denied (publickey)")]);
  });
});
