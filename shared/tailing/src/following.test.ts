// Files that are followed, as programs write them.
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  copyFileSync,
  readFileSync,
  renameSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";

import { until } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { createFolder, numbered, numbersOf, upTo } from "./test-folder.ts";

test("a copy that the pattern names as well is not read twice, be it compressed or not", async () => {
  for (const compressed of [false, true]) {
    const folder = createFolder(cleanup, "*");
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
  const folder = createFolder(cleanup, "a.log*");
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

test("a file that was moved away is read on after a restart that found it where the last one had left it", async () => {
  const folder = createFolder(cleanup);
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
  const folder = createFolder(cleanup);
  for (const name of ["a.log", "b.log", "c.log"]) writeFileSync(folder.at(name), "started\n");
  execFileSync("ln", ["-s", folder.at("a.log"), folder.at("link.log")]);
  await until(() => folder.lines.length >= 3);
  await folder.looks(3);
  expect(folder.lines).toEqual(["started", "started", "started"]);
});

test("two files whose programs write the very same are both read", async () => {
  const folder = createFolder(cleanup);
  writeFileSync(folder.at("a.log"), numbered(0, 10));
  await until(() => folder.lines.length === 10);
  writeFileSync(folder.at("b.log"), numbered(0, 10));
  await until(() => folder.lines.length === 20);
  expect(numbersOf(folder.lines)).toEqual([...upTo(10), ...upTo(10)]);
});

test("an inode that another file has taken over is read from its beginning", async () => {
  const folder = createFolder(cleanup);
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
  const folder = createFolder(cleanup, "*.gz");
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
