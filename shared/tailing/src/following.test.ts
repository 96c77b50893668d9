// Files under the eyes of a follower, on a real disk.
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  copyFileSync,
  readFileSync,
  renameSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import { tempDir, until } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { createLineSink, followFiles } from "./index.ts";
import type { Sink } from "./index.ts";

/** A folder whose files a follower reads by a pattern, with a checkpoint; it may be ended and started again. */
function createFolder(pattern = "*.log") {
  const folder = tempDir(cleanup);
  const at = (name: string): string => join(folder, name);
  const lines: string[] = [];
  const told: string[] = [];
  let ending = new AbortController();
  let looks = 0;
  let open = 0;
  let following = Promise.resolve();
  const sinkAt = (_: string, startAt: number): Sink => {
    const sink = createLineSink((line) => void lines.push(line), { startAt });
    open++;
    return { ...sink, end: (whole) => (open--, sink.end(whole)) };
  };
  const start = (pollInterval = 10): void => {
    ending = new AbortController();
    following = followFiles({
      inputs: [
        {
          name: "in",
          pattern: at(pattern),
          sinkAt,
        },
      ],
      stateDir: at("state"),
      pollInterval,
      ending: ending.signal,
      on: {
        restarted: (reason) => void told.push(reason),
        failed: (path, error) => void told.push(`${path}: ${error.message}`),
        unusable: (problem) => void told.push(problem),
        unsaved: (error) => void told.push(error.message),
        looked: () => void looks++,
      },
    });
  };
  const stop = async (): Promise<void> => {
    ending.abort();
    await following;
  };
  cleanup(stop);
  start();
  return {
    at,
    lines,
    told,
    start,
    stop,
    /** Looks at everything once, as a run that ends before it has let anything go. */
    lookOnce: async () => {
      const from = looks;
      start(60_000);
      await until(() => looks > from);
      await stop();
    },
    /** Sinks that have not been ended. */
    open: () => open,
    /** Resolves after so many more looks at everything. */
    looks: (count: number) => {
      const from = looks;
      return until(() => looks >= from + count);
    },
  };
}

/** Lines that fill more than the beginning by which files are told apart. */
const numbered = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, i) => `line ${from + i} ${"x".repeat(60)}\n`).join("");
const numbersOf = (lines: readonly string[]): number[] => lines.map((line) => Number(line.split(" ")[1]));
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

test("what was written between the last look and a file's being copied and cut back is read from the copy", async () => {
  const folder = createFolder();
  writeFileSync(folder.at("a.log"), numbered(0, 10));
  await until(() => folder.lines.length === 10);
  await folder.stop();
  folder.start();
  // Between two looks, as nothing is awaited.
  appendFileSync(folder.at("a.log"), numbered(10, 20));
  copyFileSync(folder.at("a.log"), folder.at("a.log.1"));
  truncateSync(folder.at("a.log"));
  appendFileSync(folder.at("a.log"), numbered(20, 25));
  await until(() => folder.lines.length >= 25);
  expect(numbersOf(folder.lines)).toEqual(upTo(25));
});

test("a copy that the pattern names as well is not read twice, be it compressed or not", async () => {
  for (const compressed of [false, true]) {
    const folder = createFolder("*");
    writeFileSync(folder.at("a.log"), numbered(0, 10));
    await until(() => folder.lines.length === 10);
    copyFileSync(folder.at("a.log"), folder.at("a.log.1"));
    await folder.looks(3);
    truncateSync(folder.at("a.log"));
    appendFileSync(folder.at("a.log"), numbered(10, 15));
    await until(() => folder.lines.length >= 15);
    if (compressed) execFileSync("gzip", [folder.at("a.log.1")]);
    await folder.looks(20);
    expect(numbersOf(folder.lines)).toEqual(upTo(15));
    await folder.stop();
  }
});

