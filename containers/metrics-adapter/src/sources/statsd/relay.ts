// Sends on what comes in, for who has another StatsD behind this one: lines are packed into packets of a bounded size.
import { createSocket } from "node:dgram";

import { parseAddress } from "@outrigger/options";
import type { Address } from "@outrigger/options";
import * as z from "@outrigger/options/zod";

export type Relay = {
  send(text: string): void;
  readonly counts: { packets: number; failures: number; tooLong: number };
  close(): void;
};

export const relayAddress = z.string().refine((text) => "host" in (parseAddress(text, "127.0.0.1") ?? {}), "host:port");

/** How long a packet waits to be filled. */
const FLUSH_MS = 100;

export function createRelay(address: string, packetLength: number): Relay {
  const { host, port } = parseAddress(address, "127.0.0.1") as Extract<Address, { host: string }>;
  const socket = createSocket({ type: host.includes(":") ? "udp6" : "udp4" });
  const counts = { packets: 0, failures: 0, tooLong: 0 };
  socket.on("error", () => counts.failures++);
  let packet: string[] = [];
  let length = 0;
  const flush = (): void => {
    if (packet.length === 0) return;
    counts.packets++;
    socket.send(packet.join("\n"), port, host, (error) => {
      if (error) counts.failures++;
    });
    [packet, length] = [[], 0];
  };
  const timer = setInterval(flush, FLUSH_MS);
  return {
    counts,
    send: (text) => {
      for (const line of text.split("\n")) {
        const size = Buffer.byteLength(line) + 1;
        if (line === "") continue;
        if (size > packetLength) {
          counts.tooLong++;
          continue;
        }
        if (length + size > packetLength) flush();
        packet.push(line);
        length += size;
      }
    },
    close: () => {
      clearInterval(timer);
      flush();
      socket.close();
    },
  };
}
