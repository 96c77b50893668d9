// A log that tests can look into.
import type { Logger, LogSettings } from "../src/logger.ts";
import { createLogger } from "../src/logger.ts";

export type LogLine = { readonly level: string; readonly msg: string; readonly [field: string]: unknown };

export type CapturedLog = {
  readonly log: Logger;
  readonly sink: (lines: string) => void;
  /** What was written, piece by piece. */
  readonly pieces: readonly string[];
  readonly text: () => string;
  readonly lines: () => LogLine[];
};

/** Captures whole lines; by default every message, as JSON. */
export function captureLog(settings: Partial<LogSettings> = {}): CapturedLog {
  const pieces: string[] = [];
  const sink = (lines: string): void => void pieces.push(lines);
  const text = (): string => pieces.join("");
  return {
    log: createLogger("demo", { logLevel: "debug", logFormat: "json", ...settings }, sink),
    sink,
    pieces,
    text,
    lines: () =>
      text()
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as LogLine),
  };
}
