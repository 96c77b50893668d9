import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { array, assert, asyncProperty, constantFrom, record } from "fast-check";
import type { Arbitrary } from "fast-check";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";

import { createVolume } from "../test/kubernetes-volume.ts";
import type { WatchOptions } from "./index.ts";
import { watchPaths } from "./index.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "watch-"));
  return () => rmSync(folder, { recursive: true });
});
const at = (...names: string[]): string => join(folder, ...names);

/** Watches with a rescan so far away that only events can be what was seen. */
async function watching(paths: string[], options: Partial<WatchOptions> = {}) {
  const changes: string[][] = [];
  const watch = await watchPaths(paths, {
    debounceMs: 30,
    rescanMs: 600_000,
    onChange: (changed) => changes.push(changed),
    ...options,
  });
  onTestFinished(() => watch.close());
  const reported = (expected: string[][]) => vi.waitFor(() => expect(changes).toEqual(expected), { timeout: 5000 });
  return { watch, changes, reported };
}

/** Writes a file in one step, so that no look can see half of it and report twice. */
function put(path: string, content: string): void {
  writeFileSync(at("..put"), content);
  renameSync(at("..put"), path);
}

/** Replaces a link the way `ln -sfn` users should: in one step. */
function flip(link: string, target: string): void {
  symlinkSync(target, `${link}.new`);
  renameSync(`${link}.new`, link);
}

test("each swap of a Kubernetes volume is reported, for a file and for the folder", async () => {
  const volume = createVolume(at("volume"), { "tls.crt": "0", other: "same" });
  const file = join(volume.folder, "tls.crt");
  const other = join(volume.folder, "other");
  const { changes } = await watching([file, other, volume.folder]);
  const reports = (path: string): number => changes.filter((changed) => changed.includes(path)).length;
  for (const swap of [1, 2, 3, 4]) {
    volume.publish({ "tls.crt": String(swap), other: "same" });
    await vi.waitFor(() => expect([reports(file), reports(volume.folder)]).toEqual([swap, swap]), { timeout: 5000 });
  }
  expect(reports(other)).toBe(0);
});

test("a swap that changes no content is not reported", async () => {
  const volume = createVolume(at("volume"), { a: "1" });
  writeFileSync(at("sentinel"), "");
  const { reported } = await watching([join(volume.folder, "a"), volume.folder, at("sentinel")]);
  volume.publish({ a: "1" });
  put(at("sentinel"), "now");
  await reported([[at("sentinel")]]);
});

test("a write in place, a rename over it and its removal are reported for a plain file", async () => {
  writeFileSync(at("f"), "0");
  const { reported } = await watching([at("f")]);
  appendFileSync(at("f"), "1");
  await reported([[at("f")]]);
  put(at("f"), "2");
  await reported([[at("f")], [at("f")]]);
  unlinkSync(at("f"));
  await reported([[at("f")], [at("f")], [at("f")]]);
});

test("a path that is missing with its folders is reported when it appears, goes and appears again", async () => {
  const file = at("a", "b", "c", "f");
  const { reported } = await watching([file]);
  mkdirSync(at("a"));
  mkdirSync(at("a", "b", "c"), { recursive: true });
  put(file, "1");
  await reported([[file]]);
  rmSync(at("a"), { recursive: true });
  await reported([[file], [file]]);
  mkdirSync(at("a", "b", "c"), { recursive: true });
  put(file, "2");
  await reported([[file], [file], [file]]);
});

test("a folder that takes the place of one that was moved away is watched in its stead", async () => {
  const file = at("a", "b", "f");
  mkdirSync(at("a", "b"), { recursive: true });
  writeFileSync(file, "1");
  const { watch, reported } = await watching([file]);
  mkdirSync(at("new", "b"), { recursive: true });
  writeFileSync(at("new", "b", "f"), "2");
  renameSync(at("a"), at("old"));
  renameSync(at("new"), at("a"));
  // No event tells of a move two levels up.
  watch.check();
  await reported([[file]]);
  put(file, "3");
  await reported([[file], [file]]);
});

