// Lines and syslog messages in datagrams. Nobody can be made to wait, so what there is no room for is dropped and counted.
import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";

import { formatAddress } from "@outrigger/options";

import { createLivePump, untilEnding } from "./input.ts";
import type { Input } from "./input.ts";
import { textOf } from "./listener.ts";

/** Datagrams that may wait to be read: enough for a burst. */
const RECEIVE_BUFFER = 4 * 1024 * 1024;

export async function receiveDatagrams(input: Input): Promise<void> {
  const { context, spec, ending } = input;
  const { host, port } = spec.address as { host: string; port: number };
  const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
  const pump = createLivePump(input, { isVolatile: true, isLossy: true });
  let waiting: string[] = [];
  const take = (): void => {
    const lines = waiting;
    waiting = [];
    void pump.pushLines(lines);
  };
  socket.on("message", (bytes) => {
    // All datagrams of one turn of the loop go together.
    if (waiting.length === 0) setImmediate(take);
    if (spec.kind === "udp") waiting.push(...textOf(bytes).split("\n"));
    else waiting.push(textOf(bytes));
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", (error) => reject(new Error(`${spec.text}: ${error.message}`)));
    socket.bind(port, host, resolve);
  });
  socket.on("error", () => context.metrics.inputErrors.inc({}));
  try {
    socket.setRecvBufferSize(RECEIVE_BUFFER);
  } catch {
    // The system's own size has to do.
  }
  const bound = socket.address();
  context.log.info(
    { listener: spec.kind, address: formatAddress({ host: bound.address, port: bound.port }) },
    "listening",
  );
  await untilEnding(ending);
  socket.close();
  take();
  await pump.end();
}
