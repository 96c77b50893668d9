import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { tempDir } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { createVolume } from "../test/kubernetes-volume.ts";
import { LimitError, readTree } from "./read-tree.ts";

const limits = { maxFiles: 10, maxBytes: 1000 };
const textsOf = async (path: string): Promise<Record<string, string>> =>
  Object.fromEntries([...(await readTree(path, limits)).files].map(([name, { content }]) => [name, String(content)]));

test("a folder is read with all that is in it, and says which files can be executed", async () => {
  const folder = tempDir(cleanup);
  mkdirSync(join(folder, "sub"));
  writeFileSync(join(folder, "sub", "run.sh"), "x", { mode: 0o755 });
  writeFileSync(join(folder, "a"), "1");
  expect(await textsOf(folder)).toEqual({ a: "1", "sub/run.sh": "x" });
  const { files, folders } = await readTree(folder, limits);
  expect([files.get("a")?.executable, files.get("sub/run.sh")?.executable]).toEqual([undefined, true]);
  expect(folders).toEqual([folder, join(folder, "sub")]);
});

test("a volume of Kubernetes is read through its links, and watched in its root", async () => {
  const { folder } = createVolume(join(tempDir(cleanup), "volume"), { a: "1", b: "2" });
  expect(await textsOf(folder)).toEqual({ a: "1", b: "2" });
  expect((await readTree(folder, limits)).folders).toEqual([folder]);
});

test("while a volume is swapped again and again, what is read is always of one revision", async () => {
  const volume = createVolume(join(tempDir(cleanup), "volume"), { a: "0", b: "0" });
  const over = new AbortController();
  const swap = async (): Promise<void> => {
    for (let i = 1; !over.signal.aborted; i++) {
      volume.publish({ a: String(i), b: String(i) });
      await new Promise((resolve) => void setImmediate(resolve));
    }
  };
  const swapping = swap();
  for (let i = 0; i < 100; i++) {
    // Nobody swaps that fast in earnest: giving up is right then.
    const read = await textsOf(volume.folder).catch(() => undefined);
    if (read !== undefined) expect(read["a"]).toBe(read["b"]);
  }
  over.abort();
  await swapping;
  expect(Object.keys(await textsOf(volume.folder))).toEqual(["a", "b"]);
});

test("a single file is a set of one", async () => {
  const { folder } = createVolume(join(tempDir(cleanup), "volume"), { "app.yaml": "1" });
  expect(await textsOf(join(folder, "app.yaml"))).toEqual({ "app.yaml": "1" });
});

test("a link that leads out of the folder is refused, also by a volume's own link", async () => {
  const outside = tempDir(cleanup);
  writeFileSync(join(outside, "secret"), "1");
  const folder = tempDir(cleanup);
  symlinkSync(join(outside, "secret"), join(folder, "a"));
  await expect(readTree(folder, limits)).rejects.toThrow("expected a link inside of");
  const volume = tempDir(cleanup);
  symlinkSync(outside, join(volume, "..data"));
  await expect(readTree(volume, limits)).rejects.toThrow("expected a link inside of");
});

test("links that lead round and round end at a limit", async () => {
  const folder = tempDir(cleanup);
  writeFileSync(join(folder, "a"), "1");
  symlinkSync(".", join(folder, "again"));
  await expect(readTree(folder, limits)).rejects.toThrow(LimitError);
});

test("too many files, or too large ones, are refused by the limit that they pass", async () => {
  const folder = tempDir(cleanup);
  writeFileSync(join(folder, "a"), "x".repeat(600));
  writeFileSync(join(folder, "b"), "x".repeat(600));
  await expect(readTree(folder, limits)).rejects.toMatchObject({ limit: "bytes" });
  for (let i = 0; i < 11; i++) writeFileSync(join(folder, `f${i}`), "");
  await expect(readTree(folder, limits)).rejects.toMatchObject({ limit: "files" });
});

test("a missing folder is the system's own error", async () => {
  await expect(readTree(join(tempDir(cleanup), "missing"), limits)).rejects.toMatchObject({ code: "ENOENT" });
});