test("a renamed file that is compressed is not read again, and of one that nobody has read the rest is", async () => {
  const folder = createFolder("a.log*");
  writeFileSync(folder.at("a.log"), numbered(0, 10));
  await until(() => folder.lines.length === 10);
  renameSync(folder.at("a.log"), folder.at("a.log.1"));
  execFileSync("gzip", [folder.at("a.log.1")]);
  writeFileSync(folder.at("a.log"), numbered(10, 20));
  await until(() => folder.lines.length === 20);
  await folder.looks(20);
  expect(numbersOf(folder.lines)).toEqual(upTo(20));
  await folder.stop();
  appendFileSync(folder.at("a.log"), numbered(20, 30));
  renameSync(folder.at("a.log"), folder.at("a.log.2"));
  execFileSync("gzip", [folder.at("a.log.2")]);
  writeFileSync(folder.at("a.log"), numbered(30, 40));
  folder.start();
  await until(() => folder.lines.length >= 40);
  await folder.looks(3);
  const rest = numbersOf(folder.lines).slice(20);
  // The first one had been forgotten with the process that read it; nothing is missing, and the rest is in order.
  expect(new Set(numbersOf(folder.lines))).toEqual(new Set(upTo(40)));
  expect(rest.filter((number) => number >= 20)).toEqual(upTo(40).slice(20));
});

test("after a restart a file that was copied and cut back meanwhile is finished from its copy", async () => {
  const folder = createFolder();
  writeFileSync(folder.at("a.log"), numbered(0, 10));
  await until(() => folder.lines.length === 10);
  await folder.stop();
  appendFileSync(folder.at("a.log"), numbered(10, 20));
  copyFileSync(folder.at("a.log"), folder.at("a.log.1"));
  truncateSync(folder.at("a.log"));
  appendFileSync(folder.at("a.log"), numbered(20, 30));
  folder.start();
  await until(() => folder.lines.length >= 30);
  expect(numbersOf(folder.lines)).toEqual(upTo(30));
});

test("files that came and went between two runs are read as well, by both ways of rotating", async () => {
  for (const isCopied of [false, true]) {
    const folder = createFolder();
    const rotate = (to: string): void => {
      if (!isCopied) return renameSync(folder.at("a.log"), folder.at(to));
      copyFileSync(folder.at("a.log"), folder.at(to));
      truncateSync(folder.at("a.log"));
    };
    writeFileSync(folder.at("a.log"), numbered(0, 10));
    await until(() => folder.lines.length === 10);
    await folder.stop();
    appendFileSync(folder.at("a.log"), numbered(10, 20));
    rotate("a.log-20060101");
    appendFileSync(folder.at("a.log"), numbered(20, 30));
    utimesSync(folder.at("a.log"), new Date(), new Date(Date.now() + 1000));
    rotate("a.log-20060102");
    utimesSync(folder.at("a.log-20060102"), new Date(), new Date(Date.now() + 2000));
    appendFileSync(folder.at("a.log"), numbered(30, 40));
    folder.start();
    await until(() => folder.lines.length >= 40);
    expect(numbersOf(folder.lines)).toEqual(upTo(40));
    await folder.stop();
  }
});

test("files rotated between three runs are each opened once, in the order in which they were written", async () => {
  const folder = createFolder();
  const rotate = (...names: string[]): void => {
    for (const [from, to] of names.map((name, i) => [name, names[i - 1]!]).slice(1)) {
      renameSync(folder.at(from!), folder.at(to!));
    }
    const newest = folder.at(names.at(-1)!);
    copyFileSync(folder.at("a.log"), newest);
    truncateSync(folder.at("a.log"));
  };
  /** Of two files that are written at once it is not known which is the older one. */
  const age = (name: string, seconds: number): void =>
    utimesSync(folder.at(name), new Date(), new Date(Date.now() - seconds * 1000));
  writeFileSync(folder.at("a.log"), numbered(0, 10));
  await until(() => folder.lines.length === 10);
  await folder.stop();
  appendFileSync(folder.at("a.log"), numbered(10, 20));
  rotate("a.log.1");
  appendFileSync(folder.at("a.log"), numbered(20, 30));
  await folder.lookOnce();
  appendFileSync(folder.at("a.log"), numbered(30, 40));
  rotate("a.log.2", "a.log.1");
  appendFileSync(folder.at("a.log"), numbered(40, 50));
  rotate("a.log.3", "a.log.2", "a.log.1");
  appendFileSync(folder.at("a.log"), numbered(50, 60));
  for (const [i, name] of ["a.log.1", "a.log.2", "a.log.3"].entries()) age(name, i + 1);
  await folder.lookOnce();
  expect(numbersOf(folder.lines)).toEqual(upTo(60));
  expect(folder.open()).toBe(0);
});

