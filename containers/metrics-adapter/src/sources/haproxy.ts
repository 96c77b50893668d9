// HAProxy by its statistics as CSV, over HTTP or its Unix socket, with haproxy_exporter's names.
import { connect } from "node:net";
import { text as readText } from "node:stream/consumers";

import * as z from "@outrigger/options/zod";

import type { MetricType } from "../exposition/model.ts";
import { ask, httpSettings } from "../http-client.ts";
import type { Section } from "../source.ts";
import { defineSource } from "../source.ts";
import { decimalIn } from "./numbers.ts";

const schema = z.strictObject({
  url: z
    .string()
    .default("http://127.0.0.1:8404/stats;csv")
    .refine(
      (text) => /^(https?:\/\/|unix:\/)./.test(text),
      "http://host/path;csv, or unix:/path of the statistics socket",
    ),
  ...httpSettings,
});

type Row = ReadonlyMap<string, string>;
type Column = readonly [column: string, name: string, type: MetricType, help: string, divisor?: number];

const SESSIONS: readonly Column[] = [
  ["scur", "current_sessions", "gauge", "Current number of active sessions."],
  ["smax", "max_sessions", "gauge", "Maximum observed number of active sessions."],
  ["stot", "sessions_total", "counter", "Total number of sessions."],
  ["bin", "bytes_in_total", "counter", "Current total of incoming bytes."],
  ["bout", "bytes_out_total", "counter", "Current total of outgoing bytes."],
  ["rate", "current_session_rate", "gauge", "Current number of sessions per second over last elapsed second."],
  ["rate_max", "max_session_rate", "gauge", "Maximum observed number of sessions per second."],
];
const LIMIT: Column = ["slim", "limit_sessions", "gauge", "Configured session limit."];
const COMPRESSION: readonly Column[] = [
  ["comp_in", "compressor_bytes_in_total", "counter", "Number of HTTP response bytes fed to the compressor"],
  ["comp_out", "compressor_bytes_out_total", "counter", "Number of HTTP response bytes emitted by the compressor"],
  ["comp_byp", "compressor_bytes_bypassed_total", "counter", "Number of bytes that bypassed the HTTP compressor"],
  ["comp_rsp", "http_responses_compressed_total", "counter", "Number of HTTP responses that were compressed"],
];
const UPSTREAM: readonly Column[] = [
  ["qcur", "current_queue", "gauge", "Current number of queued requests."],
  ["qmax", "max_queue", "gauge", "Maximum observed number of queued requests."],
  ["econ", "connection_errors_total", "counter", "Total of connection errors."],
  ["eresp", "response_errors_total", "counter", "Total of response errors."],
  ["wretr", "retry_warnings_total", "counter", "Total of retry warnings."],
  ["wredis", "redispatch_warnings_total", "counter", "Total of redispatch warnings."],
  ["weight", "weight", "gauge", "Current weight."],
  ["lbtot", "server_selected_total", "counter", "Total number of times a server was selected."],
  ["cli_abrt", "client_aborts_total", "counter", "Total number of data transfers aborted by the client."],
  ["srv_abrt", "server_aborts_total", "counter", "Total number of data transfers aborted by the server."],
  ["qtime", "http_queue_time_average_seconds", "gauge", "Average queue time of the last 1024 connections.", 1000],
  ["ctime", "http_connect_time_average_seconds", "gauge", "Average connect time of the last 1024 connections.", 1000],
  ["rtime", "http_response_time_average_seconds", "gauge", "Average response time of the last 1024 connections.", 1000],
  ["ttime", "http_total_time_average_seconds", "gauge", "Average total time of the last 1024 connections.", 1000],
];

type Proxy = { readonly kind: string; readonly labels: readonly string[]; readonly columns: readonly Column[] };

/** By the column `type`. Sockets, which are 3, are part of their frontends. */
const PROXIES: Readonly<Record<string, Proxy>> = {
  0: {
    kind: "frontend",
    labels: ["frontend"],
    columns: [
      ...SESSIONS,
      LIMIT,
      ...COMPRESSION,
      ["dreq", "requests_denied_total", "counter", "Total of requests denied for security."],
      ["ereq", "request_errors_total", "counter", "Total of request errors."],
      ["rate_lim", "limit_session_rate", "gauge", "Configured limit on new sessions per second."],
      ["req_tot", "http_requests_total", "counter", "Total HTTP requests."],
      ["conn_tot", "connections_total", "counter", "Total number of connections"],
    ],
  },
  1: {
    kind: "backend",
    labels: ["backend"],
    columns: [
      ...SESSIONS,
      LIMIT,
      ...COMPRESSION,
      ...UPSTREAM,
      ["act", "current_server", "gauge", "Current number of active servers"],
    ],
  },
  2: {
    kind: "server",
    labels: ["backend", "server"],
    columns: [
      ...SESSIONS,
      LIMIT,
      ...UPSTREAM,
      ["chkfail", "check_failures_total", "counter", "Total number of failed health checks."],
      ["downtime", "downtime_seconds_total", "counter", "Total downtime in seconds."],
      ["check_duration", "check_duration_seconds", "gauge", "Previously run health check duration, in seconds", 1000],
    ],
  },
};

