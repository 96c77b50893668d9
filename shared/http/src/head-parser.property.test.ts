import * as fc from "fast-check";
import { expect, test } from "vitest";

import { createFieldNames } from "./field-names.ts";
import { INCOMPLETE, REFUSED } from "./field-section.ts";
import { FORWARDING_FIELDS } from "./forwarding.ts";
import { HeadParser } from "./head-parser.ts";

const names = createFieldNames(FORWARDING_FIELDS);
const fieldsOf = (head: HeadParser): [string, string][] =>
  Array.from({ length: head.count }, (_, i) => [head.name(i), head.value(i)]);
const bytesOf = (text: string): Buffer => Buffer.from(text, "latin1");

const name = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,20}$/).map((name) => `x${name}`);
const value = fc.stringMatching(/^[\x21-\x7e]([\x20-\x7e\t]{0,20}[\x21-\x7e])?$/);
const goodHead = fc
  .record({
    method: fc.constantFrom("GET", "POST", "DELETE", "M-SEARCH"),
    target: fc.stringMatching(/^\/[\x21\x22\x24-\x7e]{0,30}$/),
    fields: fc.array(fc.tuple(name, value), { maxLength: 10 }),
  })
  .map(({ method, target, fields }) => {
    const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    return { method, target, fields, text: `${method} ${target} HTTP/1.1\r\nHost: h\r\n${lines}\r\n` };
  });

test("a head is incomplete until its last byte, and parses the same however it arrived", () => {
  fc.assert(
    fc.property(goodHead, ({ method, target, fields, text }) => {
      const head = new HeadParser(names, { maxHeadBytes: 4096, maxFields: 16 });
      const bytes = bytesOf(text);
      for (let length = 0; length < bytes.length; length++) {
        expect(head.parseRequest(bytes.subarray(0, length), 0)).toBe(INCOMPLETE);
      }
      expect(head.parseRequest(bytes, 0)).toBe(bytes.length);
      expect([head.method, head.target]).toEqual([method, target]);
      expect(fieldsOf(head)).toEqual([["host", "h"], ...fields.map(([name, value]) => [name.toLowerCase(), value])]);
    }),
    { numRuns: 60 },
  );
});

test("whatever arrives, the parser neither throws nor looks beyond its bytes", () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
    fc.constantFrom(
      "GET / HTTP/1.1\r\n",
      "HTTP/1.1 200 OK\r\n",
      "Host: a\r\n",
      "\r\n",
      "\r",
      "\n",
      ": ",
      "Connection: ",
    ),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join("");
      // What stands behind the bytes would complete any line, if it were read.
      const backing = bytesOf(`${text}\r\n\r\n\r\n`);
      for (const response of [false, true]) {
        const head = new HeadParser(names, { maxHeadBytes: 1024, maxFields: 16 });
        const parse = (bytes: Buffer): number | string => {
          const end = response ? head.parseResponse(bytes, 0) : head.parseRequest(bytes, 0);
          return end === REFUSED ? head.refusal.reason : end;
        };
        const end = parse(bytesOf(text));
        if (typeof end === "number") expect(end).toBeLessThanOrEqual(text.length);
        expect(parse(backing.subarray(0, text.length))).toBe(end);
      }
    }),
    { numRuns: 2000 },
  );
});
