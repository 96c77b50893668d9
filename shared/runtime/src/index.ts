// The life of a container, its admin server, logs and metrics.
export { ADMIN_ROUTES, endpointsMarkdown } from "./admin-routes.ts";
export { commonOptionsOf } from "./common-options.ts";
export type { CommonOptions } from "./common-options.ts";
export { defineCommand, defineContainer, withStatus } from "./container.ts";
export type {
  AnyContainer,
  Answerer,
  Asked,
  Command,
  CommandContext,
  CommandWords,
  ContainerDefinition,
  Context,
  Pattern,
  Provenance,
  ReloadOutcome,
  Reread,
  Route,
  Running,
  Stdio,
  Thread,
  ThreadContext,
} from "./container.ts";
export { EXIT, exitCodesMarkdown } from "./exit.ts";
export { host } from "./host.ts";
export type { Host } from "./host.ts";
export type { LineSink, Logger, Recorder } from "./logger.ts";
export type { Cell, HistogramCell, MetricHandle, MetricsOf } from "./metric-store.ts";
export { createMetricStore } from "./metric-store.ts";
export { counter, gauge, histogram, isClosed, metricsMarkdown, seriesOf } from "./metric-table.ts";
export type { Metric, MetricTable } from "./metric-table.ts";
export type { Readiness } from "./readiness.ts";
export { commonMetrics } from "./registry.ts";
export { commandsOf, run, tableOf } from "./run.ts";
export { runtimeName } from "./runtime-name.ts";
export { startContainer } from "./start.ts";
export type { StartedContainer } from "./start.ts";
