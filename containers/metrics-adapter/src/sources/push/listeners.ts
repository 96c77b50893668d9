// Where pushed lines come in: UDP packets and TCP connections.
import type { Socket as UdpSocket } from "node:dgram";
import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { createServer } from "node:net";

import { formatAddress, parseAddress } from "@outrigger/options";
import type { Address } from "@outrigger/options";
import * as z from "@outrigger/options/zod";
import type { Logger } from "@outrigger/runtime";

export type Listener = { readonly port: number; close(): Promise<void> };
export type TransportCounts = { packets: number; connections: number; connectionErrors: number; tooLongLines: number };
export const createTransportCounts = (): TransportCounts => ({
  packets: 0,
  connections: 0,
  connectionErrors: 0,
  tooLongLines: 0,
});

/** The setting of a listener: `host:port`, or `""` for none. */
export const listenAddress = z
  .string()
  .refine((text) => text === "" || "host" in (parseAddress(text, "127.0.0.1") ?? {}), "host:port, or nothing for none");

type ListenSettings = {
  readonly address: string;
  /** What the log calls it. */
  readonly listener: string;
  readonly log: Logger;
  readonly counts: TransportCounts;
  take(text: string): void;
};

const taken = (listener: string, address: string, error: NodeJS.ErrnoException): Error =>
  new Error(`${listener}: expected a free address, got ${address} (${error.code ?? error.message})`);

/** Listens for packets. The kernel keeps `receiveBuffer` bytes of them, or as much as it allows, while we are busy. */
export async function listenUdp(
  { address, listener, log, counts, take }: ListenSettings,
  receiveBuffer: number,
): Promise<Listener> {
  const { host, port } = parseAddress(address, "127.0.0.1") as Extract<Address, { host: string }>;
  const socket = createSocket({ type: host.includes(":") ? "udp6" : "udp4" });
  socket.on("message", (packet) => {
    counts.packets++;
    take(packet.toString("utf8"));
  });
  await bound(socket, { host, port }).catch((error: NodeJS.ErrnoException) => {
    throw taken(listener, address, error);
  });
  try {
    socket.setRecvBufferSize(receiveBuffer);
  } catch (error) {
    log.warn({ listener, error: (error as Error).message }, "the receive buffer keeps its size");
  }
  const at = socket.address();
  log.info({ listener, address: formatAddress({ host: at.address, port: at.port }) }, "listening");
  return { port: at.port, close: () => new Promise((resolve) => void socket.close(() => resolve())) };
}

function bound(socket: UdpSocket, { host, port }: { host: string; port: number }): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once("error", reject);
  socket.bind(port, host, () => {
    socket.off("error", reject);
    socket.on("error", () => {});
    resolve();
  });
  return promise;
}

const MAX_CONNECTIONS = 1000;
const MAX_LINE = 64 * 1024;

/** Listens for connections that send lines. One that sends a line without an end is closed. */
export async function listenTcp({ address, listener, log, counts, take }: ListenSettings): Promise<Listener> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    counts.connections++;
    sockets.add(socket);
    let rest = "";
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => {
      const all = rest + text;
      const end = all.lastIndexOf("\n");
      rest = all.slice(end + 1);
      if (end >= 0) take(all.slice(0, end));
      if (rest.length <= MAX_LINE) return;
      counts.tooLongLines++;
      socket.destroy();
    });
    socket.on("error", () => counts.connectionErrors++);
    socket.on("end", () => rest !== "" && take(rest));
    socket.on("close", () => sockets.delete(socket));
  });
  server.maxConnections = MAX_CONNECTIONS;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", (error: NodeJS.ErrnoException) => reject(taken(listener, address, error)));
  server.listen(parseAddress(address, "127.0.0.1")!, resolve);
  await promise;
  const at = server.address() as { address: string; port: number };
  log.info({ listener, address: formatAddress({ host: at.address, port: at.port }) }, "listening");
  const close = (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    return new Promise((done) => void server.close(() => done()));
  };
  return { port: at.port, close };
}

/** Packets that the kernel had no room for, of all sockets on a port (proc(5), net/udp); undefined where it does not tell. */
export function kernelDrops(port: number): number | undefined {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  let drops: number | undefined;
  for (const file of ["/proc/net/udp", "/proc/net/udp6"]) {
    for (const line of linesOf(file)) {
      const columns = line.trim().split(/\s+/);
      if (columns[1]?.endsWith(`:${wanted}`) === true) drops = (drops ?? 0) + Number(columns.at(-1));
    }
  }
  return drops;
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, "utf8").split("\n");
  } catch {
    return [];
  }
}
