// Idle connections: each has made its handshake and one request, and then stays open.
import { setTimeout as sleep } from "node:timers/promises";
import type { TLSSocket } from "node:tls";

import { exchangeOver, KEEP_ALIVE_REQUEST } from "./answers.ts";
import type { Endpoint } from "./client.ts";
import { connectTls } from "./client.ts";

const AT_ONCE = 20;

/** Opens `count` connections, each with one request answered. */
export async function openIdle(endpoint: Endpoint, count: number): Promise<TLSSocket[]> {
  const sockets: TLSSocket[] = [];
  let started = 0;
  const worker = async (): Promise<void> => {
    while (started < count) {
      started++;
      const socket = await connectTls(endpoint);
      await exchangeOver(socket)(KEEP_ALIVE_REQUEST);
      sockets.push(socket);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return sockets;
}

const POLL_MS = 250;
const POLLS = 20;

/** Reads a gauge until three readings in a row agree within 1 percent, for 5 s at most; returns the last reading. */
export async function settled(read: () => number): Promise<number> {
  const readings = [read()];
  while (readings.length < POLLS) {
    await sleep(POLL_MS);
    readings.push(read());
    const recent = readings.slice(-3);
    if (recent.length === 3 && Math.max(...recent) <= Math.min(...recent) * 1.01) break;
  }
  return readings.at(-1)!;
}
