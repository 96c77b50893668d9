import { expect, test } from "vitest";

import {
  severityOfLetter,
  severityOfNumber,
  severityOfStatus,
  severityOfSyslog,
  severityOfWord,
  textOf,
} from "./severity.ts";

test.each([
  ["TRACE", 1],
  ["FINEST", 1],
  ["debug", 5],
  ["FINE", 6],
  ["CONFIG", 7],
  ["Information", 9],
  ["LOG", 9],
  ["NOTICE", 10],
  ["Warning", 13],
  ["wrn", 13],
  ["SEVERE", 17],
  ["err", 17],
  ["crit", 18],
  ["alert", 19],
  ["emerg", 21],
  ["FATAL", 21],
  ["INFO+2", 11],
  ["ERROR-1", 16],
  ["hello", 0],
  ["constructor", 0],
])("the word %s is %i", (word, expected) => {
  expect(severityOfWord(word)).toBe(expected);
});

test("syslog's eight severities are as the data model says", () => {
  expect([0, 1, 2, 3, 4, 5, 6, 7].map(severityOfSyslog)).toEqual([21, 19, 18, 17, 13, 10, 9, 5]);
});

test("numeric levels of pino and of Logback, and what lies between, are of the range that they reach", () => {
  expect([10, 20, 30, 35, 40, 50, 60].map(severityOfNumber)).toEqual([1, 5, 9, 9, 13, 17, 21]);
  expect([5000, 10_000, 20_000, 30_000, 40_000].map(severityOfNumber)).toEqual([1, 5, 9, 13, 17]);
  expect([-1, Number.NaN].map(severityOfNumber)).toEqual([0, 0]);
});

test("letters, statuses and names of ranges", () => {
  expect([..."VDIWEF"].map(severityOfLetter)).toEqual([1, 5, 9, 13, 17, 21]);
  expect([200, 302, 404, 503, 0].map(severityOfStatus)).toEqual([9, 9, 13, 17, 0]);
  expect([0, 1, 9, 24].map(textOf)).toEqual(["", "TRACE", "INFO", "FATAL"]);
});
