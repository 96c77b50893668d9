// Log records as people like to read them: the time, the message and the facts, on one short line.
import type { LogRecord } from "@outrigger/testing";

/** The record that a line of JSON holds; undefined for any other line. */
export function recordIn(line: string): LogRecord | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line) as LogRecord;
  } catch {
    return undefined;
  }
}

/** Facts as they are, and text with spaces in it, or none, in quotes. */
const factOf = ([name, value]: [string, unknown]): string =>
  `${name}=${typeof value === "string" && /^\S+$/.test(value) ? value : JSON.stringify(value)}`;

export type CompactLine = { readonly text: string; readonly level: string };

/** `13:05:11 warn condition does not hold  condition=target reason="..."`: the time is local, info goes without saying. */
export function compactLine(line: string, compact?: (record: LogRecord) => string | undefined): CompactLine {
  const record = recordIn(line);
  if (record === undefined) return { text: line, level: "info" };
  const { level = "info", time = "", msg = "", container: _, ...facts } = record;
  const words = compact?.(record) ?? `${msg}  ${Object.entries(facts).map(factOf).join(" ")}`.trimEnd();
  // What is no log line of the container itself has its time elsewhere, if any.
  const clock = time === "" ? [] : [new Date(time).toTimeString().slice(0, 8)];
  return { text: [...clock, ...(level === "info" ? [] : [level]), words].join(" "), level };
}
