import { expect, test } from "vitest";

import { captureLog } from "../test/log.ts";
import { createUndoList } from "./undo-list.ts";

const TIME = 10_000;

test("everything is undone, last first, each after the one before has ended", async () => {
  const undoing = createUndoList(captureLog().log);
  const order: string[] = [];
  undoing.add("first", () => order.push("first"));
  undoing.add("second", async () => {
    order.push("second begins");
    await new Promise((resolve) => void setImmediate(resolve));
    order.push("second ends");
  });
  undoing.add("third", () => order.push("third"));
  expect(await undoing.run(TIME)).toBe(true);
  expect(order).toEqual(["third", "second begins", "second ends", "first"]);
});

test("one failure is logged by name, and the others are undone all the same", async () => {
  const { log, lines } = captureLog();
  const undoing = createUndoList(log);
  const done: string[] = [];
  undoing.add("first", () => done.push("first"));
  undoing.add("rejects", async () => Promise.reject(new Error("no")));
  undoing.add("throws", () => {
    throw new Error("never");
  });
  await undoing.run(TIME);
  expect(done).toEqual(["first"]);
  expect(lines()).toMatchObject([
    { level: "error", msg: "stopping failed", name: "throws", error: { message: "never" } },
    { level: "error", msg: "stopping failed", name: "rejects", error: { message: "no" } },
  ]);
});

test("one that does not end is given up and named, and the others are undone all the same", async () => {
  const { log, lines } = captureLog();
  const undoing = createUndoList(log);
  const done: string[] = [];
  undoing.add("first", () => done.push("first"));
  undoing.add("hangs", () => new Promise(() => undefined));
  expect(await undoing.run(50)).toBe(false);
  expect(done).toEqual(["first"]);
  expect(lines()).toMatchObject([{ level: "error", msg: "stopping timed out", name: "hangs" }]);
});

test("nothing is undone twice", async () => {
  const undoing = createUndoList(captureLog().log);
  let times = 0;
  undoing.add("once", () => times++);
  await Promise.all([undoing.run(TIME), undoing.run(TIME)]);
  await undoing.run(TIME);
  expect(times).toBe(1);
});
