// Records in the forms that collectors take, and what is put around many of them.
import type { Circumstances, Model, ModelName } from "../model.ts";
import { createModel } from "../model.ts";
import type { Reading } from "../reading.ts";
import { textOf } from "../severity.ts";
import type { OutputKind } from "./spec.ts";

/** How records are written for an output: each by `encode`, and several as before + records + after. */
export type Encoder = {
  readonly encode: Model;
  readonly before: string;
  readonly between: string;
  readonly after: string;
  readonly contentType: string;
};

type Resource = Readonly<Record<string, string>>;

const LINES = { before: "", between: "", after: "" };

export function createEncoder(kind: OutputKind, model: ModelName, resource: Resource): Encoder {
  if (kind === "otlp") return otlp(resource);
  if (kind === "loki") return loki(resource);
  if (kind === "elasticsearch") return elasticsearch(resource);
  if (kind === "syslog") return { ...LINES, encode: createSyslog(resource), contentType: "" };
  return { ...LINES, encode: createModel(model, resource), contentType: "application/x-ndjson" };
}

const nanosOf = (ms: number, nanos: number): string => `${BigInt(ms) * 1_000_000n + BigInt(nanos)}`;

function otlpValue(value: unknown): string {
  if (typeof value === "string") return `{"stringValue":${JSON.stringify(value)}}`;
  if (typeof value === "boolean") return `{"boolValue":${value}}`;
  if (typeof value === "number") {
    return Number.isSafeInteger(value) ? `{"intValue":"${value}"}` : `{"doubleValue":${value}}`;
  }
  if (Array.isArray(value)) return `{"arrayValue":{"values":[${value.map(otlpValue).join(",")}]}}`;
  if (value === null || value === undefined) return "{}";
  return `{"kvlistValue":{"values":[${Object.entries(value).map(otlpPair).join(",")}]}}`;
}
const otlpPair = ([key, value]: readonly [string, unknown]): string =>
  `{"key":${JSON.stringify(key)},"value":${otlpValue(value)}}`;

/** The attributes of a record, with those of where it is from. */
export function* attributesOf(reading: Reading, circumstances: Circumstances): Generator<[string, unknown]> {
  const { attributes, format } = reading;
  for (let i = 0; i < attributes.length; i += 2) yield [attributes[i] as string, attributes[i + 1]];
  const { file, iostream, flags } = circumstances;
  if (file !== "") yield ["log.file.path", file];
  if (iostream !== "") yield ["log.iostream", iostream];
  if (flags.length > 0) yield ["log.flags", flags];
  yield ["log.format", format];
}

/** OTLP/HTTP in JSON: ids in hex, numbers of 64 bits as text. */
function otlp(resource: Resource): Encoder {
  const attributes = Object.entries(resource).map(otlpPair).join(",");
  return {
    before: `{"resourceLogs":[{"resource":{"attributes":[${attributes}]},"scopeLogs":[{"scope":{"name":"log-adapter"},"logRecords":[`,
    between: ",",
    after: "]}]}]}",
    contentType: "application/json",
    encode: (reading, circumstances) => {
      const { ms, nanos, severityText, severityNumber, body, traceId, spanId } = reading;
      const time = Number.isNaN(ms) ? "" : `"timeUnixNano":"${nanosOf(ms, nanos)}",`;
      const trace = `${traceId.length === 32 ? `"traceId":"${traceId}",` : ""}${spanId.length === 16 ? `"spanId":"${spanId}",` : ""}`;
      const severity = severityText || textOf(severityNumber);
      const pairs = [...attributesOf(reading, circumstances)].map(otlpPair).join(",");
      return `{${time}"observedTimeUnixNano":"${nanosOf(circumstances.observedMs, 0)}",${trace}"severityNumber":${severityNumber},"severityText":${JSON.stringify(severity)},"body":{"stringValue":${JSON.stringify(body)}},"attributes":[${pairs}]}`;
    },
  };
}

const labelOf = (name: string): string => name.replaceAll(/[^A-Za-z0-9_]/g, "_").replace(/^\d/, "_");

/** One stream by the resource, as few as there are values of it; everything else is structured metadata. */
function loki(resource: Resource): Encoder {
  const named = Object.entries(resource).map(([name, value]) => [labelOf(name), value]);
  const stream = Object.fromEntries(named.length > 0 ? named : [["job", "log-adapter"]]);
  return {
    before: `{"streams":[{"stream":${JSON.stringify(stream)},"values":[`,
    between: ",",
    after: "]}]}",
    contentType: "application/json",
    encode: (reading, circumstances) => {
      const { ms, nanos, severityText, severityNumber, body, traceId } = reading;
      const time = Number.isNaN(ms) ? nanosOf(circumstances.observedMs, 0) : nanosOf(ms, nanos);
      const metadata: Record<string, string> = {};
      for (const [name, value] of attributesOf(reading, circumstances)) {
        metadata[labelOf(name)] = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
      }
      if (severityNumber > 0) metadata["severity_number"] = String(severityNumber);
      if (severityNumber > 0) metadata["severity_text"] = severityText || textOf(severityNumber);
      if (traceId !== "") metadata["trace_id"] = traceId;
      return JSON.stringify([time, body, metadata]);
    },
  };
}

/** The bulk form: an action and a document of the Elastic Common Schema, a line each. */
function elasticsearch(resource: Resource): Encoder {
  const model = createModel("ecs", resource);
  return {
    ...LINES,
    contentType: "application/x-ndjson",
    encode: (reading, circumstances) => `{"create":{}}\n${model(reading, circumstances)}`,
  };
}

/** The least syslog severity for each range of four numbers, from TRACE to FATAL. */
const PRIORITIES = [7, 7, 6, 4, 3, 2];
const USER = 1;

const syslogPriority = (severity: number): number =>
  severity === 0
    ? 6
    : severity === 10
      ? 5
      : severity === 19
        ? 1
        : severity === 18
          ? 2
          : PRIORITIES[(severity - 1) >> 2]!;

const header = (value: unknown, max: number): string => {
  const text = typeof value === "string" || typeof value === "number" ? String(value) : "";
  return text.replaceAll(/[^\x21-\x7e]/g, "").slice(0, max) || "-";
};

/** RFC 5424 with octet counting (RFC 6587, 3.4.1), so that records of several lines stay one. */
function createSyslog(resource: Resource): Model {
  return (reading, { observedMs }) => {
    const found = new Map<unknown, unknown>();
    for (let i = 0; i < reading.attributes.length; i += 2) found.set(reading.attributes[i], reading.attributes[i + 1]);
    const facility = Number(found.get("syslog.facility") ?? USER);
    const time = new Date(Number.isNaN(reading.ms) ? observedMs : reading.ms).toISOString();
    const host = header(found.get("host.name") ?? resource["host.name"], 255);
    const app = header(found.get("service.name") ?? resource["service.name"], 48);
    const process = header(found.get("process.pid"), 128);
    const message = header(found.get("syslog.msgid"), 32);
    const priority = (facility & 31) * 8 + syslogPriority(reading.severityNumber);
    const frame = `<${priority}>1 ${time} ${host} ${app} ${process} ${message} - ${reading.body}`;
    return `${Buffer.byteLength(frame)} ${frame}`;
  };
}
