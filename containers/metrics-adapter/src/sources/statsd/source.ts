// StatsD: lines that applications push, mapped by statsd_exporter's rules and kept until they are scraped.
import * as z from "@outrigger/options/zod";

import type { Section, Source, SourceServices } from "../../source.ts";
import { defineSource } from "../../source.ts";
import type { Listener, TransportCounts } from "../push/listeners.ts";
import { createTransportCounts, kernelDrops, listenAddress, listenTcp, listenUdp } from "../push/listeners.ts";
import { createMapper } from "../push/mapper.ts";
import { mappingOf, mappingProblems } from "../push/mapping-file.ts";
import { createStore } from "../push/store.ts";
import type { Store } from "../push/store.ts";
import type { IngestCounts } from "./ingest.ts";
import { createIngest } from "./ingest.ts";
import { SAMPLE_ERRORS } from "./line.ts";
import type { Relay } from "./relay.ts";
import { createRelay, relayAddress } from "./relay.ts";

const STYLES = ["dogstatsd", "influxdb", "librato", "signalfx"] as const;

const schema = z.strictObject({
  listenUdp: listenAddress.default("127.0.0.1:9125"),
  listenTcp: listenAddress.default("127.0.0.1:9125"),
  /** A mapping configuration of statsd_exporter. */
  mappingFile: z.string().optional(),
  tags: z.array(z.enum(STYLES)).default([...STYLES]),
  relayAddress: relayAddress.optional(),
  relayPacketLength: z.number().int().min(64).max(65_000).default(1400),
  receiveBuffer: z
    .number()
    .int()
    .min(4096)
    .default(8 * 2 ** 20),
  cacheSize: z.number().int().min(1).max(10_000_000).default(50_000),
  maxSeries: z.number().int().min(1).default(100_000),
});
export type StatsdSettings = z.infer<typeof schema>;

/** The rules, and what takes lines and keeps them. */
function createCore(settings: StatsdSettings) {
  const rules = mappingOf(settings.mappingFile);
  const store = createStore({ maxSeries: settings.maxSeries, now: Date.now });
  const styles = Object.fromEntries(STYLES.map((style) => [style, settings.tags.includes(style)])) as Record<
    (typeof STYLES)[number],
    boolean
  >;
  const ingest = createIngest({
    mapper: createMapper(rules),
    store,
    styles,
    cacheSize: settings.cacheSize,
    now: Date.now,
  });
  return { rules, store, ingest };
}

async function createStatsd(settings: StatsdSettings, { log }: SourceServices): Promise<Source> {
  const { rules, store, ingest } = createCore(settings);
  const relay =
    settings.relayAddress === undefined ? undefined : createRelay(settings.relayAddress, settings.relayPacketLength);
  const take = (text: string): void => {
    ingest.take(text);
    relay?.send(text);
  };
  const transport = createTransportCounts();
  const listeners: Listener[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(listeners.map((listener) => listener.close()));
    relay?.close();
  };
  let udpPort: number | undefined;
  try {
    const common = { log, counts: transport, take };
    if (settings.listenUdp !== "") {
      const udp = await listenUdp(
        { ...common, address: settings.listenUdp, listener: "statsd-udp" },
        settings.receiveBuffer,
      );
      listeners.push(udp);
      udpPort = udp.port;
    }
    if (settings.listenTcp !== "") {
      listeners.push(await listenTcp({ ...common, address: settings.listenTcp, listener: "statsd-tcp" }));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    collect: async (section) => {
      addCounts(section, { counts: ingest.counts, transport, store, mappings: rules.mappings.length, udpPort, relay });
      await store.collect(section);
    },
    close,
  };
}

type Told = {
  readonly counts: IngestCounts;
  readonly transport: TransportCounts;
  readonly store: Store;
  readonly mappings: number;
  readonly udpPort: number | undefined;
  readonly relay: Relay | undefined;
};

/** What statsd_exporter tells of itself, by its names. */
function addCounts(section: Section, { counts, transport, store, mappings, udpPort, relay }: Told): void {
  const add = (name: string, help: string, value: number | undefined, labels: string[] = []): void => {
    if (value === undefined) return;
    const type = name.endsWith("_total") && name !== "metrics_total" ? "counter" : "gauge";
    section.point({ name: `statsd_exporter_${name}`, type, help }, value, labels);
  };
  add("udp_packets_total", "The total number of StatsD packets received over UDP.", transport.packets);
  const drops = udpPort === undefined ? undefined : kernelDrops(udpPort);
  add("udp_packet_drops_total", "The total number of UDP packets that the kernel had no room for.", drops);
  add("tcp_connections_total", "The total number of TCP connections handled.", transport.connections);
  add("tcp_connection_errors_total", "The number of errors encountered reading from TCP.", transport.connectionErrors);
  add("tcp_too_long_lines_total", "The number of lines discarded due to being too long.", transport.tooLongLines);
  add("lines_total", "The total number of StatsD lines received.", counts.lines);
  add("samples_total", "The total number of StatsD samples received.", counts.samples);
  add("events_unmapped_total", "The total number of StatsD events no mapping was found for.", counts.unmapped);
  for (const reason of SAMPLE_ERRORS) {
    add(
      "sample_errors_total",
      "The total number of errors parsing StatsD samples.",
      counts.sampleErrors.get(reason) ?? 0,
      ["reason", reason],
    );
  }
  for (const [type, count] of Object.entries(counts.events)) {
    add("events_total", "The total number of StatsD events seen.", count, ["type", type]);
  }
  for (const [type, count] of Object.entries(counts.conflicts)) {
    add("events_conflict_total", "The total number of StatsD events with conflicting names.", count, ["type", type]);
  }
  for (const [action, count] of Object.entries(counts.actions)) {
    add("events_actions_total", "The total number of StatsD events by action.", count, ["action", action]);
  }
  const errors = "The total number of StatsD events discarded due to errors.";
  add("events_error_total", errors, counts.negativeCounters, ["reason", "illegal_negative_counter"]);
  add("events_error_total", errors, counts.full, ["reason", "too_many_series"]);
  add("loaded_mappings", "The current number of configured metric mappings.", mappings);
  for (const [type, count] of Object.entries(store.counts())) {
    add("metrics_total", "The total number of metrics.", count, ["type", type]);
  }
  add("relay_packets_total", "The number of StatsD packets relayed.", relay?.counts.packets);
  add("relay_long_lines_total", "The number lines that were too long to relay.", relay?.counts.tooLong);
  add("relay_failures_total", "The number of packets that could not be relayed.", relay?.counts.failures);
}

export const statsd = defineSource<StatsdSettings>({
  type: "statsd",
  prefix: "statsd",
  schema,
  check: (settings) => mappingProblems(settings.mappingFile),
  explain: async (settings, sample, section) => {
    const { store, ingest } = createCore(settings);
    const notes: string[] = [];
    for (const line of sample.split("\n")) {
      const before = new Map(ingest.counts.sampleErrors);
      ingest.take(line);
      for (const [error, count] of ingest.counts.sampleErrors) {
        if (count > (before.get(error) ?? 0)) notes.push(`${error}: ${line.slice(0, 200)}`);
      }
    }
    await store.collect(section);
    return notes;
  },
  create: createStatsd,
});
