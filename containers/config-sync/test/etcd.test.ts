// Keys of a real etcd.
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { freePort, request, requirePrograms, spawnContainer, tempDir, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { createSync, withApi } from "./sync.ts";
import type { Started, Sync } from "./sync.ts";

const etcd = requirePrograms("etcd");
const base64 = (text: string): string => Buffer.from(text).toString("base64");

async function startEtcd(port: number, folder = tempDir(cleanup)) {
  const peer = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const args = ["--data-dir", join(folder, "data"), "--listen-client-urls", url, "--advertise-client-urls", url];
  const child = spawn(etcd.path("etcd"), [...args, "--listen-peer-urls", `http://127.0.0.1:${peer}`], {
    stdio: "ignore",
  });
  const gone = new Promise((resolve) => void child.once("exit", resolve));
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await gone;
  };
  cleanup(stop);
  const ask = async (path: string, body: object): Promise<unknown> => {
    const answer = await request({ host: "127.0.0.1", port }, `/v3/${path}`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    if (answer.status !== 200) throw new Error(answer.body);
    return answer.json();
  };
  await until(() => ask("kv/range", { key: base64("x") }), { timeoutMs: 20_000, describe: "etcd to answer" });
  return {
    folder,
    stop,
    ask,
    put: (key: string, value: string) => ask("kv/put", { key: base64(key), value: base64(value) }),
    remove: (key: string) => ask("kv/deleterange", { key: base64(key) }),
  };
}

function startSync(sync: Sync, source: string, ...args: string[]): Started {
  const quick = ["--admin-listen", "127.0.0.1:0", "--drain-delay", "0", "--quiet-period", "10ms", "--interval", "1h"];
  return withApi(
    spawnContainer({
      name: "config-sync",
      args: [...quick, "--output", sync.output, "--source", source, ...args],
      cleanup,
    }),
  );
}

describe.skipIf(etcd.skip)(etcd.title("etcd"), () => {
  test("the keys below a prefix are files, and each change is there as soon as etcd tells of it", async () => {
    const port = await freePort();
    const server = await startEtcd(port);
    await server.put("/app/a.conf", "1");
    await server.put("/app/sub/b.conf", "1");
    await server.put("/application", "not ours");
    const sync = createSync(cleanup);
    startSync(sync, `etcd://127.0.0.1:${port}/app`);
    await sync.sees({ "a.conf": "1", "sub/b.conf": "1" });
    await server.put("/app/a.conf", "2");
    await sync.sees({ "a.conf": "2", "sub/b.conf": "1" });
    await server.remove("/app/sub/b.conf");
    await sync.sees({ "a.conf": "2" });
  });

  test("while it is down the old set stays, and what comes afterwards arrives", async () => {
    const port = await freePort();
    const server = await startEtcd(port);
    await server.put("/app/a", "1");
    const sync = createSync(cleanup);
    const container = startSync(sync, `etcd://127.0.0.1:${port}/app`);
    await sync.sees({ a: "1" });
    await server.stop();
    await until(async () => (await container.status()).error?.includes("expected an answer, got") === true);
    expect(sync.visible()).toEqual({ a: "1" });
    const again = await startEtcd(port, server.folder);
    await again.put("/app/a", "2");
    await sync.sees({ a: "2" });
  });

  test("a user and the password of a file are used where etcd asks for them, and show nowhere", async () => {
    const port = await freePort();
    const server = await startEtcd(port);
    await server.put("/app/a", "1");
    await server.ask("auth/user/add", { name: "root", password: "s3cret" });
    await server.ask("auth/role/add", { name: "root" });
    await server.ask("auth/user/grant", { user: "root", role: "root" });
    await server.ask("auth/enable", {});
    const sync = createSync(cleanup);
    const refused = await sync.run("--once", "--source", `etcd://127.0.0.1:${port}/app`);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("expected status 200, got 400")]);
    const password = join(sync.folder, "password");
    writeFileSync(password, "s3cret\n");
    const container = startSync(sync, `etcd://127.0.0.1:${port}/app?username=root&password=${password}`);
    await sync.sees({ a: "1" });
    expect(container.rawStderr()).not.toContain("s3cret");
  });

  test("a key that leads out of the folder is refused", async () => {
    const port = await freePort();
    const server = await startEtcd(port);
    await server.put("/app/../../evil", "1");
    const { code, stderr } = await createSync(cleanup).run("--once", "--source", `etcd://127.0.0.1:${port}/app`);
    expect([code, stderr]).toEqual([1, expect.stringContaining("expected a path inside of the folder")]);
  });
});
