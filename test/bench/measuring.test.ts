import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, onTestFinished, test, vi } from "vitest";

import { cpuTimeBetween, cpuTimeOf, parseRssAnon, parseStat, rssAnonOf, treeOf } from "./proc.ts";
import { findProgram, startProgram, versionOf } from "./programs.ts";
import type { Sample } from "./rounds.ts";
import { measureInTurns } from "./rounds.ts";
import { median, percentile, ratiosByRound, spreadOf } from "./statistics.ts";

test("the median is the middle value, or the mean of the two middle ones, in any order", () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([10, 9, 100, 1])).toBe(9.5);
  expect(() => median([])).toThrow("expected at least one value");
});

test("a percentile is the nearest rank", () => {
  const values = Array.from({ length: 1000 }, (_, i) => 1000 - i);
  expect(percentile(values, 0.5)).toBe(500);
  expect(percentile(values, 0.999)).toBe(999);
  expect(percentile(values, 1)).toBe(1000);
  expect(percentile([7], 0.001)).toBe(7);
  expect(() => percentile(values, 0)).toThrow("got 0");
  expect(() => percentile([], 0.5)).toThrow("got none");
});

test("a ratio is taken round by round, so a slow round of both does not count", () => {
  expect(ratiosByRound([2, 20, 2], [1, 10, 2])).toEqual({ median: 2, min: 1, max: 2 });
  expect(() => ratiosByRound([1], [1, 2])).toThrow("expected as many rounds as the reference (2), got 1");
  expect(spreadOf([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
});

test("stat is read behind the last bracket, whatever the command is called", () => {
  const text = "42 (a) b (c) S 7 42 42 0 -1 4194304 101 0 0 0 13 5 2 1 20 0 1 0 130456 3133440 383";
  expect(parseStat(text)).toEqual({ pid: 42, parent: 7, userTicks: 13, systemTicks: 5 });
  expect(() => parseStat("42 (cat) S 7 42")).toThrow("expected at least 15 fields");
  expect(() => parseStat("")).toThrow("expected at least 15 fields");
});

test("RssAnon is read in bytes", () => {
  expect(parseRssAnon("VmRSS:\t    9000 kB\nRssAnon:\t    1532 kB\nRssFile:\t 1 kB\n")).toBe(1532 * 1024);
  expect(() => parseRssAnon("VmRSS:\t    9000 kB\n")).toThrow("expected a line RssAnon");
});

test("a tree holds the process and its descendants, and nothing else", () => {
  const stat = (pid: number, parent: number) => ({ pid, parent, userTicks: 0, systemTicks: 0 });
  const all = [stat(9, 5), stat(1, 0), stat(5, 3), stat(3, 1), stat(4, 1)];
  expect(treeOf(3, all).map(({ pid }) => pid)).toEqual([3, 5, 9]);
  expect(treeOf(77, all)).toEqual([]);
});

test("CPU time and memory of a started process include those of its children", async () => {
  const work = "const end = Date.now() + 300; while (Date.now() < end); console.log(); setTimeout(() => {}, 5000);";
  const shell = spawn("sh", ["-c", `"${process.execPath}" -e "${work}" & wait`], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  try {
    await once(shell.stdout, "data");
    const used = cpuTimeOf(shell.pid!);
    expect(used.pids).toHaveLength(2);
    expect(used.user + used.system).toBeGreaterThan(50_000);
    expect(rssAnonOf(shell.pid!)).toBeGreaterThan(4 * 2 ** 20);
    process.kill(used.pids.find((pid) => pid !== shell.pid)!);
    await once(shell, "exit");
    expect(() => cpuTimeOf(shell.pid!)).toThrow("expected it to be running");
  } finally {
    shell.kill();
  }
});

test("CPU time between two readings is refused if a process ended in between", () => {
  const before = { user: 10, system: 20, pids: [1, 2] };
  expect(cpuTimeBetween(before, { user: 15, system: 22, pids: [1, 2, 3] })).toEqual({ user: 5, system: 2 });
  expect(() => cpuTimeBetween(before, { user: 15, system: 22, pids: [1] })).toThrow("got 2 ended");
});

test("subjects are measured in turns, each round beginning with the next, and the warm-up does not count", async () => {
  const order: string[] = [];
  const outcomes = await measureInTurns({
    subjects: new Map(["a", "b", "c"].map((name) => [name, name])),
    rounds: 2,
    warmUp: true,
    progress: () => {},
    measure: async (name): Promise<Sample> => ({ turn: order.push(name) }),
  });
  expect(order.join("")).toBe("abcabcbca");
  expect(outcomes.get("a")).toEqual({ samples: [{ turn: 4 }, { turn: 9 }] });
});

test("a subject that fails is left out from then on, and its outcome says why", async () => {
  let attempts = 0;
  const outcomes = await measureInTurns({
    subjects: new Map(["good", "bad"].map((name) => [name, name])),
    rounds: 3,
    warmUp: false,
    progress: () => {},
    measure: async (name): Promise<Sample> => {
      if (name === "bad" && ++attempts === 2) throw new Error("no answer");
      return { value: 1 };
    },
  });
  expect(attempts).toBe(2);
  expect(outcomes.get("bad")).toEqual({ missing: "failed: no answer" });
  expect(outcomes.get("good")).toEqual({ samples: [{ value: 1 }, { value: 1 }, { value: 1 }] });
});

test("a program that is not installed is not found, and a version is cut from what a program prints", () => {
  expect(findProgram("sh")).toMatch(/\/sh$/);
  expect(findProgram("no-such-program-here")).toBeUndefined();
  expect(versionOf([process.execPath, "--version"], /v(\d+)\./)).toBe(process.versions.node.split(".")[0]);
  expect(versionOf([process.execPath, "--version"], /nothing/)).toBe("unknown");
});

test("a program that ended by itself is told with what it printed", async () => {
  const folder = mkdtempSync(join(tmpdir(), "bench-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const running = await startProgram(["sh", "-c", "echo no such port; exit 3"], join(folder, "log"));
  await vi.waitFor(() => expect(running.assertRunning).toThrow("sh ended with 3: no such port"));
  await running.stop();
});
