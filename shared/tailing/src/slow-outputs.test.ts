// Files that are rotated while what was read of them still waits: one look then takes as long as the outputs do.
import { appendFileSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

import { until } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { createFolder, createRotated, numbered, numbersOf, upTo } from "./test-folder.ts";

type Folder = ReturnType<typeof createFolder>;

const distinct = (folder: Folder): number[] => [...new Set(numbersOf(folder.lines))].sort((a, b) => a - b);
const arrive = (folder: Folder, count: number): Promise<unknown> => until(() => distinct(folder).length >= count);

test("a file that comes and goes while the one before it waits for its outputs is read", async () => {
  const folder = createFolder(cleanup);
  const file = createRotated(folder.at);
  file.write(0, 10);
  await arrive(folder, 10);
  file.write(10, 20);
  const { held } = folder.hold();
  file.rotate();
  file.write(20, 30);
  await held();
  file.rotate();
  file.write(30, 40);
  folder.release();
  await arrive(folder, 40);
  expect(numbersOf(folder.lines)).toEqual(upTo(40));
});

test("after a kill a file that comes and goes while the one before it waits for its outputs is read", async () => {
  const folder = createFolder(cleanup);
  const file = createRotated(folder.at);
  file.write(0, 10);
  await arrive(folder, 10);
  await folder.looks(2);
  await folder.kill();
  file.write(10, 20);
  file.rotate();
  file.write(20, 30);
  const { held } = folder.hold();
  folder.start();
  await held();
  file.rotate();
  file.write(30, 40);
  folder.release();
  await arrive(folder, 40);
  expect(numbersOf(folder.lines)).toEqual(upTo(40));
});

test("a renamed file that is compressed at once is read once, whether its time is kept or not, also after a kill", async () => {
  for (const isTimeKept of [true, false]) {
    for (const isKilled of [false, true]) {
      const folder = createFolder(cleanup);
      const file = createRotated(folder.at);
      file.write(0, 10);
      await arrive(folder, 10);
      await folder.looks(2);
      if (isKilled) {
        await folder.kill();
        folder.start();
        await folder.looks(2);
      }
      // Between two looks, as nothing is awaited.
      file.write(10, 20);
      file.rotate();
      const path = folder.at("a.log.1");
      const { atime, mtime } = statSync(path);
      writeFileSync(`${path}.gz`, gzipSync(readFileSync(path)));
      if (isTimeKept) utimesSync(`${path}.gz`, atime, mtime);
      rmSync(path);
      file.write(20, 30);
      await arrive(folder, 30);
      await folder.looks(30);
      expect(numbersOf(folder.lines)).toEqual(upTo(30));
      await folder.stop();
    }
  }
});

test("after a kill in a row of kills each file of those that came and went is read", async () => {
  const folder = createFolder(cleanup);
  const file = createRotated(folder.at);
  file.write(0, 10);
  await arrive(folder, 10);
  await folder.looks(2);
  for (let from = 10; from < 60; from += 10) {
    await folder.kill();
    file.write(from, from + 5);
    file.rotate();
    file.write(from + 5, from + 10);
    const { held } = folder.hold();
    folder.start();
    await held();
  }
  folder.release();
  await arrive(folder, 60);
  expect(distinct(folder)).toEqual(upTo(60));
});

test("what was read but not taken before a kill is read from its copy, though it was cut back before it was read", async () => {
  const folder = createFolder(cleanup);
  const file = createRotated(folder.at, { isCopied: true });
  await folder.looks(1);
  folder.refuse();
  file.write(0, 10);
  await folder.looks(3);
  await folder.kill();
  // Another file, older, that is read first.
  writeFileSync(folder.at("0.log"), "line 0\n");
  utimesSync(folder.at("0.log"), 0, 0);
  const { held } = folder.hold();
  folder.start();
  await held();
  file.rotate();
  file.write(10, 20);
  folder.release();
  await arrive(folder, 20);
  expect(numbersOf(folder.lines)).toEqual([0, ...upTo(20)]);
});

test("a file that is cut back and grows beyond where it was left off, while a piece of it waits, is read from its copy", async () => {
  const folder = createFolder(cleanup);
  const file = createRotated(folder.at, { isCopied: true });
  file.write(0, 10);
  await arrive(folder, 10);
  // More than is read at once.
  const { held } = folder.hold();
  file.write(10, 4000);
  await held();
  file.rotate();
  file.write(4000, 8000);
  folder.release();
  await arrive(folder, 8000);
  expect(numbersOf(folder.lines)).toEqual(upTo(8000));
});

test("a file that is cut back again while what it had before waits is read from both copies", async () => {
  const folder = createFolder(cleanup);
  const file = createRotated(folder.at, { isCopied: true });
  file.write(0, 10);
  await arrive(folder, 10);
  const { held } = folder.hold();
  file.write(10, 20);
  file.rotate();
  file.write(20, 30);
  await held();
  for (let from = 30; from < 60; from += 10) {
    file.rotate();
    file.write(from, from + 10);
  }
  folder.release();
  await arrive(folder, 60);
  expect(numbersOf(folder.lines)).toEqual(upTo(60));
});

test("a copy is read also when the one before it, of which some was unread, has been deleted", async () => {
  const folder = createFolder(cleanup);
  const file = createRotated(folder.at, { isCopied: true, keep: 1 });
  file.write(0, 10);
  await arrive(folder, 10);
  await folder.looks(2);
  // Between two looks, as nothing is awaited.
  file.rotate();
  file.write(10, 20);
  file.rotate();
  file.write(20, 30);
  await arrive(folder, 30);
  expect(numbersOf(folder.lines)).toEqual(upTo(30));
});

test("after a kill what came after a file that was deleted meanwhile is read", async () => {
  for (const isCopied of [false, true]) {
    const folder = createFolder(cleanup);
    const file = createRotated(folder.at, { isCopied, keep: 1 });
    file.write(0, 10);
    await arrive(folder, 10);
    await folder.looks(2);
    await folder.kill();
    file.rotate();
    file.write(10, 20);
    file.rotate();
    file.write(20, 30);
    folder.start();
    await arrive(folder, 30);
    expect(numbersOf(folder.lines)).toEqual(upTo(30));
    await folder.stop();
  }
});

test("after a kill, and a clock that was set back, what came and went is read", async () => {
  const folder = createFolder(cleanup);
  const file = createRotated(folder.at);
  file.write(0, 10);
  await arrive(folder, 10);
  await folder.looks(2);
  await folder.kill();
  const checkpoint = JSON.parse(readFileSync(folder.at("state/checkpoint.json"), "utf8"));
  checkpoint.files[0].writtenAt = Date.now() + 3600_000;
  writeFileSync(folder.at("state/checkpoint.json"), JSON.stringify(checkpoint));
  file.rotate();
  appendFileSync(folder.at("a.log"), numbered(10, 20));
  utimesSync(folder.at("a.log"), new Date(), new Date(Date.now() + 60_000));
  file.rotate();
  file.write(20, 30);
  folder.start();
  await arrive(folder, 30);
  expect(numbersOf(folder.lines)).toEqual(upTo(30));
});

test("a file that came and went after its place had been empty for long is read, in one run and over a restart", async () => {
  for (const isRestarted of [false, true]) {
    const folder = createFolder(cleanup);
    const file = createRotated(folder.at);
    file.write(0, 10);
    await arrive(folder, 10);
    file.rotate();
    await until(() => folder.open() === 0);
    if (isRestarted) await folder.stop();
    file.write(10, 20);
    file.rotate();
    file.write(20, 30);
    if (isRestarted) folder.start();
    await arrive(folder, 30);
    expect(numbersOf(folder.lines)).toEqual(upTo(30));
    await folder.stop();
  }
});

test("an empty file that is first written, copied and cut back between two looks is read from its copy", async () => {
  const folder = createFolder(cleanup);
  const file = createRotated(folder.at, { isCopied: true });
  file.write(0, 0);
  await folder.looks(2);
  file.write(0, 10);
  file.rotate();
  file.write(10, 20);
  await arrive(folder, 20);
  expect(numbersOf(folder.lines)).toEqual(upTo(20));
});

test("the inode of a copy that was read and deleted may be that of a later one", async () => {
  const folder = createFolder(cleanup);
  const file = createRotated(folder.at, { isCopied: true });
  file.write(0, 10);
  await arrive(folder, 10);
  for (let from = 10; from < 100; from += 20) {
    file.write(from, from + 10);
    file.rotate();
    file.write(from + 10, from + 20);
    file.rotate();
    await arrive(folder, from + 20);
    await folder.looks(2);
    rmSync(folder.at("a.log.1"));
    rmSync(folder.at("a.log.2"));
  }
  expect(distinct(folder)).toEqual(upTo(110));
});

test("a file whose outputs are slow does not keep others waiting for longer than its turn", async () => {
  const folder = createFolder(cleanup);
  await folder.looks(1);
  const { held } = folder.hold();
  writeFileSync(folder.at("a.log"), numbered(0, 4000));
  utimesSync(folder.at("a.log"), 0, 0);
  writeFileSync(folder.at("b.log"), "line 4000\n");
  await held();
  const from = performance.now();
  await until(() => performance.now() - from > 600);
  folder.release();
  await arrive(folder, 4001);
  const order = numbersOf(folder.lines);
  expect(order.indexOf(4000)).toBeLessThan(order.indexOf(3999));
  expect(order.filter((number) => number < 4000)).toEqual(upTo(4000));
});

test("what came after a file is read after all of it, however many turns that takes", async () => {
  const folder = createFolder(cleanup);
  const file = createRotated(folder.at);
  file.write(0, 10);
  await arrive(folder, 10);
  const { held } = folder.hold();
  file.write(10, 4000);
  file.rotate();
  file.write(4000, 4010);
  await held();
  const from = performance.now();
  await until(() => performance.now() - from > 600);
  folder.release();
  await arrive(folder, 4010);
  expect(numbersOf(folder.lines)).toEqual(upTo(4010));
});
