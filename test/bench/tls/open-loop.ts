// Load at a fixed rate, open loop: requests arrive by the clock, whether or not earlier ones have been answered, and one
// that finds every connection busy waits for the next free one; latency counts from the arrival, waiting included.
// An own generator: `h2load --rps` waits for the answer before and counts from the sending, so a pause of a second
// shows in one request of each connection instead of in all that it delayed.
import type { Socket } from "node:net";

import { exchangeOver, KEEP_ALIVE_REQUEST } from "./answers.ts";

export type OpenLoopLoad = {
  /** Requests a second, over all connections. */
  readonly rate: number;
  readonly seconds: number;
};

const PATIENCE_MS = 10_000;

/** How late the clock may tick by nature: two of its periods. */
const COARSENESS_MS = 2;

type Exchange = (request: Buffer) => Promise<void>;

/** Sends `rate * seconds` requests over the open connections; resolves with their latencies in microseconds. Rejects if any connection fails. */
export async function sendOnSchedule(sockets: readonly Socket[], load: OpenLoopLoad): Promise<number[]> {
  const total = Math.round(load.rate * load.seconds);
  const start = performance.now();
  const idle = sockets.map(exchangeOver);
  const latencies: number[] = [];
  const waiting: number[] = [];
  const finished = Promise.withResolvers<number[]>();
  let arrived = 0;

  const send = async (exchange: Exchange, arrival: number): Promise<void> => {
    await exchange(KEEP_ALIVE_REQUEST);
    latencies.push((performance.now() - arrival) * 1000);
    idle.push(exchange);
    sendWaiting();
    if (latencies.length === total) finished.resolve(latencies);
  };
  const sendWaiting = (): void => {
    while (waiting.length > 0 && idle.length > 0) send(idle.pop()!, waiting.shift()!).catch(finished.reject);
  };
  // What has fallen due since the last tick arrives now. Had the clock been held up for longer than it is coarse, the
  // wait counts from when the request was due. (Polling would be smoother, but takes a core from the subject.)
  const tick = (): void => {
    const now = performance.now();
    const due = Math.min(total, Math.floor(((now - start) * load.rate) / 1000));
    for (; arrived < due; arrived++) {
      const dueAt = start + ((arrived + 1) * 1000) / load.rate;
      waiting.push(now - dueAt > COARSENESS_MS ? dueAt : now);
    }
    sendWaiting();
    if (now < start + load.seconds * 1000 + PATIENCE_MS) return;
    finished.reject(new Error(`open loop: expected ${total} answers, got ${latencies.length}`));
  };
  const clock = setInterval(tick, 1);
  return finished.promise.finally(() => clearInterval(clock));
}