test("entries of a folder are reported as they come, change and go, also in a folder behind a link", async () => {
  mkdirSync(at("one"));
  mkdirSync(at("two"));
  writeFileSync(at("two", "f"), "1");
  symlinkSync("one", at("current"));
  const { reported } = await watching([at("current")]);
  const expected: string[][] = [];
  const then = async (act: () => void) => {
    act();
    expected.push([at("current")]);
    await reported(expected);
  };
  await then(() => put(at("one", "f"), "1"));
  await then(() => appendFileSync(at("one", "f"), "2"));
  await then(() => mkdirSync(at("one", "inner")));
  await then(() => unlinkSync(at("one", "f")));
  await then(() => flip(at("current"), "two"));
  await then(() => put(at("two", "f"), "changed"));
});

test("a link that flips back to an older file of the same size and time is reported", async () => {
  for (const name of ["old", "new"]) {
    writeFileSync(at(name), name);
    utimesSync(at(name), 1000, 1000);
  }
  symlinkSync("old", at("link"));
  const { reported } = await watching([at("link")]);
  flip(at("link"), "new");
  await reported([[at("link")]]);
  flip(at("link"), "old");
  await reported([[at("link")], [at("link")]]);
});

test("a write in place to the target of a link into another folder is reported", async () => {
  mkdirSync(at("elsewhere"));
  mkdirSync(at("here"));
  writeFileSync(at("elsewhere", "f"), "1");
  symlinkSync("../elsewhere/f", at("here", "link"));
  const { reported } = await watching([at("here", "link")]);
  appendFileSync(at("elsewhere", "f"), "2");
  await reported([[at("here", "link")]]);
});

test("a touch is not reported, but a change that keeps size and times is", async () => {
  for (const name of ["touched", "forged"]) {
    writeFileSync(at(name), "1");
    utimesSync(at(name), 1000, 1000);
  }
  const { reported } = await watching([at("touched"), at("forged"), folder]);
  utimesSync(at("touched"), 2000, 2000);
  writeFileSync(at("..forged"), "2");
  utimesSync(at("..forged"), 1000, 1000);
  renameSync(at("..forged"), at("forged"));
  await reported([[at("forged"), folder]]);
});

test("a file that is too large to be compared by content is reported when it is written", async () => {
  writeFileSync(at("f"), Buffer.alloc(3 * 1024 ** 2));
  const { reported } = await watching([at("f")]);
  appendFileSync(at("f"), "x");
  await reported([[at("f")]]);
});

test("many quick writes are reported together", async () => {
  let content: string | undefined;
  const { changes } = await watching([at("f")], {
    onChange: (changed) => {
      changes.push(changed);
      content = readFileSync(at("f"), "utf8");
    },
  });
  for (let i = 0; i < 500; i++) writeFileSync(at("f"), String(i));
  await vi.waitFor(() => expect(content).toBe("499"), { timeout: 5000 });
  expect(changes.length).toBeLessThan(5);
});

test("writes that never cease are reported within the longest delay", async () => {
  const { changes } = await watching([at("f")], { debounceMs: 60_000, maxDelayMs: 200 });
  await vi.waitFor(
    () => {
      appendFileSync(at("f"), "x");
      expect(changes.length).toBeGreaterThan(0);
    },
    { timeout: 5000, interval: 5 },
  );
});

test("what no event tells of is found by the rescan, and by check()", async () => {
  // The link in the middle stands in a folder that is neither the path's nor the target's.
  for (const name of ["start", "middle", "end"]) mkdirSync(at(name));
  for (const name of ["f1", "f2", "f3"]) writeFileSync(at("end", name), name);
  symlinkSync("../end/f1", at("middle", "link"));
  symlinkSync("../middle/link", at("start", "link"));
  const path = at("start", "link");
  const rescanning = await watching([path], { rescanMs: 100 });
  flip(at("middle", "link"), "../end/f2");
  await rescanning.reported([[path]]);
  await rescanning.watch.close();
  const asked = await watching([path]);
  flip(at("middle", "link"), "../end/f3");
  asked.watch.check();
  await asked.reported([[path]]);
});

