// A container whose work is done on a thread: it counts and records what it is sent.
import { counter, defineContainer, run } from "../src/index.ts";

const container = defineContainer({
  name: "threaded",
  version: "1.2.3",
  pattern: "sidecar",
  summary: "A demonstration of threads",
  adminPort: 9999,
  options: {},
  metrics: { works: counter("threaded_works_total", "Pieces of work.") },

  async start({ startThread, onStop, metrics, log }) {
    const thread = startThread({ greeting: "hello" });
    onStop("thread", thread.terminate);
    thread.onMessage((message) => log.info({ message }, "thread answered"));
    metrics.works.inc({});
    return {
      drain: () => {
        const answered = new Promise<void>((resolve) => thread.onMessage(() => resolve()));
        thread.post("last work");
        return answered;
      },
    };
  },

  thread({ data, port, metrics, record }) {
    port.postMessage(data);
    port.on("message", (work: string) => {
      metrics.works.inc({});
      record("work", { work });
      port.postMessage(work);
    });
  },
});

await run(container, import.meta.url);
