// The works: what a subject does while it is measured, and the columns of the table that comes of it.
import { cpuTimeBetween, cpuTimeOf, rssAnonOf } from "../proc.ts";
import type { Sample } from "../rounds.ts";
import { percentile } from "../statistics.ts";
import type { Column } from "../table.ts";
import { LARGE, SMALL } from "./answers.ts";
import { connectMany } from "./client.ts";
import { runH2load } from "./h2load.ts";
import { runHandshakes } from "./handshakes.ts";
import { openIdle, settled } from "./idle.ts";
import { sendOnSchedule } from "./open-loop.ts";
import type { Started } from "./started.ts";
import { runWrk } from "./wrk.ts";

/** How much of everything; and the OpenSSL configuration for wrk. */
export type Scale = {
  readonly seconds: number;
  readonly handshakes: number;
  readonly idle: number;
  readonly opensslConfig: string;
};

export type Work = {
  readonly name: string;
  title(scale: Scale): string;
  /** Whether each measurement starts a process of its own. */
  readonly fresh: boolean;
  readonly columns: readonly Column[];
  readonly compared: string;
  /** The subjects that can do it; by default all. */
  readonly only?: (subject: { readonly name: string; readonly mode: "http" | "tcp" }) => boolean;
  measure(started: Started, scale: Scale): Promise<Sample>;
};

const MIB = 2 ** 20;
const SATURATING_CONNECTIONS = 50;
const HTTP2_CONNECTIONS = 20;
const HTTP2_STREAMS = 10;
const BODY_CONNECTIONS = 4;
const HANDSHAKES_AT_ONCE = 16;
const RATE = 1_000;
const RATE_CONNECTIONS = 50;

type Load = { readonly units: number; readonly seconds: number };

/** Puts load on a subject; CPU time is then in microseconds a unit, and `rate` in units a second. */
async function cpuPerUnit(started: Started, load: () => Promise<Load>): Promise<Sample> {
  const before = cpuTimeOf(started.pid);
  const { units, seconds } = await load();
  const { user, system } = cpuTimeBetween(before, cpuTimeOf(started.pid));
  return { cpu: (user + system) / units, user: user / units, system: system / units, rate: units / seconds };
}

const cpuColumns = (unit: string, digits: number): Column[] => [
  { key: "cpu", title: `CPU us/${unit}`, digits },
  { key: "user", title: "user us", digits },
  { key: "system", title: "system us", digits },
];

const urlOf = (started: Started, file: string): string => `https://127.0.0.1:${started.endpoint.port}/${file}`;

const keepalive: Work = {
  name: "keepalive",
  title: ({ seconds }) =>
    `Keep-alive requests, 1 KiB answers: wrk, ${SATURATING_CONNECTIONS} connections, ${seconds} s a round`,
  fresh: false,
  columns: [
    ...cpuColumns("request", 1),
    { key: "rate", title: "requests/s", digits: 0 },
    { key: "memory", title: "RssAnon MiB afterwards", digits: 1 },
  ],
  compared: "cpu",
  measure: async (started, { seconds, opensslConfig }) => {
    const sample = await cpuPerUnit(started, async () => {
      const url = urlOf(started, SMALL.name);
      const report = await runWrk({ url, connections: SATURATING_CONNECTIONS, seconds, opensslConfig });
      return { units: report.requests, seconds: report.microseconds / 1e6 };
    });
    return { ...sample, memory: rssAnonOf(started.pid) / MIB };
  },
};

const http2: Work = {
  name: "http2",
  title: ({ seconds }) =>
    `HTTP/2, 1 KiB answers: h2load, ${HTTP2_CONNECTIONS} connections with ${HTTP2_STREAMS} requests at a time each, ${seconds} s a round`,
  fresh: false,
  columns: [
    ...cpuColumns("request", 1),
    { key: "rate", title: "requests/s", digits: 0 },
    { key: "memory", title: "RssAnon MiB afterwards", digits: 1 },
  ],
  compared: "cpu",
  only: ({ name, mode }) => mode === "http" && name !== "http-proxy",
  measure: async (started, { seconds }) => {
    const sample = await cpuPerUnit(started, async () => {
      const load = { connections: HTTP2_CONNECTIONS, streams: HTTP2_STREAMS, seconds };
      const { requests } = await runH2load({ url: urlOf(started, SMALL.name), ...load });
      return { units: requests, seconds };
    });
    return { ...sample, memory: rssAnonOf(started.pid) / MIB };
  },
};

