// What applications push: over UDP and TCP, mapped, relayed, and never lost unseen.
import { createSocket } from "node:dgram";
import { connect } from "node:net";

import { parseAddress } from "@outrigger/options";
import { until } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import type { Adapter } from "./adapter.ts";
import { startAdapter } from "./adapter.ts";

const SOURCE = { type: "statsd", listenUdp: "127.0.0.1:0", listenTcp: "127.0.0.1:0" };

async function portOf(adapter: Adapter, listener: string): Promise<number> {
  return (parseAddress(await adapter.address(listener), "127.0.0.1") as { port: number }).port;
}

/** Sends packets one after the other, each once the one before has left. */
async function send(port: number, packets: readonly string[]): Promise<void> {
  const socket = createSocket("udp4");
  for (const packet of packets)
    await new Promise<void>((resolve) => void socket.send(packet, port, "127.0.0.1", () => resolve()));
  socket.close();
}

test("packets and lines become metrics, and what cannot be used is counted by its reason", async () => {
  const adapter = await startAdapter(cleanup, { config: { sources: [SOURCE] } });
  await send(await portOf(adapter, "statsd-udp"), ["hits:1|c\nhits:2|c", "hits:1|c|#path:/", "wrong", "hits:1|g"]);
  const socket = connect(await portOf(adapter, "statsd-tcp"), "127.0.0.1");
  socket.write("temper");
  socket.write("ature:21.5|g\n");
  socket.end("users:anna|s");
  const page = await until(async () => {
    const page = await adapter.page();
    return page.value("users") === 1 && page.value("statsd_exporter_udp_packets_total") === 4 && page;
  });
  expect([page.value("hits"), page.value("hits", { path: "/" }), page.value("temperature")]).toEqual([4, 1, 21.5]);
  const told = (name: string, labels = {}) => page.value(`statsd_exporter_${name}`, labels);
  expect([told("lines_total"), told("tcp_connections_total"), told("udp_packet_drops_total")]).toEqual([7, 1, 0]);
  expect(told("sample_errors_total", { reason: "malformed_line" })).toBe(1);
  expect(told("events_conflict_total", { type: "gauge" })).toBe(1);
  expect(page.value("statsd_up")).toBe(1);
});

test("a connection that sends a line without end is closed", async () => {
  const adapter = await startAdapter(cleanup, { config: { sources: [SOURCE] } });
  const socket = connect(await portOf(adapter, "statsd-tcp"), "127.0.0.1");
  socket.on("error", () => {});
  const closed = new Promise((resolve) => void socket.once("close", resolve));
  socket.write("x".repeat(100_000));
  await closed;
  await until(async () => (await adapter.page()).value("statsd_exporter_tcp_too_long_lines_total") === 1);
});

test("lines are relayed, in packets of a bounded size", async () => {
  const received: string[] = [];
  const behind = createSocket("udp4").on("message", (packet) => received.push(packet.toString()));
  await new Promise<void>((resolve) => void behind.bind(0, "127.0.0.1", resolve));
  cleanup(() => void behind.close());
  const source = { ...SOURCE, relayAddress: `127.0.0.1:${behind.address().port}`, relayPacketLength: 64 };
  const adapter = await startAdapter(cleanup, { config: { sources: [source] } });
  const lines = [...Array(20).keys()].map((at) => `metric${at}:1|c`);
  await send(await portOf(adapter, "statsd-udp"), [lines.join("\n"), `${"x".repeat(100)}:1|c`]);
  await until(() => received.join("\n").split("\n").length === 20);
  expect(received.every((packet) => packet.length <= 64)).toBe(true);
  expect((await adapter.page()).value("statsd_exporter_relay_long_lines_total")).toBe(1);
});

test("what the kernel has no room for while the adapter is stopped is counted, and with the rest makes all", async () => {
  const adapter = await startAdapter(cleanup, { config: { sources: [{ ...SOURCE, receiveBuffer: 4096 }] } });
  const port = await portOf(adapter, "statsd-udp");
  adapter.signal("SIGSTOP");
  await send(
    port,
    Array.from({ length: 500 }, () => "flood:1|c"),
  );
  adapter.signal("SIGCONT");
  await until(async () => {
    const { value } = await adapter.page();
    const [dropped = 0, counted = 0] = [value("statsd_exporter_udp_packet_drops_total"), value("flood")];
    return dropped > 0 && dropped + counted === 500;
  });
});
