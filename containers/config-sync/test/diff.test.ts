// `config-sync diff`: what would change.
import { existsSync } from "node:fs";

import { runContainer } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { createSync } from "./sync.ts";
import type { Sync } from "./sync.ts";

const diff = (sync: Sync, ...args: string[]) =>
  runContainer({
    name: "config-sync",
    args: ["diff", "--source", `dir:${sync.source}`, "--output", sync.output, ...args],
    cleanup,
  });

test("it names what would be added, changed and removed, and exits with 1; with 0 when there is nothing", async () => {
  const sync = createSync(cleanup, { a: "1", b: "1", "sub/c": "1" });
  expect(await diff(sync)).toMatchObject({ code: 1, stdout: "default: + a\ndefault: + b\ndefault: + sub/c\n" });
  expect(existsSync(sync.output)).toBe(false);
  await sync.run("--once");
  expect(await diff(sync)).toMatchObject({ code: 0, stdout: "" });
  sync.put({ a: "2", b: undefined, d: "1" });
  expect(await diff(sync)).toMatchObject({ code: 1, stdout: "default: + d\ndefault: ~ a\ndefault: - b\n" });
  expect(JSON.parse((await diff(sync, "--format", "json")).stdout)).toEqual({
    job: "default",
    added: ["d"],
    changed: ["a"],
    removed: ["b"],
  });
  expect(sync.visible()).toEqual({ a: "1", b: "1", "sub/c": "1" });
});

test("a source that fails is told on stderr", async () => {
  const sync = createSync(cleanup);
  const { code, stderr } = await diff(sync, "--source", "dir:/no/such/folder");
  expect([code, stderr]).toEqual([1, expect.stringContaining("config-sync diff: ENOENT")]);
});
