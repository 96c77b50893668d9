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

/** A folder whose files a follower reads by a pattern, with a checkpoint; it may be ended and started again. */
function createFolder(pattern = "*.log") {
  const folder = tempDir(cleanup);
  const at = (name: string): string => join(folder, name);
  const lines: string[] = [];
  const told: string[] = [];
  let ending = new AbortController();
  let looks = 0;
  let following = Promise.resolve();
  const start = (): void => {
    ending = new AbortController();
    following = followFiles({
      inputs: [
        {
          name: "in",
          pattern: at(pattern),
          sinkAt: (_, startAt) => createLineSink((line) => void lines.push(line), { startAt }),
        },
      ],
      stateDir: at("state"),
      pollInterval: 10,
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
