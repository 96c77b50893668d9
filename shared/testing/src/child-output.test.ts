import { expect, test } from "vitest";

import { createBoundedText, createLogRecords } from "./child-output.ts";

test("text that grows too long loses its beginning", () => {
  const text = createBoundedText(10);
  text.append("0123456789");
  expect(text.text()).toBe("0123456789");
  text.append("abc");
  expect(text.text()).toBe("89abc");
});

test("records are read from lines, however these were cut into chunks", () => {
  const records = createLogRecords();
  records.append('{"msg":"on');
  records.append('e"}\n{"msg":"two"}\n{"msg":');
  expect(records.all()).toEqual([{ msg: "one" }, { msg: "two" }]);
  records.append('"three"}\n');
  expect(records.all()).toHaveLength(3);
});

test("lines that are no JSON objects are passed over", () => {
  const records = createLogRecords();
  records.append('plain\n\n12\nnull\n[1]\n{"msg":"one"}\n');
  expect(records.all()).toEqual([{ msg: "one" }]);
});

test("records are found in order, and after a given one", () => {
  const records = createLogRecords();
  records.append('{"msg":"a","n":1}\n{"msg":"b"}\n{"msg":"a","n":2}\n');
  const isA = ({ msg }: { msg?: string }) => msg === "a";
  const first = records.find(isA);
  expect(first).toEqual({ msg: "a", n: 1 });
  const second = records.find(isA, first);
  expect(second).toEqual({ msg: "a", n: 2 });
  expect(records.find(isA, second)).toBeUndefined();
});

test("the oldest of too many records are forgotten, and what follows a forgotten one is still found", () => {
  const records = createLogRecords(4);
  records.append('{"n":0}\n');
  const [first] = records.all();
  for (let n = 1; n <= 4; n++) records.append(`{"n":${n}}\n`);
  expect(records.all()).toEqual([{ n: 3 }, { n: 4 }]);
  expect(records.find(() => true, first)).toEqual({ n: 3 });
});
