// The lines of one stream into records: a record waits for the next line, or for a time, to know whether it is whole.
import type { Detector } from "./detect.ts";
import { createDetector } from "./detect.ts";
import { finishSlowQuery, isOpenCsv, isWithinSlowQuery } from "./formats/records.ts";
import { addException, continuing, isSingle, traceOf } from "./multiline.ts";
import type { Trace } from "./multiline.ts";
import type { NormalizerSettings } from "./normalizer.ts";
import type { Reading } from "./reading.ts";
import { addAttribute, createReading, resetReading } from "./reading.ts";
import { MARKED_LEVEL, severityOfWord } from "./severity.ts";
import type { TimeReader } from "./timestamp.ts";
import { createTimeReader } from "./timestamp.ts";

/** A line that a container runtime has written with a time of its own, perhaps in several parts. */
export type Part = { readonly timeText: string; readonly isPartial: boolean };

export type Joiner = {
  push(line: string, start: number, flags: readonly string[]): void;
  pushPart(text: string, start: number, flags: readonly string[], part: Part): void;
  /** Writes what waits, if it has waited since before `ms`. */
  flush(ms: number): void;
  /** Where what waits begins; Infinity where nothing does. */
  pendingStart(): number;
};

/** What a stream remembers: the record that waits, and the parts of a line that is not whole. */
type Stream = {
  readonly settings: NormalizerSettings;
  readonly iostream: string;
  readonly times: TimeReader;
  readonly detector: Detector;
  readonly reading: Reading;
  /** Lines of the record that waits; 0 where none does. */
  lines: number;
  /** Where its first line begins. */
  start: number;
  /** When it began to wait, in milliseconds. */
  since: number;
  trace: Trace;
  /** Whether it is known that more of it has to come. */
  isOpen: boolean;
  /** What has been joined to its first line. */
  joined: string;
  /** Blank lines since, which belong to it only if more comes. */
  blanks: number;
  flags: readonly string[];
  partial: string;
  partials: number;
  partialStart: number;
};

/** A line, and of how many lines it was made. */
type Line = { text: string; start: number; flags: readonly string[]; outerMs: number; weight: number };

export function createJoiner(settings: NormalizerSettings, iostream: string): Joiner {
  const times = createTimeReader(settings);
  const stream: Stream = {
    settings,
    iostream,
    times,
    detector: createDetector(times, settings),
    reading: createReading(),
    lines: 0,
    start: 0,
    since: 0,
    trace: "none",
    isOpen: false,
    joined: "",
    blanks: 0,
    flags: [],
    partial: "",
    partials: 0,
    partialStart: 0,
  };
  return {
    push: (text, start, flags) => push(stream, { text, start, flags, outerMs: Number.NaN, weight: 1 }),
    pushPart: (text, start, flags, part) => pushPart(stream, text, { start, flags, part }),
    flush: (ms) => {
      if (stream.since <= ms) flush(stream);
    },
    pendingStart: () =>
      stream.lines > 0 ? stream.start : stream.partials > 0 ? stream.partialStart : Number.POSITIVE_INFINITY,
  };
}

function pushPart(
  stream: Stream,
  text: string,
  { start, flags, part }: { start: number; flags: readonly string[]; part: Part },
): void {
  if (stream.partials === 0) stream.partialStart = start;
  stream.partials++;
  stream.partial += text;
  const isCut = part.isPartial && stream.partial.length >= stream.settings.maxRecord;
  if (part.isPartial && !isCut) return;
  const line: Line = {
    text: stream.partial,
    start: stream.partialStart,
    flags: isCut ? [...flags, "truncated"] : flags,
    outerMs: stream.times.read(part.timeText, 0) >= 0 ? stream.times.ms : Number.NaN,
    weight: stream.partials,
  };
  stream.partial = "";
  stream.partials = 0;
  push(stream, line);
}

