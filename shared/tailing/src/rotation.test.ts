// Files that are rotated, by renaming and by copying and cutting back, while they are followed and between two runs.
import { appendFileSync, copyFileSync, existsSync, renameSync, truncateSync, utimesSync, writeFileSync } from "node:fs";

import { until } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { createFolder, createRotated, numbered, numbersOf, upTo } from "./test-folder.ts";

test("what was written between the last look and a file's being copied and cut back is read from the copy", async () => {
  const folder = createFolder(cleanup);
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

test("after a restart a file that was copied and cut back meanwhile is finished from its copy", async () => {
  const folder = createFolder(cleanup);
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
    const folder = createFolder(cleanup);
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

test("after a restart what came into a file that had just been cut back, and was copied and cut back again, is read", async () => {
  const folder = createFolder(cleanup);
  const rotate = (to: string): void => {
    copyFileSync(folder.at("a.log"), folder.at(to));
    truncateSync(folder.at("a.log"));
  };
  writeFileSync(folder.at("a.log"), numbered(0, 10));
  await until(() => folder.lines.length === 10);
  rotate("a.log.1");
  await until(() => folder.told.includes("truncated"));
  await folder.looks(2);
  await folder.stop();
  renameSync(folder.at("a.log.1"), folder.at("a.log.2"));
  appendFileSync(folder.at("a.log"), numbered(10, 20));
  rotate("a.log.1");
  utimesSync(folder.at("a.log.1"), new Date(), new Date(Date.now() + 1000));
  appendFileSync(folder.at("a.log"), numbered(20, 30));
  folder.start();
  await until(() => folder.lines.length >= 30);
  expect(numbersOf(folder.lines)).toEqual(upTo(30));
});

test("files rotated several times between two looks of one run are all read, by both ways of rotating", async () => {
  for (const isCopied of [false, true]) {
    for (const pattern of ["*.log", "*"]) {
      const folder = createFolder(cleanup, pattern);
      const write = (from: number, second: number): void => {
        appendFileSync(folder.at("a.log"), numbered(from, from + 10));
        utimesSync(folder.at("a.log"), new Date(), new Date(Date.now() + second * 1000));
      };
      const rotate = (second: number): void => {
        if (existsSync(folder.at("a.log.2"))) renameSync(folder.at("a.log.2"), folder.at("a.log.3"));
        if (existsSync(folder.at("a.log.1"))) renameSync(folder.at("a.log.1"), folder.at("a.log.2"));
        if (!isCopied) return renameSync(folder.at("a.log"), folder.at("a.log.1"));
        copyFileSync(folder.at("a.log"), folder.at("a.log.1"));
        utimesSync(folder.at("a.log.1"), new Date(), new Date(Date.now() + second * 1000));
        truncateSync(folder.at("a.log"));
      };
      write(0, -5);
      await until(() => folder.lines.length === 10);
      // Between two looks, as nothing is awaited.
      write(10, -4);
      rotate(-4);
      write(20, -3);
      rotate(-3);
      write(30, -2);
      rotate(-2);
      write(40, -1);
      await until(() => folder.lines.length >= 50);
      await folder.looks(60);
      const read = numbersOf(folder.lines);
      // A copy that the pattern names as well cannot be told from another file when its original has gone on.
      const isOrdered = pattern === "*.log";
      expect(isOrdered ? read : [...new Set(read)].sort((a, b) => a - b)).toEqual(upTo(50));
      if (!isCopied) expect(read).toHaveLength(50);
      await folder.stop();
      expect(folder.open()).toBe(0);
    }
  }
});

test("files rotated between three runs are each opened once, in the order in which they were written", async () => {
  const folder = createFolder(cleanup);
  const file = createRotated(folder.at, { isCopied: true });
  file.write(0, 10);
  await until(() => folder.lines.length === 10);
  await folder.stop();
  file.write(10, 20);
  file.rotate();
  file.write(20, 30);
  await folder.lookOnce();
  file.write(30, 40);
  file.rotate();
  file.write(40, 50);
  file.rotate();
  file.write(50, 60);
  await folder.lookOnce();
  expect(numbersOf(folder.lines)).toEqual(upTo(60));
  expect(folder.open()).toBe(0);
});
