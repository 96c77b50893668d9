// The counters, and the report of them: names in every spelling, units in the values, a date that no parser expects.
import { stampOf } from "./log.ts";

export type Statistics = ReturnType<typeof createStatistics>;

/** @param openConnections How many connections there are at the moment. */
export function createStatistics(openConnections: () => number) {
  const started = new Date();
  const statistics = {
    hits: 0,
    misses: 0,
    added: 0,
    refused: 0,
    requests: 0,
    errors: 0,
    busyMs: 0,
    /** What `GET /stats` shows. */
    report: (words: number) => ({
      UpSince: stampOf(started),
      "up-secs": Math.floor((Date.now() - started.getTime()) / 1000),
      WordsTotal: words,
      Lookups: { Hit: statistics.hits, MISS: statistics.misses },
      adds: { ok: statistics.added, "rejected!": statistics.refused },
      req_cnt: statistics.requests,
      "errors(internal)": statistics.errors,
      avgReqTime: `${(statistics.busyMs / Math.max(statistics.requests, 1)).toFixed(2)}ms`,
      "conns-open": openConnections(),
      mem: `${(process.memoryUsage.rss() / 1_048_576).toFixed(1)} MB`,
    }),
  };
  return statistics;
}
