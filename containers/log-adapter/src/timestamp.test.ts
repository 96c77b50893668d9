import { assert, constantFrom, date, integer, property, string } from "fast-check";
import { describe, expect, test } from "vitest";

import { createTimeReader } from "./timestamp.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const readerIn = (zone: string) => createTimeReader({ zone, now: () => NOW });

/** The time at the beginning of a text in RFC 3339, and what is behind it. */
function read(text: string, zone = "UTC"): [string, string] | undefined {
  const reader = readerIn(zone);
  const end = reader.read(text, 0);
  if (end < 0) return undefined;
  const nanos = String(reader.nanos).padStart(6, "0");
  return [new Date(reader.ms).toISOString().replace("Z", reader.nanos === 0 ? "Z" : `${nanos}Z`), text.slice(end)];
}

test.each([
  ["2006-01-02T15:04:05Z", "2006-01-02T15:04:05.000Z"],
  ["2006-01-02T15:04:05.123456789+02:00", "2006-01-02T13:04:05.123456789Z"],
  ["2006-01-02 15:04:05,123", "2006-01-02T15:04:05.123Z"],
  ["2006-01-02 15:04:05.123 -0700", "2006-01-02T22:04:05.123Z"],
  ["2006-01-02 15:04:05.5 CET", "2006-01-02T14:04:05.500Z"],
  ["2006-01-02 15:04:05.999999999 +0000 UTC", "2006-01-02T15:04:05.999999999Z"],
  ["2006/01/02 15:04:05", "2006-01-02T15:04:05.000Z"],
  ["2006-01-02-15.04.05.123456", "2006-01-02T15:04:05.123456000Z"],
  ["20060102-15:04:05:606", "2006-01-02T15:04:05.606Z"],
  ["20060102-0:7:20:4", "2006-01-02T00:07:20.400Z"],
  ["20060102T150405Z", "2006-01-02T15:04:05.000Z"],
  ["060102 150405", "2006-01-02T15:04:05.000Z"],
  ["060102  5:04:05", "2006-01-02T05:04:05.000Z"],
  ["17/06/09 20:10:40", "2017-06-09T20:10:40.000Z"],
  ["09/06/29 20:10:40", "2009-06-29T20:10:40.000Z"],
  ["03/17/2016 11:04:05 PM", "2016-03-17T23:04:05.000Z"],
  ["17.03.2016 11:04:05", "2016-03-17T11:04:05.000Z"],
  ["02/Jan/2006:15:04:05 -0700", "2006-01-02T22:04:05.000Z"],
  ["02-Jan-2006 15:04:05.042", "2006-01-02T15:04:05.042Z"],
  ["02 Jan 2006 15:04:05.042", "2006-01-02T15:04:05.042Z"],
  ["Jan 02, 2006 3:04:05 PM", "2006-01-02T15:04:05.000Z"],
  ["Mon Jan  2 15:04:05.123456 2006", "2006-01-02T15:04:05.123456000Z"],
  ["Mon Jan  2 15:04:05 MST 2006", "2006-01-02T22:04:05.000Z"],
  ["Mon, 02 Jan 2006 15:04:05 GMT", "2006-01-02T15:04:05.000Z"],
  ["Monday, 02-Jan-06 15:04:05 UTC", "2006-01-02T15:04:05.000Z"],
  ["Jan  2 15:04:05", "2026-01-02T15:04:05.000Z"],
  ["Dec 31 23:59:59", "2025-12-31T23:59:59.000Z"],
  ["Feb 29 00:00:00", "2024-02-29T00:00:00.000Z"],
  ["01-02 15:04:05.123", "2026-01-02T15:04:05.123Z"],
  ["11:04:05.123", "2026-11-22T11:04:05.123Z"],
  ["1136214245", "2006-01-02T15:04:05.000Z"],
  ["1136214245.5", "2006-01-02T15:04:05.500Z"],
  ["1136214245123", "2006-01-02T15:04:05.123Z"],
  ["1136214245123456", "2006-01-02T15:04:05.123456000Z"],
  ["1136214245123456789", "2006-01-02T15:04:05.123456789Z"],
])("%s is %s", (text, expected) => {
  expect(read(text)).toEqual([expected, ""]);
  expect(read(`${text} and more`)).toEqual([expected, " and more"]);
});

test.each([
  "",
  "words",
  "12345",
  "2006-13-02 15:04:05",
  "2006-02-30 15:04:05",
  "2006-01-02 25:04:05",
  "1.2.3.4",
  "Janet 1",
])("%s is no time", (text) => {
  expect(read(text)).toBeUndefined();
});

describe("a time without a zone is one of the given zone", () => {
  test.each([
    ["2006-07-02 15:04:05", "Europe/Berlin", "2006-07-02T13:04:05.000Z"],
    ["2006-01-02 15:04:05", "Europe/Berlin", "2006-01-02T14:04:05.000Z"],
    ["2006-01-02 15:04:05", "Asia/Kolkata", "2006-01-02T09:34:05.000Z"],
    ["2026-10-25 02:30:00", "Europe/Berlin", "2026-10-25T00:30:00.000Z"],
    ["2026-10-25 03:30:00", "Europe/Berlin", "2026-10-25T02:30:00.000Z"],
    ["2026-03-29 03:30:00", "Europe/Berlin", "2026-03-29T01:30:00.000Z"],
    ["2006-01-02T15:04:05Z", "Europe/Berlin", "2006-01-02T15:04:05.000Z"],
  ])("%s in %s is %s", (text, zone, expected) => {
    expect(read(text, zone)?.[0]).toBe(expected);
  });
});

test("a date that can only begin with its day tells how to read those after it", () => {
  const reader = readerIn("UTC");
  reader.read("03/04/2016 00:00:00", 0);
  expect(new Date(reader.ms).toISOString()).toMatch(/^2016-03-04/);
  reader.read("17/03/2016 00:00:00", 0);
  reader.read("03/04/2016 00:00:00", 0);
  expect(new Date(reader.ms).toISOString()).toMatch(/^2016-04-03/);
});

test("every instant that is written is read as it was", () => {
  const reader = readerIn("UTC");
  const instants = date({ min: new Date(0), max: new Date("2069-12-31"), noInvalidDate: true });
  const forms = constantFrom<(iso: string, at: Date) => string>(
    (iso) => iso,
    (iso) => iso.replace("T", " ").replace("Z", "").replace(".", ","),
    (iso) => iso.replace("Z", "+00:00"),
    (iso, at) => `${at.toUTCString().replace("GMT", "").trim()}${iso.slice(19)}`.replace("Z", " GMT"),
  );
  assert(
    property(instants, forms, (at, form) => {
      const text = form(at.toISOString(), at);
      expect(reader.read(text, 0), text).toBe(text.length);
      expect(reader.ms, text).toBe(at.getTime());
    }),
  );
});

test("no text makes it throw, or take more than there is", () => {
  const reader = readerIn("Europe/Berlin");
  assert(
    property(string({ unit: "binary" }), integer({ min: 0, max: 40 }), (text, at) => {
      expect(reader.read(text, at)).toBeLessThanOrEqual(text.length);
    }),
  );
});