// What colours and moves the cursor of a terminal.
// oxlint-disable-next-line no-control-regex
const ESCAPES = /\u001b\[[0-9;:?]{0,40}[A-Za-z]/g;

function push(stream: Stream, line: Line): void {
  const text = line.text.includes("\u001b") ? line.text.replace(ESCAPES, "") : line.text;
  if (text.trim() === "") return pushBlank(stream, line.weight);
  if (stream.lines === 0 || !join(stream, text, line)) {
    flush(stream);
    begin(stream, text, line);
  }
  if (isWhole(stream)) flush(stream);
}

/** Whether nothing that comes can belong to the record. */
const isWhole = ({ reading, isOpen }: Stream): boolean =>
  isSingle(reading) || (reading.format === "postgresql_csv" && !isOpen);

function begin(stream: Stream, text: string, line: Line): void {
  const { settings, reading, detector } = stream;
  detector.read(text, reading);
  takeTrace(stream, text);
  if (Number.isNaN(reading.ms) && !Number.isNaN(line.outerMs)) reading.ms = line.outerMs;
  if (settings.keepOriginal) addAttribute(reading, "log.record.original", line.text);
  stream.lines = line.weight;
  stream.start = line.start;
  stream.flags = line.flags;
  stream.since = settings.now();
  stream.joined = "";
  stream.isOpen = reading.format === "postgresql_csv" && isOpenCsv(text);
}

/** What looked like a line with a level, or like nothing, may be the first line of a trace. */
function takeTrace(stream: Stream, text: string): void {
  const { reading } = stream;
  const mayBe = reading.format === "unparsed" || (reading.format === "text" && Number.isNaN(reading.ms));
  stream.trace = mayBe ? traceOf(text) : "none";
  if (stream.trace === "none") return;
  resetReading(reading, text);
  reading.format = "trace";
}

function pushBlank(stream: Stream, weight: number): void {
  const mayBelong = stream.trace !== "none" || isRecord(stream.reading);
  if (stream.lines === 0 || !mayBelong) stream.settings.drop(weight, "blank");
  else stream.blanks += weight;
}

/** Adds a line to the record that waits, if it belongs there. */
function join(stream: Stream, text: string, { flags, weight }: Line): boolean {
  const { reading, settings } = stream;
  if (reading.format === "jul" && reading.body === "") return joinJul(stream, text, weight);
  if (isRecord(reading)) return joinRecord(stream, text, weight);
  const next = continuing(text, stream.trace);
  if (next === undefined || stream.joined.length + text.length > settings.maxRecord) return false;
  if (isTimed(stream, text)) return false;
  stream.trace = next === "none" && /^\s{1,20}(?:at |File ")/.test(text) ? "any" : next;
  append(stream, text, weight);
  if (flags.length > 0) stream.flags = [...new Set([...stream.flags, ...flags])];
  return true;
}

/** An indented line may still be one of its own. */
function isTimed({ times }: Stream, text: string): boolean {
  const at = text.search(/\S/);
  const code = text.charCodeAt(at);
  return at > 0 && code >= 48 && code <= 57 && times.read(text, at) >= 0;
}

const JUL_LEVEL = new RegExp(`^(${MARKED_LEVEL}): `);

/** java.util.logging has level and message on a second line. */
function joinJul(stream: Stream, text: string, weight: number): boolean {
  const level = JUL_LEVEL.exec(text);
  if (level === null) return false;
  stream.reading.severityText = level[1]!;
  stream.reading.severityNumber = severityOfWord(level[1]!);
  stream.reading.body = text.slice(level[0].length);
  stream.lines += weight;
  return true;
}

/** Whether the lines of the record only make sense together. */
const isRecord = ({ format }: Reading): boolean => format === "postgresql_csv" || format === "mysql_slow";

function joinRecord(stream: Stream, text: string, weight: number): boolean {
  const { reading, joined, settings } = stream;
  const whole = reading.body + joined;
  const isWithin = reading.format === "mysql_slow" ? isWithinSlowQuery(text, whole) : stream.isOpen;
  if (!isWithin || joined.length + text.length > settings.maxRecord) return false;
  append(stream, text, weight);
  if (reading.format === "postgresql_csv" && isOpenCsv(text)) stream.isOpen = false;
  return true;
}

function append(stream: Stream, text: string, weight: number): void {
  stream.joined += `${"\n".repeat(stream.blanks + 1)}${text}`;
  stream.lines += weight + stream.blanks;
  stream.blanks = 0;
}

/** Reads a record of several lines as a whole. */
function finishRecord({ reading, joined, detector, times }: Stream): void {
  const whole = reading.body + joined;
  if (reading.format === "mysql_slow") finishSlowQuery(reading, whole, times);
  else if (joined !== "") detector.read(whole, reading);
}

function flush(stream: Stream): void {
  const { settings, reading, joined, iostream } = stream;
  if (stream.lines === 0) return;
  if (stream.blanks > 0) settings.drop(stream.blanks, "blank");
  stream.blanks = 0;
  if (isRecord(reading)) finishRecord(stream);
  else reading.body += joined;
  // Of a record with a header the trace is what was joined; one that is nothing else is a trace as a whole.
  if (reading.format === "trace") addException(reading, reading.body);
  else if (stream.trace !== "none") addException(reading, joined.slice(1));
  const flags = reading.format === "unparsed" ? [...stream.flags, "unparsed"] : stream.flags;
  const verdict = settings.process(reading);
  if (verdict !== "pass") settings.drop(stream.lines, verdict);
  else settings.emit(reading, { observedMs: settings.now(), flags, file: settings.file, iostream }, stream.lines);
  stream.lines = 0;
  stream.trace = "none";
}
