// Counts what the HTTP proxy does, and writes the access log.
import type { Peer, ProxyObserver, Served } from "@outrigger/http";
import type { Recorder } from "@outrigger/runtime";

import type { Metrics } from "./listener.ts";
import { STATUS_CLASSES } from "./metrics.ts";

/** `record` writes the access log; undefined turns it off. */
export function createObserver(metrics: Metrics, record: Recorder["record"] | undefined): ProxyObserver {
  const requests = STATUS_CLASSES.map((status) => metrics.requests.cell({ status }));
  const duration = metrics.duration.histogram({});
  const aborted = metrics.aborted.cell({});
  const incomplete = metrics.incomplete.cell({});

  function finished(exchange: Served, status: number): void {
    requests[Math.floor(status / 100) - 1]!.add(1);
    const seconds = (performance.now() - exchange.startedAt) / 1000;
    duration.observe(seconds);
    record?.("request", accessOf(exchange, status, seconds));
  }

  return {
    received: metrics.received.cell({}),
    sent: metrics.sent.cell({}),
    onResponse: (exchange) => {
      if (!exchange.complete) incomplete.add(1);
      finished(exchange, exchange.status);
    },
    onRefused: ({ status, reason }, peer: Peer, exchange) => {
      metrics.refused.inc({ reason });
      if (exchange !== undefined) {
        finished(exchange, status);
        return;
      }
      requests[Math.floor(status / 100) - 1]!.add(1);
      record?.("request", { status, reason, client: peer.address });
    },
    onUpstreamFailure: ({ reason }) => metrics.targetErrors.inc({ reason: reason as "connect_refused" }),
    onAborted: (exchange) => {
      aborted.add(1);
      record?.("request", {
        ...accessOf(exchange, 499, (performance.now() - exchange.startedAt) / 1000),
        aborted: true,
      });
    },
  };
}

/** Long request lines are cut: a log line has to stay small. */
const MAX_LOGGED = 1024;

const accessOf = (exchange: Served, status: number, seconds: number): Record<string, unknown> => ({
  request: exchange.requestLine.slice(0, MAX_LOGGED),
  host: exchange.host.slice(0, 255),
  status,
  milliseconds: Math.round(seconds * 1e5) / 100,
  client: exchange.client.peer.address,
  protocol: exchange.client.peer.protocol,
});
