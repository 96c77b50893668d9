// JSON objects, one a line, of any logger: the fields are known by the names that loggers give them.
import { addAttribute, setSeverity, takeTime } from "../reading.ts";
import type { Format, Reading } from "../reading.ts";
import { severityOfLetter, severityOfNumber, severityOfStatus, severityOfWord, textOf } from "../severity.ts";
import type { TimeReader } from "../timestamp.ts";

type Fields = Record<string, unknown>;

const TIME = [
  "time",
  "timestamp",
  "@timestamp",
  "ts",
  "@t",
  "Timestamp",
  "t",
  "date",
  "datetime",
  "asctime",
  "eventTime",
  "__REALTIME_TIMESTAMP",
  "timeUnixNano",
  "StartUTC",
  "time_iso8601",
  "start_time",
  "created",
  "instant",
  "msec",
];
const LEVEL = [
  "level",
  "severity",
  "log.level",
  "levelname",
  "lvl",
  "@l",
  "LogLevel",
  "loglevel",
  "severityText",
  "severity_text",
  "SEVERITY_TEXT",
  "Level",
  "LEVEL",
  "s",
  "log_level",
  "PRIORITY",
  "priority",
  "severityNumber",
  "level_name",
  "error_severity",
  "log.syslog.severity.name",
];
const BODY = [
  "msg",
  "message",
  "@m",
  "body",
  "Body",
  "event",
  "MESSAGE",
  "Message",
  "short_message",
  "log",
  "@mt",
  "text",
];
const STATUS = ["status", "DownstreamStatus", "response_code", "status_code", "http_status", "OriginStatus"];
const TRACE = ["trace_id", "traceId", "trace.id", "dd.trace_id", "otelTraceID", "TraceId"];
const SPAN = ["span_id", "spanId", "span.id", "dd.span_id", "otelSpanID", "SpanId"];
const ERRORS = ["err", "error", "exception", "stack_trace", "stacktrace", "stack", "@x", "exc_info"];
/** Objects whose fields stand for those of the record itself. */
const INNER = ["log", "fields", "record"];

export const readJson: Format = (line, reading, times) => {
  const fields = parseObject(line);
  if (fields === undefined) return false;
  const used: string[] = [];
  const inner = innerOf(fields);
  const find = (names: readonly string[], isGood: (value: unknown) => boolean): unknown => {
    for (const name of names) {
      const value = fields[name];
      if (value === undefined || !isGood(value)) continue;
      used.push(name);
      return value;
    }
    const name = inner && names.find((candidate) => inner[candidate] !== undefined && isGood(inner[candidate]));
    return name === undefined ? undefined : inner![name];
  };
  find(TIME, (value) => readTime(value, reading, times));
  find(LEVEL, (value) => readLevel(value, reading));
  const body = find(BODY, (value) => typeof value === "string");
  if (reading.severityNumber === 0) levelByStatus(fields, reading);
  reading.traceId = idOf(find(TRACE, isId));
  reading.spanId = idOf(find(SPAN, isId));
  takeError(fields, reading);
  reading.format = fields["t"] !== undefined && fields["ctx"] !== undefined ? "mongodb" : "json";
  // Without a message the object itself is one.
  reading.body = typeof body === "string" ? body : line;
  for (const name of Object.keys(fields)) if (!used.includes(name)) addAttribute(reading, name, fields[name]);
  return true;
};

function innerOf(fields: Fields): Fields | undefined {
  for (const name of INNER) {
    const value = fields[name];
    if (isFields(value)) return value;
  }
  return undefined;
}

function parseObject(line: string): Fields | undefined {
  if (line.charCodeAt(0) !== 123 || !line.trimEnd().endsWith("}")) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function readTime(value: unknown, reading: Reading, times: TimeReader): boolean {
  const isRead = isFields(value) ? readTimeObject(value, times) : readTimeValue(value, times);
  if (isRead) takeTime(reading, times);
  return isRead;
}

function readTimeValue(value: unknown, times: TimeReader): boolean {
  if (typeof value === "number") return times.readEpochNumber(value);
  if (typeof value !== "string") return false;
  return times.readEpoch(value) || times.read(value, 0) >= 0;
}

/** MongoDB's `{"$date": ...}`, Log4j's `{"epochSecond": ..., "nanoOfSecond": ...}`, Google's `{"seconds", "nanos"}`. */
function readTimeObject(value: Fields, times: TimeReader): boolean {
  if (value["$date"] !== undefined) return readTimeValue(value["$date"], times);
  const seconds = value["epochSecond"] ?? value["seconds"];
  if (typeof seconds !== "number") return false;
  const nanos = Number(value["nanoOfSecond"] ?? value["nanos"] ?? 0);
  return times.readEpoch(`${seconds}${String(nanos).padStart(9, "0")}`);
}

function readLevel(value: unknown, reading: Reading): boolean {
  const isNumeric = typeof value === "number" || (typeof value === "string" && /^\d{1,5}$/.test(value));
  const number = isNumeric ? severityOfNumber(Number(value)) : levelOfWord(value);
  if (number === 0) return false;
  setSeverity(reading, isNumeric ? textOf(number) : String(value).trim(), number);
  return true;
}

function levelOfWord(value: unknown): number {
  if (typeof value !== "string" || value.length > 20) return 0;
  const word = value.trim();
  return severityOfWord(word) || (/^[A-Z]\d?$/.test(word) ? severityOfLetter(word.charAt(0)) : 0);
}

function levelByStatus(fields: Fields, reading: Reading): void {
  const name = STATUS.find((name) => Number(fields[name]) >= 100 && Number(fields[name]) < 600);
  if (name === undefined) return;
  const number = severityOfStatus(Number(fields[name]));
  setSeverity(reading, textOf(number), number);
}

const isId = (value: unknown): boolean => typeof value === "string" && /^[0-9a-f]{16,32}$/i.test(value);
const idOf = (value: unknown): string => (typeof value === "string" ? value.toLowerCase() : "");

const isError = (value: unknown): boolean =>
  value !== undefined && (isFields(value) || (typeof value === "string" && value.includes("\n")));

/** Fills in what is known of an exception; the field itself stays among the attributes. */
function takeError(fields: Fields, reading: Reading): void {
  const name = ERRORS.find((name) => isError(fields[name]));
  if (name === undefined) return;
  const error = fields[name];
  if (!isFields(error)) return addAttribute(reading, "exception.stacktrace", error);
  addAttribute(reading, "exception.type", error["type"] ?? error["name"] ?? error["class"]);
  addAttribute(reading, "exception.message", error["message"]);
  addAttribute(reading, "exception.stacktrace", error["stack"] ?? error["stack_trace"] ?? error["stacktrace"]);
}
