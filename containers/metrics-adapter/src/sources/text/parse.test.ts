import { expect, test } from "vitest";

import { parseCsv } from "./parse.ts";

test.each([
  [
    "a,b\n1,2\n",
    [
      ["a", "b"],
      ["1", "2"],
    ],
  ],
  [
    'a,"b ""x"", c"\r\n1,"2\n3"',
    [
      ["a", 'b "x", c'],
      ["1", "2\n3"],
    ],
  ],
  [
    "a,\n,b,",
    [
      ["a", ""],
      ["", "b", ""],
    ],
  ],
  ['"never ends', [["never ends"]]],
  ["", []],
])("CSV %j is taken apart", (text, rows) => {
  expect(parseCsv(text, ",")).toEqual(rows);
});
