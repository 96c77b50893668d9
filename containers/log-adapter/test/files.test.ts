// Following files: through rotation of every kind, restarts and outputs that fail, each line arrives.
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";

import { until } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { createFolder } from "./adapter.ts";

const line = (text: string): string => `2006-01-02 15:04:05,000 INFO app.Main: ${text}\n`;

test("what is there is read, and what is added too, of every file that the pattern names", async () => {
  const folder = createFolder(cleanup);
  writeFileSync(folder.at("a.log"), line("one"));
  writeFileSync(folder.at("other.txt"), line("not this"));
  folder.start();
  await until(() => folder.bodies().includes("one"));
  appendFileSync(folder.at("a.log"), line("two").slice(0, -3));
  writeFileSync(folder.at("b.log"), line("three"));
  await until(() => folder.bodies().includes("three"));
  appendFileSync(folder.at("a.log"), line("two").slice(-3));
  await until(() => folder.bodies().includes("two"));
  expect(folder.bodies()).toHaveLength(3);
  expect(folder.records()[0]!.Attributes["log.file.path"]).toBe(folder.at("a.log"));
});

test("a file that is renamed is finished, and its successor is begun", async () => {
  const folder = createFolder(cleanup);
  writeFileSync(folder.at("a.log"), line("0"));
  folder.start();
  await until(() => folder.bodies().includes("0"));
  renameSync(folder.at("a.log"), folder.at("a.log.1"));
  appendFileSync(folder.at("a.log.1"), line("1"));
  writeFileSync(folder.at("a.log"), line("2"));
  await until(() => folder.bodies().length === 3);
  expect(folder.bodies()).toEqual(["0", "1", "2"]);
});

test("a file that is copied and cut back is read from its beginning, even if it has grown longer since", async () => {
  const folder = createFolder(cleanup);
  writeFileSync(folder.at("a.log"), line("first of all"));
  const adapter = folder.start();
  await until(() => folder.bodies().length === 1);
  copyFileSync(folder.at("a.log"), folder.at("a.log.1"));
  truncateSync(folder.at("a.log"));
  writeFileSync(folder.at("a.log"), line("second") + line("third"));
  await until(() => folder.bodies().length === 3);
  expect(folder.bodies()).toEqual(["first of all", "second", "third"]);
  const metrics = await adapter.metrics();
  const restarts = ["truncated", "replaced"].map((reason) =>
    metrics.value("log_adapter_file_restarts_total", { reason }),
  );
  expect(restarts.reduce((sum, value) => sum! + value!, 0)).toBe(1);
});

test("after a restart it goes on where it was, also in a file that was renamed meanwhile", async () => {
  const folder = createFolder(cleanup);
  writeFileSync(folder.at("a.log"), line("0") + line("1").slice(0, -5));
  const first = folder.start();
  await until(() => folder.bodies().length === 1);
  expect(await first.stop()).toEqual({ code: 0, signal: null });
  appendFileSync(folder.at("a.log"), line("1").slice(-5) + line("2"));
  renameSync(folder.at("a.log"), folder.at("a.log.1"));
  writeFileSync(folder.at("a.log"), line("3"));
  folder.start();
  await until(() => folder.bodies().length >= 4);
  expect(folder.bodies()).toEqual(["0", "1", "2", "3"]);
});

test("killed again and again while it reads, it loses no line", async () => {
  const folder = createFolder(cleanup);
  const wanted = Array.from({ length: 20_000 }, (_, i) => String(i));
  for (let part = 0; part < 4; part++) {
    appendFileSync(
      folder.at("a.log"),
      wanted
        .slice(part * 5000, (part + 1) * 5000)
        .map(line)
        .join(""),
    );
    const adapter = folder.start();
    await until(() => folder.bodies().length > part * 2000);
    adapter.signal("SIGKILL");
    await adapter.exited;
    // What was being written when it was killed is no whole line, and comes again.
    const written = readFileSync(folder.at("records.json"), "utf8");
    truncateSync(folder.at("records.json"), Buffer.byteLength(written.slice(0, written.lastIndexOf("\n") + 1)));
  }
  folder.start();
  await until(() => new Set(folder.bodies()).size === wanted.length, { timeoutMs: 15_000 });
});

test("a checkpoint that is cut in half is told, and everything is read again", async () => {
  const folder = createFolder(cleanup);
  mkdirSync(folder.at("state"));
  writeFileSync(folder.at("state/checkpoint.json"), '{"version":1,"fil');
  writeFileSync(folder.at("a.log"), line("one"));
  const adapter = folder.start();
  await adapter.waitForLog("checkpoint not usable, reading from the beginning");
  await until(() => folder.bodies().includes("one"));
});

test("while the output fails it is not ready and nothing is lost; counts add up all the while", async () => {
  const folder = createFolder(cleanup);
  mkdirSync(folder.at("records.json"));
  writeFileSync(folder.at("a.log"), `${line("one")}\n${line("two")}`);
  const adapter = folder.start(["--log-level", "debug"]);
  await adapter.waitForLog("output does not take records");
  expect((await adapter.admin("/readyz")).status).toBe(503);
  const countsOf = async () => {
    const metrics = await adapter.metrics();
    const input = `file:${folder.at("*.log")}`;
    return ["read", "delivered", "dropped"]
      .map((what) => metrics.value(`log_adapter_lines_${what}_total`, { input }))
      .concat(metrics.value("log_adapter_lines_pending", { input }));
  };
  expect(await countsOf()).toEqual([3, 0, 1, 2]);
  rmdirSync(folder.at("records.json"));
  await until(() => folder.bodies().length === 2);
  await until(async () => (await adapter.admin("/readyz")).status === 200);
  await until(async () => (await countsOf())[3] === 0);
  expect(await countsOf()).toEqual([3, 2, 1, 0]);
});

test("a file of UTF-16 with a byte order mark is read as it says, also after a restart in its midst", async () => {
  const folder = createFolder(cleanup);
  writeFileSync(folder.at("a.log"), `\uFEFF${line("größer")}`, "utf16le");
  const adapter = folder.start();
  await until(() => folder.bodies().length === 1);
  expect(await adapter.stop()).toEqual({ code: 0, signal: null });
  appendFileSync(folder.at("a.log"), line("größer als zuvor"), "utf16le");
  folder.start();
  await until(() => folder.bodies().length >= 2);
  expect(folder.bodies()).toEqual(["größer", "größer als zuvor"]);
});

const linkOf = (pid: number, fd: string): string => {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    // It has been closed meanwhile.
    return "";
  }
};

test("a deleted file is let go after what was in it has been delivered", async () => {
  const folder = createFolder(cleanup);
  writeFileSync(folder.at("a.log"), line("one"));
  const adapter = folder.start();
  await until(() => folder.bodies().length === 1);
  appendFileSync(folder.at("a.log"), line("two"));
  unlinkSync(folder.at("a.log"));
  await until(() => folder.bodies().length === 2);
  const open = (): string[] => readdirSync(`/proc/${adapter.pid}/fd`).map((fd) => linkOf(adapter.pid, fd));
  await until(() => !open().some((path) => path.startsWith(folder.at("a.log"))));
  expect(await adapter.stop()).toEqual({ code: 0, signal: null });
});