/** Server states in which it is sent traffic; `UP 1/3` is on its way down. */
const UP = /^(UP|OPEN|no check|DRAIN)/;
const CODES = ["1xx", "2xx", "3xx", "4xx", "5xx", "other"];

/** Cells of one line of CSV, quoted ones included. */
function cellsOf(line: string): string[] {
  const cells: string[] = [];
  for (const [, quoted, plain] of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)) {
    cells.push(quoted === undefined ? plain! : quoted.replaceAll('""', '"'));
  }
  return cells;
}

/** Rows by the headings of the first line, which begins with `# pxname`. Throws for another text. */
export function parseStatistics(text: string): Row[] {
  const [heading = "", ...lines] = text.split(/\r?\n/).filter((line) => line !== "");
  if (!heading.startsWith("# pxname,")) throw new Error("expected statistics as CSV, got another text");
  const columns = heading.slice(2).split(",");
  return lines.map((line) => {
    const cells = cellsOf(line);
    return new Map(columns.map((column, at): [string, string] => [column, cells[at] ?? ""]));
  });
}

export function addStatistics(section: Section, rows: readonly Row[]): void {
  for (const row of rows) {
    const proxy = PROXIES[row.get("type") ?? ""];
    if (proxy === undefined) continue;
    const names = [row.get("pxname") ?? "", row.get("svname") ?? ""];
    addProxy(section, row, { ...proxy, labels: proxy.labels.flatMap((label, at) => [label, names[at]!]) });
  }
}

function addProxy(section: Section, row: Row, { kind, labels, columns }: Proxy): void {
  const of = labels.filter((_, at) => at % 2 === 1).join("/");
  const add = (
    name: string,
    type: MetricType,
    help: string,
    value: number | undefined,
    more: string[],
    column: string,
  ): void => {
    if (value === undefined) return;
    section.point({ name: `haproxy_${kind}_${name}`, type, help }, value, [...labels, ...more], `${of} ${column}`);
  };
  for (const [column, name, type, help, divisor = 1] of columns) {
    const value = decimalIn(row.get(column));
    add(name, type, help, value === undefined ? undefined : value / divisor, [], column);
  }
  for (const code of CODES) {
    add(
      "http_responses_total",
      "counter",
      "Total of HTTP responses.",
      decimalIn(row.get(`hrsp_${code}`)),
      ["code", code],
      `hrsp_${code}`,
    );
  }
  if (kind === "frontend") return;
  const up = UP.test(row.get("status") ?? "") ? 1 : 0;
  add("up", "gauge", `Current health status of the ${kind} (1 = UP, 0 = DOWN).`, up, [], "status");
}

/** Asks the statistics socket. */
async function askSocket(path: string, signal: AbortSignal, maxBodySize: number): Promise<string> {
  const socket = connect(path);
  socket.write("show stat\n");
  let size = 0;
  socket.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxBodySize) socket.destroy(new Error(`expected at most ${maxBodySize} bytes, got more`));
  });
  const abort = (): void => void socket.destroy(new Error("aborted"));
  signal.addEventListener("abort", abort);
  return readText(socket).finally(() => signal.removeEventListener("abort", abort));
}

export const haproxy = defineSource<z.infer<typeof schema>>({
  type: "haproxy",
  prefix: "haproxy",
  schema,
  targetKey: "url",
  explain: async (_, sample, section) => {
    addStatistics(section, parseStatistics(sample));
    return [];
  },
  create: (settings, { maxBodySize }) => ({
    collect: async (section, { signal }) => {
      const { url } = settings;
      const text = url.startsWith("unix:")
        ? await askSocket(url.slice("unix:".length), signal, maxBodySize)
        : (await ask({ url, settings, maxBodySize, signal })).body;
      addStatistics(section, parseStatistics(text));
    },
  }),
});