test("a file that was moved away is read on after a restart that found it where the last one had left it", async () => {
  const folder = createFolder();
  writeFileSync(folder.at("a.log"), numbered(0, 10));
  await until(() => folder.lines.length === 10);
  await folder.stop();
  renameSync(folder.at("a.log"), folder.at("a.log.1"));
  writeFileSync(folder.at("a.log"), numbered(20, 30));
  appendFileSync(folder.at("a.log.1"), numbered(10, 15));
  await folder.lookOnce();
  appendFileSync(folder.at("a.log.1"), numbered(15, 20));
  await folder.lookOnce();
  expect(numbersOf(folder.lines).toSorted((a, b) => a - b)).toEqual(upTo(30));
});

test("tiny files that begin alike are each read, and a symbolic link to one of them is no other file", async () => {
  const folder = createFolder();
  for (const name of ["a.log", "b.log", "c.log"]) writeFileSync(folder.at(name), "started\n");
  execFileSync("ln", ["-s", folder.at("a.log"), folder.at("link.log")]);
  await until(() => folder.lines.length >= 3);
  await folder.looks(3);
  expect(folder.lines).toEqual(["started", "started", "started"]);
});

test("two files whose programs write the very same are both read", async () => {
  const folder = createFolder();
  writeFileSync(folder.at("a.log"), numbered(0, 10));
  await until(() => folder.lines.length === 10);
  writeFileSync(folder.at("b.log"), numbered(0, 10));
  await until(() => folder.lines.length === 20);
  expect(numbersOf(folder.lines)).toEqual([...upTo(10), ...upTo(10)]);
});

test("an inode that another file has taken over is read from its beginning", async () => {
  const folder = createFolder();
  writeFileSync(folder.at("a.log"), numbered(0, 3));
  await until(() => folder.lines.length === 3);
  await folder.stop();
  const checkpoint = JSON.parse(readFileSync(folder.at("state/checkpoint.json"), "utf8"));
  unlinkSync(folder.at("a.log"));
  writeFileSync(folder.at("b.log"), numbered(3, 9));
  // Whether the system gives the number again is its own affair: the checkpoint says that it did.
  const { ino } = (await import("node:fs")).statSync(folder.at("b.log"));
  checkpoint.files[0].inode = ino;
  writeFileSync(folder.at("state/checkpoint.json"), JSON.stringify(checkpoint));
  folder.start();
  await until(() => folder.lines.length >= 9);
  expect(numbersOf(folder.lines)).toEqual(upTo(9));
});

test("a compressed file is read as what is in it; one that is cut off is told, and read on when it is whole", async () => {
  const folder = createFolder("*.gz");
  writeFileSync(folder.at("a"), numbered(0, 3000));
  execFileSync("gzip", ["-k", folder.at("a")]);
  const whole = readFileSync(folder.at("a.gz"));
  unlinkSync(folder.at("a.gz"));
  writeFileSync(folder.at("b.gz"), whole.subarray(0, whole.length - 500));
  await until(() => folder.told.some((text) => text.includes("b.gz")));
  appendFileSync(folder.at("b.gz"), whole.subarray(whole.length - 500));
  await until(() => folder.lines.length >= 3000);
  expect(numbersOf(folder.lines)).toEqual(upTo(3000));
});
