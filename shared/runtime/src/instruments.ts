import type { AnyContainer, AnyStore } from "./container.ts";
import type { Liveness } from "./liveness.ts";
import { createLiveness } from "./liveness.ts";
// What a container is observed by: its log, its metrics, readiness and liveness.
import type { LogSettings } from "./logger.ts";
import { createLogger, createRecorder } from "./logger.ts";
import type { LineSink, Logger, Recorder } from "./logger.ts";
import type { MetricStore } from "./metric-store.ts";
import { createMetricStore } from "./metric-store.ts";
import type { Readiness } from "./readiness.ts";
import { createReadiness } from "./readiness.ts";
import { commonMetrics, createRegistry, sampleProcess } from "./registry.ts";
import { runtimeName } from "./runtime-name.ts";

export type Instruments = {
  readonly log: Logger;
  readonly recorder: Recorder;
  readonly liveness: Liveness;
  readonly readiness: Readiness;
  readonly store: AnyStore;
  readonly common: MetricStore<typeof commonMetrics>["metrics"];
  /** The text of a scrape. */
  metricsText(): Promise<{ contentType: string; text: string }>;
};

export function createInstruments(container: AnyContainer, settings: LogSettings, sink: LineSink): Instruments {
  const log = createLogger(container.name, settings, sink);
  const store: AnyStore = createMetricStore(container.metrics);
  const common = createMetricStore(commonMetrics);
  const labels = { container: container.name, version: container.version, runtime: runtimeName() };
  common.metrics.buildInfo.cell(labels).set(1);
  const registry = createRegistry(
    { table: container.metrics, store },
    { table: commonMetrics, store: common as AnyStore },
  );
  return {
    log,
    recorder: createRecorder(container.name, settings, sink),
    liveness: createLiveness(),
    readiness: createReadiness(log, (ready) => common.metrics.ready.cell({}).set(ready ? 1 : 0)),
    store,
    common: common.metrics,
    metricsText: async () => {
      sampleProcess(common);
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
}
