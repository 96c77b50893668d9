import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import { tempDir } from "@outrigger/testing";
import { asyncProperty, assert, constantFrom, dictionary, array } from "fast-check";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import type { FileSet } from "./file-set.ts";
import { watchPaths } from "./index.ts";
import { openRevisions } from "./revisions.ts";
import type { RevisionSettings, Revisions } from "./revisions.ts";

const setOf = (files: Record<string, string>): FileSet =>
  new Map(Object.entries(files).map(([path, text]) => [path, { content: Buffer.from(text) }]));

const open = (folder: string, settings: Partial<RevisionSettings> = {}): Promise<Revisions> =>
  openRevisions(folder, {
    layout: "atomic",
    fileMode: 0o644,
    folderMode: 0o755,
    maxFiles: 100,
    maxBytes: 1_000_000,
    ...settings,
  });

const publish = async (revisions: Revisions, files: Record<string, string>) =>
  revisions.activate(await revisions.stage(setOf(files)));

/** What a reader finds, by path; our own names are not his. */
function visible(folder: string, prefix = ""): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (name.startsWith("..")) continue;
    if (statSync(path).isDirectory()) Object.assign(found, visible(path, `${prefix}${name}/`));
    else found[prefix + name] = readFileSync(path, "utf8");
  }
  return found;
}

test("the atomic layout is that of the kubelet's volumes", async () => {
  const folder = join(tempDir(cleanup), "output");
  const revisions = await open(folder);
  const first = await publish(revisions, { "app.conf": "1", "sub/deep/b.conf": "1" });
  expect(first.folder).toMatch(/^\.\.\d{4}(_\d\d){5}\.\d{3}_[0-9a-f]{16}$/);
  expect(readlinkSync(join(folder, "..data"))).toBe(first.folder);
  expect(readlinkSync(join(folder, "app.conf"))).toBe("..data/app.conf");
  expect(readlinkSync(join(folder, "sub"))).toBe("..data/sub");
  expect(visible(folder)).toEqual({ "app.conf": "1", "sub/deep/b.conf": "1" });
  const second = await publish(revisions, { "app.conf": "2" });
  expect(visible(folder)).toEqual({ "app.conf": "2" });
  expect(lstatSync(join(folder, "sub"), { throwIfNoEntry: false })).toBeUndefined();
  expect((await revisions.list()).map(({ folder }) => folder)).toEqual([second.folder, first.folder]);
  expect(await revisions.live()).toEqual(second);
});

test("a watcher of such volumes sees each revision", async () => {
  const folder = join(tempDir(cleanup), "output");
  const revisions = await open(folder);
  await publish(revisions, { a: "0" });
  let changed = Promise.withResolvers<void>();
  const watch = await watchPaths([join(folder, "a")], { debounceMs: 5, onChange: () => changed.resolve() });
  cleanup(() => watch.close());
  for (const text of ["1", "2", "3"]) {
    changed = Promise.withResolvers();
    await publish(revisions, { a: text });
    await changed.promise;
  }
});

describe.each(["atomic", "flat"] as const)("in the %s layout", (layout) => {
  test("modes are as asked for, whatever the umask, and executable files can be executed", async () => {
    const folder = join(tempDir(cleanup), "output");
    const before = process.umask(0o077);
    cleanup(() => void process.umask(before));
    const revisions = await open(folder, { layout, fileMode: 0o640, folderMode: 0o750 });
    const files = new Map([
      ["sub/a", { content: Buffer.from("1") }],
      ["run", { content: Buffer.from("1"), executable: true }],
    ]);
    await revisions.activate(await revisions.stage(files));
    expect(statSync(join(folder, "sub/a")).mode & 0o777).toBe(0o640);
    expect(statSync(join(folder, "run")).mode & 0o777).toBe(0o750);
  });

  test("files of somebody else's are neither replaced nor removed", async () => {
    const folder = tempDir(cleanup);
    writeFileSync(join(folder, "theirs"), "theirs");
    symlinkSync("/etc", join(folder, "linked"));
    const revisions = await open(folder, { layout });
    await publish(revisions, { a: "1" });
    await expect(publish(revisions, { a: "2", theirs: "ours" })).rejects.toThrow("theirs: expected nothing");
    await expect(publish(revisions, { a: "2", "linked/hosts": "ours" })).rejects.toThrow("linked: expected");
    expect(readFileSync(join(folder, "a"), "utf8")).toBe("1");
    await publish(revisions, { b: "1" });
    expect(readFileSync(join(folder, "theirs"), "utf8")).toBe("theirs");
    expect(existsSync(join(folder, "a"))).toBe(false);
    expect(readlinkSync(join(folder, "linked"))).toBe("/etc");
  });

  test("an older revision can be made live again, and those that are not kept are removed", async () => {
    const folder = join(tempDir(cleanup), "output");
    const revisions = await open(folder, { layout });
    const first = await publish(revisions, { a: "1", b: "1" });
    for (const text of ["2", "3", "4", "5"]) await publish(revisions, { a: text });
    await revisions.prune(2, [first.folder]);
    expect((await revisions.list()).length).toBe(4);
    await revisions.activate(first);
    expect(visible(folder)).toEqual({ a: "1", b: "1" });
    expect((await revisions.live())?.revision).toBe(first.revision);
    await revisions.prune(1);
    expect((await revisions.list()).map(({ folder }) => folder)).toEqual([first.folder]);
  });

  test("what was left half done is finished or cleared away when the folder is opened", async () => {
    const folder = join(tempDir(cleanup), "output");
    const before = await open(folder, { layout });
    await publish(before, { a: "1", b: "1" });
    mkdirSync(join(folder, "..staged_0123456789abcdef"));
    symlinkSync("..nowhere", join(folder, "..data_tmp"));
    rmSync(join(folder, "a"));
    await open(folder, { layout });
    expect(visible(folder)).toEqual({ a: "1", b: "1" });
    expect(readdirSync(folder).filter((name) => /staged|tmp/.test(name))).toEqual([]);
  });

  test("a revision that is not what its name says is not taken for live", async () => {
    const folder = join(tempDir(cleanup), "output");
    const { folder: name } = await publish(await open(folder, { layout }), { a: "1" });
    writeFileSync(join(folder, name, "a"), "tampered");
    const again = await open(folder, { layout });
    expect(await again.live()).toBeUndefined();
    await publish(again, { a: "1" });
    expect(visible(folder)).toEqual({ a: "1" });
  });

  test("whatever sets follow each other, readers find the last one", async () => {
    const path = constantFrom("a", "b", "c/d", "c/e/f", "c/e", "g", "a.x");
    const sets = array(dictionary(path, constantFrom("1", "2", "longer")), { maxLength: 6 });
    await assert(
      asyncProperty(sets, async (sets) => {
        const folder = join(tempDir(cleanup), "output");
        const revisions = await open(folder, { layout });
        for (const files of sets) {
          // A path cannot be a file and a folder.
          if (files["c/e"] !== undefined) delete files["c/e/f"];
          await publish(revisions, files);
          expect(visible(folder)).toEqual({ ...files });
        }
      }),
      { numRuns: 60 },
    );
  });
});
