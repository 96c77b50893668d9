// Records as JSON lines: the OpenTelemetry log data model, or the Elastic Common Schema.
import type { Reading } from "./reading.ts";
import { textOf } from "./severity.ts";

export const MODELS = ["otel", "ecs"] as const;
export type ModelName = (typeof MODELS)[number];

/** What is known of a record besides its reading. */
export type Circumstances = {
  /** When it was read, in milliseconds. */
  readonly observedMs: number;
  /** `unparsed`, `truncated`, `invalid_utf8`. */
  readonly flags: readonly string[];
  /** The path of the file it is from, the stream of a container's log; empty where there is none. */
  readonly file: string;
  readonly iostream: string;
};

/** Writes one record as one line, with its line feed. */
export type Model = (reading: Reading, circumstances: Circumstances) => string;

export function createModel(name: ModelName, resource: Readonly<Record<string, string>>): Model {
  return name === "otel" ? createOtelModel(JSON.stringify(resource)) : createEcsModel(resource);
}

function createOtelModel(resource: string): Model {
  // Times of one kind follow each other: each kind remembers its last.
  const [timeOf, observedTimeOf] = [createTimeWriter(), createTimeWriter()];
  const attributesOf = createAttributeWriter();
  const severityOf = remembering((text) => `"SeverityText":${quote(text)},`);
  const observedOf = rememberingLast((ms: number) => `"ObservedTimestamp":"${observedTimeOf(ms, 0)}",`);
  return (reading, circumstances) => {
    const { ms, nanos, severityText, severityNumber, body, traceId, spanId } = reading;
    const time = Number.isNaN(ms) ? "{" : `{"Timestamp":"${timeOf(ms, nanos)}",`;
    const trace = `${traceId === "" ? "" : `"TraceId":"${traceId}",`}${spanId === "" ? "" : `"SpanId":"${spanId}",`}`;
    const severity =
      severityNumber === 0 && severityText === "" ? "" : severityOf(severityText || textOf(severityNumber));
    const head = `${time}${observedOf(circumstances.observedMs)}${trace}${severity}"SeverityNumber":${severityNumber},"Body":`;
    return `${head}${quote(body)},"Resource":${resource},"Attributes":{${attributesOf(reading, circumstances)}}}\n`;
  };
}

function createAttributeWriter(): (reading: Reading, circumstances: Circumstances) => string {
  const nameOf = remembering((name) => `${quote(name)}:`);
  const fileOf = rememberingLast((file: string) => (file === "" ? "" : `"log.file.path":${quote(file)},`));
  return ({ attributes, format }, { flags, file, iostream }) => {
    let text = "";
    for (let i = 0; i < attributes.length; i += 2) {
      text += `${nameOf(attributes[i] as string)}${valueOf(attributes[i + 1])},`;
    }
    const stream = iostream === "" ? "" : `"log.iostream":"${iostream}",`;
    const flagged = flags.length === 0 ? "" : `"log.flags":${JSON.stringify(flags)},`;
    return `${text}${fileOf(file)}${stream}${flagged}"log.format":"${format}"`;
  };
}

/** Names that are remembered as they are written; what an application makes up is not to fill the memory. */
const MAX_NAMES = 1000;

function remembering(write: (text: string) => string): (text: string) => string {
  const written = new Map<string, string>();
  return (text) => {
    const known = written.get(text);
    if (known !== undefined) return known;
    const result = write(text);
    if (written.size < MAX_NAMES && text.length < 100) written.set(text, result);
    return result;
  };
}

function rememberingLast<T>(write: (value: T) => string): (value: T) => string {
  let last: T | undefined;
  let written = "";
  return (value) => {
    if (value !== last) written = write(value);
    last = value;
    return written;
  };
}

function createEcsModel(resource: Readonly<Record<string, string>>): Model {
  const rfc3339 = createTimeWriter();
  return (reading, { observedMs, flags, file, iostream }) => {
    const { ms, nanos, severityText, severityNumber, attributes } = reading;
    const isTimed = !Number.isNaN(ms);
    const record: Record<string, unknown> = {
      "@timestamp": isTimed ? rfc3339(ms, nanos) : rfc3339(observedMs, 0),
      "log.level": severityText || textOf(severityNumber) || undefined,
      message: reading.body,
      "ecs.version": "8.11.0",
      "event.created": rfc3339(observedMs, 0),
      "event.severity": severityNumber,
      "event.dataset": reading.format,
      "trace.id": reading.traceId || undefined,
      "span.id": reading.spanId || undefined,
      "log.file.path": file || undefined,
      "log.iostream": iostream || undefined,
      tags: flags.length > 0 ? flags : undefined,
      ...resource,
    };
    for (let i = 0; i < attributes.length; i += 2) {
      const name = attributes[i] as string;
      record[ECS_NAMES[name] ?? (name.includes(".") ? name : `labels.${name}`)] = attributes[i + 1];
    }
    return `${JSON.stringify(record)}\n`;
  };
}

/** Attributes that the schema calls otherwise. */
const ECS_NAMES: Readonly<Record<string, string>> = {
  "exception.type": "error.type",
  "exception.message": "error.message",
  "exception.stacktrace": "error.stack_trace",
  "client.address": "source.address",
  "code.file.path": "log.origin.file.name",
  "code.line.number": "log.origin.file.line",
  "code.function.name": "log.origin.function",
  "http.response.body.size": "http.response.body.bytes",
  "process.pid": "process.pid",
  "thread.name": "process.thread.name",
  "thread.id": "process.thread.id",
};

const ESCAPED = /[^ !#-[\]-~]/;

/** What has nothing to escape is told faster than JSON.stringify() does. */
const quote = (text: string): string => (ESCAPED.test(text) ? JSON.stringify(text) : `"${text}"`);

function valueOf(value: unknown): string {
  if (typeof value === "string") return quote(value);
  // NaN and the infinities are null in JSON.
  return typeof value === "number" && Number.isFinite(value) ? String(value) : (JSON.stringify(value) ?? "null");
}

/** RFC 3339 in UTC, with as many digits as are known; the day that was asked last is remembered. */
function createTimeWriter(): (ms: number, nanos: number) => string {
  let day = Number.NaN;
  let date = "";
  return (ms, nanos) => {
    const of = Math.floor(ms / DAY_MS);
    if (of !== day) {
      date = new Date(of * DAY_MS).toISOString().slice(0, -13);
      day = of;
    }
    const inDay = ms - of * DAY_MS;
    const seconds = Math.floor(inDay / 1000);
    const minutes = Math.floor(seconds / 60);
    const clock = `${TWO[Math.floor(minutes / 60)]}:${TWO[minutes % 60]}:${TWO[seconds % 60]}`;
    const millis = String(inDay % 1000).padStart(3, "0");
    if (nanos === 0) return `${date}${clock}.${millis}Z`;
    const digits = String(nanos).padStart(6, "0");
    return `${date}${clock}.${millis}${digits.endsWith("000") ? digits.slice(0, 3) : digits}Z`;
  };
}

const DAY_MS = 86_400_000;
const TWO = Array.from({ length: 60 }, (_, i) => String(i).padStart(2, "0"));