const handshakes = (name: string, title: string, resume: boolean): Work => ({
  name,
  title: (scale) =>
    `${title}: one request of 1 KiB a connection, ${scale.handshakes} connections a round, ${HANDSHAKES_AT_ONCE} at a time`,
  fresh: false,
  columns: [...cpuColumns("connection", 0), { key: "rate", title: "connections/s", digits: 0 }],
  compared: "cpu",
  measure: async (started, scale) =>
    cpuPerUnit(started, async () => {
      const load = { count: scale.handshakes, concurrency: HANDSHAKES_AT_ONCE, resume };
      const { seconds, connections } = await runHandshakes(started.endpoint, load);
      return { units: connections, seconds };
    }),
});

const bodies: Work = {
  name: "bodies",
  title: ({ seconds }) => `10 MiB bodies (download): wrk, ${BODY_CONNECTIONS} connections, ${seconds} s a round`,
  fresh: false,
  columns: [
    ...cpuColumns("MiB", 0),
    { key: "rate", title: "MiB/s", digits: 0 },
    { key: "memory", title: "RssAnon MiB afterwards", digits: 1 },
  ],
  compared: "cpu",
  measure: async (started, { seconds, opensslConfig }) => {
    const sample = await cpuPerUnit(started, async () => {
      const url = urlOf(started, LARGE.name);
      const report = await runWrk({ url, connections: BODY_CONNECTIONS, seconds, opensslConfig });
      return { units: report.bytes / MIB, seconds: report.microseconds / 1e6 };
    });
    return { ...sample, memory: rssAnonOf(started.pid) / MIB };
  },
};

const latency: Work = {
  name: "latency",
  title: ({ seconds }) =>
    `Latency at ${RATE} requests/s, open loop: ${RATE_CONNECTIONS} connections, 1 KiB answers, ${seconds} s a round`,
  fresh: false,
  columns: [
    { key: "p50", title: "p50 us", digits: 0 },
    { key: "p99", title: "p99 us", digits: 0 },
    { key: "p999", title: "p99.9 us", digits: 0 },
    { key: "cpu", title: "CPU us/request", digits: 0 },
  ],
  compared: "p50",
  measure: async (started, { seconds }) => {
    const sockets = await connectMany(started.endpoint, RATE_CONNECTIONS);
    let latencies: number[] = [];
    const { cpu } = await cpuPerUnit(started, async () => {
      latencies = await sendOnSchedule(sockets, { rate: RATE, seconds });
      return { units: latencies.length, seconds };
    }).finally(() => {
      for (const socket of sockets) socket.destroy();
    });
    const [p50, p99, p999] = [0.5, 0.99, 0.999].map((share) => percentile(latencies, share));
    return { p50: p50!, p99: p99!, p999: p999!, cpu: cpu! };
  },
};

const idle: Work = {
  name: "idle",
  title: (scale) => `Start-up, and memory of ${scale.idle} idle connections that have made one request each`,
  fresh: true,
  columns: [
    { key: "startUp", title: "start to first handshake ms", digits: 0 },
    { key: "before", title: "RssAnon MiB at start", digits: 1 },
    { key: "after", title: "RssAnon MiB with them", digits: 1 },
    { key: "each", title: "KiB/connection", digits: 1 },
  ],
  compared: "after",
  measure: async (started, scale) => {
    const read = (): number => rssAnonOf(started.pid);
    const before = await settled(read);
    const sockets = await openIdle(started.endpoint, scale.idle);
    try {
      const after = await settled(read);
      const closed = sockets.filter((socket) => socket.destroyed).length;
      if (closed > 0) throw new Error(`idle: expected all connections to stay open, got ${closed} closed`);
      return {
        startUp: started.startUp,
        before: before / MIB,
        after: after / MIB,
        each: (after - before) / scale.idle / 1024,
      };
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  },
};

export const WORKS: readonly Work[] = [
  keepalive,
  http2,
  handshakes("new", "New handshakes, no resumption", false),
  handshakes("resumed", "Resumed handshakes", true),
  bodies,
  latency,
  idle,
];