test("a device or a FIFO in place of a file is reported, and neither opened nor waited for", async () => {
  writeFileSync(at("f"), "1");
  execFileSync("mkfifo", [at("fifo")]);
  const { reported } = await watching([at("f")]);
  flip(at("f"), "/dev/zero");
  await reported([[at("f")]]);
  flip(at("f"), "fifo");
  await reported([[at("f")], [at("f")]]);
});

test("once close() is called nothing is reported any more, and it may be called again", async () => {
  writeFileSync(at("f"), "1");
  const closed = await watching([at("f")]);
  const open = await watching([at("f")]);
  appendFileSync(at("f"), "2");
  closed.watch.check();
  await Promise.all([closed.watch.close(), closed.watch.close()]);
  closed.watch.check();
  await open.reported([[at("f")]]);
  expect(closed.changes).toEqual([]);
  await closed.watch.close();
});

test("a watch can be closed from within its own callback", async () => {
  const ended = Promise.withResolvers<void>();
  const { watch, changes } = await watching([at("f")], {
    onChange: (changed) => {
      changes.push(changed);
      watch.close().then(ended.resolve, ended.reject);
    },
  });
  put(at("f"), "1");
  await ended.promise;
  expect(changes).toEqual([[at("f")]]);
});

test("chokidar's own variables neither turn events off nor break the watch", async () => {
  vi.stubEnv("CHOKIDAR_USEPOLLING", "1");
  vi.stubEnv("CHOKIDAR_INTERVAL", "nonsense");
  onTestFinished(() => void vi.unstubAllEnvs());
  const modes: string[] = [];
  const { reported } = await watching([at("f")], { onMode: (mode) => modes.push(mode) });
  expect(process.getActiveResourcesInfo()).toContain("FSEventWrap");
  expect(process.env["CHOKIDAR_USEPOLLING"]).toBe("1");
  put(at("f"), "1");
  await reported([[at("f")]]);
  expect(modes).toEqual(["events"]);
});

const step = record({
  act: constantFrom("write", "replace", "remove", "link", "touch", "recreate" as const),
  name: constantFrom("a", "b"),
  content: constantFrom("x", "y", "z"),
  pauseMs: constantFrom(0, 0, 1, 15, 40),
});
type Step = typeof step extends Arbitrary<infer S> ? S : never;

function perform({ act, name, content }: Step, home: string): void {
  const path = join(home, name);
  const spare = join(home, "spare");
  if (act === "touch" && existsSync(path)) utimesSync(path, 1, 1);
  if (act === "remove" || act === "write") rmSync(path, { force: true });
  if (act === "write") writeFileSync(path, content);
  if (act === "replace" || act === "link") {
    if (act === "link") symlinkSync(`../fixed-${content}`, spare);
    else writeFileSync(spare, content);
    renameSync(spare, path);
  }
  if (act === "recreate") {
    rmSync(home, { recursive: true });
    mkdirSync(home);
  }
}

test("whatever happens in whatever order, a reader who follows the reports ends with what is on disk", async () => {
  const read = (path: string) => (existsSync(path) ? readFileSync(path, "utf8") : undefined);
  for (const content of ["x", "y", "z"]) writeFileSync(at(`fixed-${content}`), content);
  let run = 0;
  await assert(
    asyncProperty(array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      const home = at(`home-${run++}`);
      mkdirSync(home);
      const paths = [join(home, "a"), join(home, "b")];
      const copy = new Map<string, string | undefined>();
      const onChange = (changed: string[]) => changed.forEach((path) => copy.set(path, read(path)));
      // A folder that is made anew while its removal is still being noticed may give no events: what then helps is looking.
      const watch = await watchPaths(paths, { debounceMs: 5, rescanMs: 1000, onChange });
      for (const next of steps) {
        perform(next, home);
        if (next.pauseMs > 0) await delay(next.pauseMs);
      }
      await vi.waitFor(() => expect(paths.map((path) => copy.get(path))).toEqual(paths.map(read)), { timeout: 5000 });
      await watch.close();
    }),
    { numRuns: 40 },
  );
});
