import { expect, test } from "vitest";

import { duration, objects, text } from "./index.ts";

test("objects have the keys that are described, those that are required among them, and no others", () => {
  const kind = objects<{ name: string; every?: number }>(
    { name: text(), every: duration() },
    { required: ["name"], form: "a list of things", maxItems: 2 },
  );
  expect(kind.schema.parse([{ name: "a", every: "5s" }, { name: "b" }])).toEqual([
    { name: "a", every: 5000 },
    { name: "b" },
  ]);
  expect(kind.format([{ name: "a", every: 5000 }])).toBe('[{"name":"a","every":"5s"}]');
  const three = [{ name: "a" }, { name: "b" }, { name: "c" }];
  for (const wrong of [[{ every: "5s" }], [{ name: "a", evry: "5s" }], three]) {
    expect(kind.schema.safeParse(wrong).success).toBe(false);
  }
});
