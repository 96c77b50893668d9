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
  const rfc3339 = createTimeWriter();
  return (reading, circumstances) => {
    const { ms, nanos, severityText, severityNumber, body, traceId, spanId } = reading;
    const time = Number.isNaN(ms) ? "" : `"Timestamp":"${rfc3339(ms, nanos)}",`;
    const trace = `${traceId === "" ? "" : `"TraceId":"${traceId}",`}${spanId === "" ? "" : `"SpanId":"${spanId}",`}`;
    const severity =
      severityNumber === 0 && severityText === ""
        ? ""
        : `"SeverityText":${quote(severityText || textOf(severityNumber))},`;
    return `{${time}"ObservedTimestamp":"${rfc3339(circumstances.observedMs, 0)}",${trace}${severity}"SeverityNumber":${severityNumber},"Body":${quote(body)},"Resource":${resource},"Attributes":{${attributesOf(reading, circumstances)}}}\n`;
  };
}

function attributesOf({ attributes, format }: Reading, { flags, file, iostream }: Circumstances): string {
  let text = "";
  for (let i = 0; i < attributes.length; i += 2) {
    text += `${quote(attributes[i] as string)}:${valueOf(attributes[i + 1])},`;
  }
  if (file !== "") text += `"log.file.path":${quote(file)},`;
  if (iostream !== "") text += `"log.iostream":"${iostream}",`;
  if (flags.length > 0) text += `"log.flags":${JSON.stringify(flags)},`;
  return `${text}"log.format":"${format}"`;
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

const quote = (text: string): string => JSON.stringify(text);

const valueOf = (value: unknown): string =>
  typeof value === "number" ? String(value) : (JSON.stringify(value) ?? "null");

/** RFC 3339 in UTC, with as many digits as are known; the second that was asked last is remembered. */
function createTimeWriter(): (ms: number, nanos: number) => string {
  let second = Number.NaN;
  let written = "";
  return (ms, nanos) => {
    const of = Math.floor(ms / 1000);
    if (of !== second) {
      written = new Date(of * 1000).toISOString().slice(0, -4);
      second = of;
    }
    const millis = String(ms - of * 1000).padStart(3, "0");
    if (nanos === 0) return `${written}${millis}Z`;
    const digits = String(nanos).padStart(6, "0");
    return `${written}${millis}${digits.endsWith("000") ? digits.slice(0, 3) : digits}Z`;
  };
}
