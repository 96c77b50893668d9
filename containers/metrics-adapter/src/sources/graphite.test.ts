import { expect, test } from "vitest";

import { parsePlainLine } from "./graphite.ts";

test.each([
  ["servers.a.cpu 0.5 1700000000", { path: "servers.a.cpu", tags: [], value: 0.5 }],
  ["a;x=y;z=w v 1", undefined],
  ["a;x=y;1z=w=v 1 1", { path: "a", tags: ["x", "y", "_1z", "w=v"], value: 1 }],
  ["  a\t-1e3  ", { path: "a", tags: [], value: -1000 }],
  ["a", undefined],
  ["a b", undefined],
  ["a 1 soon", undefined],
  ["a 1 2 3", undefined],
  ["a;x 1 2", undefined],
  [";x=y 1 2", undefined],
])("%s", (line, parsed) => expect(parsePlainLine(line)).toEqual(parsed));
