// Logs: one JSON object a line on stderr, or coloured lines for people. Messages are constant, facts are fields.
import { writeSync } from "node:fs";

import { pino } from "pino";
import type { Logger as PinoLogger } from "pino";

export type Logger = PinoLogger;
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogSettings = { readonly logLevel: (typeof LOG_LEVELS)[number]; readonly logFormat: "json" | "pretty" };

/** Takes whole lines, each with its newline. */
export type LineSink = (lines: string) => void;

const STDERR = 2;
/** A pipe takes so much in one piece (PIPE_BUF, pipe(7)): threads that share stderr never tear each other's lines. */
const ATOMIC_WRITE = 4096;
const FLUSH_AFTER_MS = 200;

/** Writes to stderr at once. A reader that went away or is slow must not end the container: such lines are lost. */
export const stderrSink: LineSink = (lines) => {
  try {
    writeSync(STDERR, lines);
  } catch {
    // EAGAIN or EPIPE: there is nobody to tell.
  }
};

export function createLogger(container: string, { logLevel, logFormat }: LogSettings, sink: LineSink): Logger {
  const write = logFormat === "pretty" ? (line: string) => sink(prettyLine(line)) : sink;
  return pino(
    {
      level: logLevel,
      base: { container },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: errorFields },
    },
    { write },
  );
}

/** What a log line tells of an error: message and code; the stack only in debug logs of a crash. */
function errorFields(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code } = error as { code?: string };
  return { message: error.message, ...(code === undefined ? {} : { code }) };
}

const COLOUR = { debug: 90, info: 36, warn: 33, error: 31, fatal: 35 } as Record<string, number>;

/** `13:05:11.042 info  listening  listener=tls address=0.0.0.0:8443` */
function prettyLine(json: string): string {
  const { level, time, msg, container: _, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const facts = Object.entries(fields).map(
    ([key, value]) => ` ${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  const label = `\u001b[${COLOUR[String(level)] ?? 0}m${String(level).padEnd(5)}\u001b[0m`;
  return `${String(time).slice(11, 23)} ${label} ${String(msg)} ${facts.join("")}\n`;
}

/** Records one fact per unit of work, such as a request: an info line, written soon together with its neighbours. */
export type Recorder = { record(msg: string, fields: Record<string, unknown>): void; flush(): void };

export function createRecorder(container: string, { logLevel, logFormat }: LogSettings, sink: LineSink): Recorder {
  const enabled = LOG_LEVELS.indexOf(logLevel) <= LOG_LEVELS.indexOf("info");
  let pending = "";
  let pendingBytes = 0;
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (pending !== "") sink(pending);
    pending = "";
    pendingBytes = 0;
  };
  const record = (msg: string, fields: Record<string, unknown>): void => {
    if (!enabled) return;
    const json = `${JSON.stringify({ level: "info", time: new Date().toISOString(), container, ...fields, msg })}\n`;
    const line = logFormat === "pretty" ? prettyLine(json) : json;
    const bytes = Buffer.byteLength(line);
    if (pendingBytes + bytes > ATOMIC_WRITE) flush();
    pending += line;
    pendingBytes += bytes;
    timer ??= setTimeout(flush, FLUSH_AFTER_MS).unref();
  };
  return { record, flush };
}
