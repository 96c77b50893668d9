// Load of StatsD: packets with many lines each, at an even pace.
import { createSocket } from "node:dgram";
import { setTimeout as delay } from "node:timers/promises";

export type StatsdLoad = { readonly port: number; readonly linesPerSecond: number; readonly seconds: number };

/** Names with tags, as applications send them; counters, timers and gauges in turn. */
const SUBJECTS = 1000;
const PACKET_BYTES = 1400;
/** How often packets are sent: in bursts of so many milliseconds' worth. */
const TICK_MS = 5;

function packetsOf(): { text: string; lines: number }[] {
  const types = ["1|c", "12.5|ms", "7|g"];
  const packets: { text: string; lines: number }[] = [];
  let lines: string[] = [];
  let bytes = 0;
  for (let at = 0; at < SUBJECTS * types.length; at++) {
    const line = `app.requests.route${at % SUBJECTS}.${at % types.length}:${types[at % types.length]}|#region:eu-${at % 7}`;
    if (bytes + line.length + 1 > PACKET_BYTES) {
      packets.push({ text: lines.join("\n"), lines: lines.length });
      [lines, bytes] = [[], 0];
    }
    lines.push(line);
    bytes += line.length + 1;
  }
  return [...packets, { text: lines.join("\n"), lines: lines.length }];
}

/** Sends; gives how many lines, and in how many seconds. */
export async function sendStatsd({
  port,
  linesPerSecond,
  seconds,
}: StatsdLoad): Promise<{ lines: number; seconds: number }> {
  const packets = packetsOf().map(({ text, lines }) => ({ bytes: Buffer.from(text), lines }));
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => void socket.connect(port, "127.0.0.1", resolve));
  const began = performance.now();
  const elapsed = (): number => (performance.now() - began) / 1000;
  let [sent, next] = [0, 0];
  while (elapsed() < seconds) {
    const due = elapsed() * linesPerSecond;
    const leaving: Promise<unknown>[] = [];
    while (sent < due) {
      const { bytes, lines } = packets[next++ % packets.length]!;
      leaving.push(new Promise((resolve) => void socket.send(bytes, resolve)));
      sent += lines;
    }
    await Promise.all(leaving);
    await delay(TICK_MS);
  }
  const took = elapsed();
  socket.close();
  return { lines: sent, seconds: took };
}
