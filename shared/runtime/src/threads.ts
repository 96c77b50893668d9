// Threads of a container: the same bundle, run by a worker that calls the container's `thread` function instead of
// starting the container. Each has its own event loop; its metrics are in memory that the main thread reads.
import { Worker, parentPort, workerData } from "node:worker_threads";

import type { AnyContainer, AnyStore, Thread } from "./container.ts";
import type { LogSettings } from "./logger.ts";
import { createLogger, createRecorder, stderrSink } from "./logger.ts";
import { createMetricStore } from "./metric-store.ts";

type ThreadData = { readonly data: unknown; readonly settings: LogSettings; readonly buffer: SharedArrayBuffer };

/** Starts a thread of the bundle at `entry`. A thread that crashes takes the process with it: half a pool would lie. */
export function startThread(
  container: AnyContainer,
  entry: string,
  { data, settings, store }: { data: unknown; settings: LogSettings; store: AnyStore },
): Thread {
  const buffer = createMetricStore(container.metrics).buffer;
  store.join(buffer);
  const worker = new Worker(new URL(entry), {
    workerData: { data, settings: logSettings(settings), buffer } satisfies ThreadData,
  });
  worker.on("error", (error) => {
    throw error;
  });
  return {
    post: (message) => worker.postMessage(message),
    onMessage: (handle) => void worker.on("message", handle),
    terminate: async () => void (await worker.terminate()),
  };
}

/** Only what can be cloned into a thread. */
const logSettings = ({ logLevel, logFormat }: LogSettings): LogSettings => ({ logLevel, logFormat });

/** The thread's side: runs the container's `thread` function with what it was started with. */
export function runThread(container: AnyContainer): void {
  const { data, settings, buffer } = workerData as ThreadData;
  const log = createLogger(container.name, settings, stderrSink);
  const { record } = createRecorder(container.name, settings, stderrSink);
  const { metrics } = createMetricStore(container.metrics, buffer);
  container.thread?.({ data, port: parentPort!, log, record, metrics });
}
