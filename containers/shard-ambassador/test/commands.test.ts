// `shard-ambassador route` and `plan`: answers on standard output, without starting anything.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { runContainer, tempDir } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

const ask = async (...args: string[]) => runContainer({ name: "shard-ambassador", args, cleanup });
const THREE = "10.0.0.1:6379 server1,10.0.0.2:6379 server2,10.0.0.3:6379 server3";
const FOUR = `${THREE},10.0.0.4:6379 server4`;

test("route prints the shard that owns a key, as twemproxy would place it", async () => {
  const twemproxys = ["--shards", FOUR, "--distribution", "ketama"];
  expect(await ask("route", "foo", ...twemproxys)).toMatchObject({ code: 0, stdout: "server1 10.0.0.1:6379\n" });
  expect((await ask("route", "user:{user1}:ids", ...twemproxys)).stdout).toBe("server3 10.0.0.3:6379\n");
  expect(await ask("route", "foo")).toMatchObject({ code: 2 });
});

test("plan prints what moves with another list, and exits 0 when there is nothing to warn of", async () => {
  const { code, stdout } = await ask("plan", THREE, FOUR);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ 2\d\.\d % of the keys move\n/);
  expect(stdout).toMatch(/ from server\d to server4\n/);
  expect(stdout).toMatch(/^server4 owns 0\.0 %, then 2\d\.\d %$/m);
  expect(stdout).not.toContain("warning");
});

test("plan compares files of options, warns of what is unwise in them, and then exits 1", async () => {
  const folder = tempDir(cleanup);
  const write = (name: string, hash: string): string => {
    const file = join(folder, name);
    const lines = ["distribution: ketama", `hash: ${hash}`, `shards: "${THREE}"`, "logLevel: warn"];
    writeFileSync(file, `${lines.join("\n")}\n`);
    return file;
  };
  const old = write("old.yaml", "md5");
  expect(await ask("plan", old, old)).toMatchObject({ code: 0 });
  const { code, stdout } = await ask("plan", old, write("new.yaml", "crc32"));
  expect(code).toBe(1);
  expect(stdout).toContain("warning: crc32 with ketama");
  expect(stdout).toContain("warning: ketama with md5 becomes ketama with crc32");
});

test("plan says what it cannot read", async () => {
  const { code, stderr } = await ask("plan", THREE, "/no/such/file");
  expect(code).toBe(1);
  expect(stderr).toContain("/no/such/file");
});
