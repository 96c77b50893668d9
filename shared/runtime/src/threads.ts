// Threads of a container: the same bundle, run by a worker that calls the container's `thread` function instead of
// starting the container. Each has its own event loop; its metrics are in memory that the main thread reads.
import type { MessagePort } from "node:worker_threads";
import { MessageChannel, Worker, parentPort, workerData } from "node:worker_threads";

import type { AnyContainer, AnyStore, Thread } from "./container.ts";
import type { LogSettings } from "./logger.ts";
import { createLogger, createRecorder, stderrSink } from "./logger.ts";
import { createMetricStore } from "./metric-store.ts";
import { withinTime } from "./within-time.ts";

type ThreadData = {
  readonly data: unknown;
  readonly settings: LogSettings;
  readonly buffer: SharedArrayBuffer;
  /** Any message on it asks to write what has been recorded, and is answered when that is done. */
  readonly flushing: MessagePort;
};

/** How long a thread that is about to be ended may take to write what it has recorded. */
const FLUSH_MS = 500;

/** Starts a thread of the bundle at `entry`. A thread that crashes takes the process with it: half a pool would lie. */
export function startThread(
  container: AnyContainer,
  entry: string,
  { data, settings, store }: { data: unknown; settings: LogSettings; store: AnyStore },
): Thread {
  const buffer = createMetricStore(container.metrics).buffer;
  store.join(buffer);
  const { port1: flushing, port2 } = new MessageChannel();
  const worker = new Worker(new URL(entry), {
    workerData: { data, settings: logSettings(settings), buffer, flushing: port2 } satisfies ThreadData,
    transferList: [port2],
  });
  worker.on("error", (error) => {
    throw error;
  });
  return {
    post: (message) => worker.postMessage(message),
    onMessage: (handle) => void worker.on("message", handle),
    terminate: async () => {
      const flushed = new Promise((resolve) => void flushing.once("message", resolve));
      flushing.postMessage("flush");
      await withinTime(flushed, FLUSH_MS);
      flushing.close();
      await worker.terminate();
    },
  };
}

/** Only what can be cloned into a thread. */
const logSettings = ({ logLevel, logFormat }: LogSettings): LogSettings => ({ logLevel, logFormat });

/** The thread's side: runs the container's `thread` function with what it was started with. */
export function runThread(container: AnyContainer): void {
  const { data, settings, buffer, flushing } = workerData as ThreadData;
  const log = createLogger(container.name, settings, stderrSink);
  const { record, flush } = createRecorder(container.name, settings, stderrSink);
  flushing.on("message", () => {
    flush();
    flushing.postMessage("flushed");
  });
  // It is no reason to stay.
  flushing.unref();
  const { metrics } = createMetricStore(container.metrics, buffer);
  container.thread?.({ data, port: parentPort!, log, record, metrics });
}
