// nginx by its stub_status page, with nginx-prometheus-exporter's names. Tengine's and freenginx's further columns are read
// by their headings.
import * as z from "@outrigger/options/zod";

import type { MetricType } from "../exposition/model.ts";
import { ask, httpSettings, httpUrl } from "../http-client.ts";
import type { Section } from "../source.ts";
import { defineSource } from "../source.ts";

const schema = z.strictObject({
  url: httpUrl.default("http://127.0.0.1:8080/stub_status"),
  ...httpSettings,
});

/** What the page says, by the words that it uses. */
export type StubStatus = ReadonlyMap<string, number>;

const METRICS: readonly (readonly [field: string, name: string, type: MetricType, help: string, divisor?: number])[] = [
  ["accepts", "nginx_connections_accepted", "counter", "Accepted client connections"],
  ["active", "nginx_connections_active", "gauge", "Active client connections"],
  ["handled", "nginx_connections_handled", "counter", "Handled client connections"],
  ["reading", "nginx_connections_reading", "gauge", "Connections where NGINX is reading the request header"],
  ["waiting", "nginx_connections_waiting", "gauge", "Idle client connections"],
  [
    "writing",
    "nginx_connections_writing",
    "gauge",
    "Connections where NGINX is writing the response back to the client",
  ],
  ["requests", "nginx_http_requests_total", "counter", "Total http requests"],
  ["request_time", "nginx_http_request_time_seconds_total", "counter", "Total time of requests (Tengine)", 1000],
];

/** Reads stub_status. Throws when it is something else: a page of 200 may be the application's own. */
export function parseStubStatus(text: string): StubStatus {
  const status = new Map<string, number>();
  const active = /^Active connections:\s*(\d+)\s*$/m.exec(text);
  const totals = /^server ([a-z_ ]+?)\s*\n((?:\s*\d+)+)\s*$/m.exec(text);
  if (active === null || totals === null) throw new Error("expected the page of stub_status, got another");
  status.set("active", Number(active[1]));
  const counts = totals[2]!.trim().split(/\s+/);
  for (const [at, heading] of totals[1]!.split(/\s+/).entries()) {
    if (counts[at] !== undefined) status.set(heading, Number(counts[at]));
  }
  for (const [, name, count] of text.matchAll(/\b(Reading|Writing|Waiting):\s*(\d+)/g)) {
    status.set(name!.toLowerCase(), Number(count));
  }
  return status;
}

export function addStubStatus(section: Section, status: StubStatus): void {
  for (const [field, name, type, help, divisor = 1] of METRICS) {
    const value = status.get(field);
    if (value !== undefined) section.point({ name, type, help }, value / divisor, [], `stub_status ${field}`);
  }
}

export const nginx = defineSource<z.infer<typeof schema>>({
  type: "nginx",
  prefix: "nginx",
  schema,
  targetKey: "url",
  explain: async (_, sample, section) => {
    addStubStatus(section, parseStubStatus(sample));
    return [];
  },
  create: (settings, { maxBodySize }) => ({
    collect: async (section, { signal }) => {
      const { body } = await ask({ url: settings.url, settings, maxBodySize, signal });
      addStubStatus(section, parseStubStatus(body));
    },
  }),
});
