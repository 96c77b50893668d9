// The metrics of the metrics adapter itself, on its admin port.
import { counter, gauge, histogram } from "@outrigger/runtime";

import { LEFT_OUT } from "./exposition/page.ts";

const source = "the source, as the configuration names it";

export const metrics = {
  requests: counter("metrics_adapter_requests_total", "Requests answered, by path and class of the status.", {
    path: ["metrics", "probe", "other"],
    status: ["2xx", "4xx", "5xx"],
  }),
  scrapeSeconds: histogram("metrics_adapter_scrape_duration_seconds", "From a scrape to the last byte of its page.", {
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  }),
  series: gauge("metrics_adapter_page_series", "Series on the last page of /metrics."),
  leftOut: counter("metrics_adapter_series_left_out_total", "Series that are not on a page, by reason.", {
    reason: LEFT_OUT,
  }),
  sourceUp: gauge("metrics_adapter_source_up", "1 if the source could be read at the last scrape, else 0.", { source }),
  sourceFailures: counter("metrics_adapter_source_failures_total", "Scrapes at which a source could not be read.", {
    source,
  }),
} as const;
