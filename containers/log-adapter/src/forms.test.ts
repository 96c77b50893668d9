// Lines as programs of many makes write them, and what each has to be read as; the body is null where it is the line.
// Those of the README's table are among the claims.
import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { createDetector } from "./detect.ts";
import { createReading } from "./reading.ts";
import { createTimeReader } from "./timestamp.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");

type Form = readonly [line: string, format: string, time: string, severity: number, body: string | null];
const FORMS = readFileSync(new URL("../test/forms.jsonl", import.meta.url), "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as Form);

test.each(FORMS)("%s", (line, format, time, severity, body) => {
  const times = createTimeReader({ zone: "UTC", now: () => NOW });
  const reading = createReading();
  createDetector(times, { own: [], only: undefined }).read(line, reading);
  const { ms, severityNumber } = reading;
  const read = [
    reading.format,
    Number.isNaN(ms) ? "" : new Date(ms).toISOString().slice(0, 19),
    severityNumber,
    reading.body,
  ];
  expect(read).toEqual([format, time, severity, body ?? line]);
});

test("each of them is read in the same way after all the others", () => {
  const times = createTimeReader({ zone: "UTC", now: () => NOW });
  const detector = createDetector(times, { own: [], only: undefined });
  const reading = createReading();
  for (let round = 0; round < 2; round++) {
    for (const [line, format, , severity, body] of FORMS) {
      detector.read(line, reading);
      expect([reading.format, reading.severityNumber, reading.body], line).toEqual([format, severity, body ?? line]);
    }
  }
});

/** The rows of the README's table of formats, cell by cell; a bar within a cell is escaped. */
const ROWS = readFileSync(new URL("../README.md", import.meta.url), "utf8")
  .split("## Formats")[1]!
  .split("\n###")[0]!
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| format"))
  .map((line) =>
    line
      .slice(2, -2)
      .split(/ \| |(?<=\|)  ?\| /)
      .map((cell) => cell.replaceAll("\\|", "|").trim()),
  );
const codeIn = (cell: string): string => /`(.*)`/.exec(cell)?.[1] ?? cell;

test("the README's table of formats shows what is read", () => {
  expect(ROWS.length).toBeGreaterThan(20);
  for (const [name, ...cells] of ROWS) {
    const [line, time, severity, body, format] = cells.map(codeIn);
    const times = createTimeReader({ zone: "UTC", now: () => NOW });
    const reading = createReading();
    createDetector(times, { own: [], only: undefined }).read(line!, reading);
    const { ms, severityText } = reading;
    expect.soft(reading.format, name).toBe(format);
    expect.soft(Number.isNaN(ms) ? "" : new Date(ms).toISOString().slice(0, 19), name).toBe(time!.slice(0, 19));
    expect.soft(severityText, name).toBe(severity);
    expect.soft(reading.body, name).toBe(body === "the line" ? line : body);
  }
});
