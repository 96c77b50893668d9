// What has been read of one line. One object serves all lines: formats fill it in, the model writes it out.
import type { TimeReader } from "./timestamp.ts";

/** Formats, as metrics name them. `text` is a header and a message, `trace` a stack trace by itself, `plain` a line that
 * was asked not to be read, `own` stands for all that the user has defined, `unparsed` is a line that none fits. */
export const FORMATS = [
  "json",
  "logfmt",
  "access",
  "syslog",
  "syslog5424",
  "nginx_error",
  "apache_error",
  "haproxy",
  "envoy",
  "klog",
  "redis",
  "postgresql",
  "postgresql_csv",
  "mysql",
  "mysql_slow",
  "mongodb",
  "logcat",
  "ruby",
  "python",
  "jul",
  "kernel",
  "audit",
  "cef",
  "ras",
  "text",
  "trace",
  "plain",
  "own",
  "unparsed",
] as const;
export type FormatName = (typeof FORMATS)[number];

export type Reading = {
  /** One of FORMATS, or the name of a format of the user's own. */
  format: string;
  /** Milliseconds since 1970; NaN where the line tells no time. */
  ms: number;
  /** Nanoseconds beyond `ms`. */
  nanos: number;
  severityText: string;
  severityNumber: number;
  body: string;
  /** Names and values in turn: no object for each. */
  readonly attributes: unknown[];
  traceId: string;
  spanId: string;
};

export const createReading = (): Reading => ({
  format: "unparsed",
  ms: Number.NaN,
  nanos: 0,
  severityText: "",
  severityNumber: 0,
  body: "",
  attributes: [],
  traceId: "",
  spanId: "",
});

/** Makes it that of a line that no format fits. */
export function resetReading(reading: Reading, line: string): void {
  reading.format = "unparsed";
  reading.ms = Number.NaN;
  reading.nanos = 0;
  reading.severityText = "";
  reading.severityNumber = 0;
  reading.body = line;
  // To shorten what is empty costs as much as to shorten what is not.
  if (reading.attributes.length > 0) reading.attributes.length = 0;
  reading.traceId = "";
  reading.spanId = "";
}

/** Adds an attribute, unless it is empty. */
export function addAttribute(reading: Reading, name: string, value: unknown): void {
  if (value !== undefined && value !== "") reading.attributes.push(name, value);
}

export function setSeverity(reading: Reading, text: string, number: number): void {
  reading.severityText = text;
  reading.severityNumber = number;
}

/** Takes the time that was just read. */
export function takeTime(reading: Reading, times: TimeReader): void {
  reading.ms = times.ms;
  reading.nanos = times.nanos;
}

/** A format: reads a line into the reading, or says that it does not fit. What it then leaves there does not count. */
export type Format = (line: string, reading: Reading, times: TimeReader) => boolean;
