// Graphite's plain text: `path value time` lines that applications push, with carbon's tags, mapped by the same rules as
// StatsD, and kept for a while.
import * as z from "@outrigger/options/zod";

import type { Labels } from "../exposition/model.ts";
import type { Section, Source, SourceServices } from "../source.ts";
import { defineSource } from "../source.ts";
import { decimalIn } from "./numbers.ts";
import type { Listener } from "./push/listeners.ts";
import { createTransportCounts, listenAddress, listenTcp, listenUdp } from "./push/listeners.ts";
import { createMapper } from "./push/mapper.ts";
import type { Mapped } from "./push/mapper.ts";
import { mappingOf, mappingProblems } from "./push/mapping-file.ts";
import type { Store } from "./push/store.ts";
import { createStore } from "./push/store.ts";

const schema = z.strictObject({
  listenUdp: listenAddress.default("127.0.0.1:9109"),
  listenTcp: listenAddress.default("127.0.0.1:9109"),
  /** A mapping configuration of graphite_exporter. */
  mappingFile: z.string().optional(),
  /** Only what a rule fits is shown. */
  strictMatch: z.boolean().default(false),
  sampleExpirySeconds: z.number().positive().default(300),
  maxSeries: z.number().int().min(1).default(100_000),
});
type GraphiteSettings = z.infer<typeof schema>;

const MAX_LINE = 4096;
const RECEIVE_BUFFER = 8 * 2 ** 20;

export type PlainLine = { readonly path: string; readonly tags: Labels; readonly value: number };

/** `servers.a.cpu 0.5 1700000000`, with tags as `;name=value` after the path. Undefined for what is none. */
export function parsePlainLine(line: string): PlainLine | undefined {
  const [named = "", value, time, ...more] = line.trim().split(/\s+/);
  const number = decimalIn(value);
  if (named === "" || number === undefined || more.length > 0 || line.length > MAX_LINE) return undefined;
  if (time !== undefined && decimalIn(time) === undefined) return undefined;
  const [path = "", ...tags] = named.split(";");
  if (path === "" || tags.some((tag) => !/^[^=]+=./.test(tag))) return undefined;
  return { path, tags: tags.flatMap(tagOf), value: number };
}

const tagOf = (tag: string): [string, string] => {
  const at = tag.indexOf("=");
  const name = tag.slice(0, at).replaceAll(/[^a-zA-Z0-9_]/g, "_");
  return [/^\d/.test(name) ? `_${name}` : name, tag.slice(at + 1)];
};

type Core = {
  take(text: string): void;
  readonly store: Store;
  readonly counts: { samples: number; malformed: number; unmapped: number; refused: number; last: number };
};

function createCore({ mappingFile, strictMatch, sampleExpirySeconds, maxSeries }: GraphiteSettings): Core {
  const store = createStore({ maxSeries, now: Date.now });
  const mapper = createMapper(mappingOf(mappingFile));
  const counts = { samples: 0, malformed: 0, unmapped: 0, refused: 0, last: 0 };
  const put = ({ path, tags, value }: PlainLine, mapped: Mapped): void => {
    const labels = mapped.honorLabels
      ? [...tags, ...without(mapped.labels, tags)]
      : [...mapped.labels, ...without(tags, mapped.labels)];
    const ttlMs = mapped.ttlMs > 0 ? mapped.ttlMs : sampleExpirySeconds * 1000;
    const origin = `${path} by ${mapped.rule ?? "no rule"}`;
    const stored = store.series({
      ...mapped,
      help: `Graphite metric ${mapped.name}`,
      type: "gauge",
      labels,
      ttlMs,
      origin,
    });
    if (typeof stored === "string") counts.refused++;
    else {
      stored.value = value * mapped.scale;
      stored.seenAt = Date.now();
    }
  };
  const takeLine = (line: string): void => {
    counts.samples++;
    const parsed = parsePlainLine(line);
    if (parsed === undefined) return void counts.malformed++;
    counts.last = Date.now() / 1000;
    const mapped = mapper.map(parsed.path, "gauge");
    if (mapped.rule === undefined) counts.unmapped++;
    if (mapped.action === "map" && !(strictMatch && mapped.rule === undefined)) put(parsed, mapped);
    return undefined;
  };
  const take = (text: string): void => {
    for (const line of text.split("\n")) if (line.trim() !== "") takeLine(line);
  };
  return { take, store, counts };
}

/** The labels whose names the others do not have. */
const without = (labels: Labels, others: Labels): string[] =>
  labels.filter((_, at) => !others.some((name, other) => other % 2 === 0 && name === labels[at - (at % 2)]));

async function createGraphite(settings: GraphiteSettings, { log }: SourceServices): Promise<Source> {
  const core = createCore(settings);
  const listeners: Listener[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(listeners.map((listener) => listener.close()));
  };
  const common = { log, counts: createTransportCounts(), take: core.take };
  try {
    const { listenUdp: udp, listenTcp: tcp } = settings;
    if (udp !== "")
      listeners.push(await listenUdp({ ...common, address: udp, listener: "graphite-udp" }, RECEIVE_BUFFER));
    if (tcp !== "") listeners.push(await listenTcp({ ...common, address: tcp, listener: "graphite-tcp" }));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    collect: async (section) => {
      addCounts(section, core.counts, settings.sampleExpirySeconds);
      await core.store.collect(section);
    },
    close,
  };
}

function addCounts(
  section: Section,
  { samples, malformed, unmapped, refused, last }: Core["counts"],
  expiry: number,
): void {
  const counter = (name: string, help: string, value: number): void =>
    section.point({ name: `graphite_${name}`, type: "counter", help }, value);
  counter("samples_total", "Lines received.", samples);
  counter("malformed_lines_total", "Lines that are none of Graphite's.", malformed);
  counter("unmapped_samples_total", "Samples that no rule fits.", unmapped);
  counter(
    "refused_samples_total",
    "Samples of series that were one too many, or of a name that has another type.",
    refused,
  );
  const help = "Unix timestamp of the last processed graphite metric.";
  section.point({ name: "graphite_last_processed_timestamp_seconds", type: "gauge", help }, last);
  const kept = "How long in seconds a metric sample is valid for.";
  section.point({ name: "graphite_sample_expiry_seconds", type: "gauge", help: kept }, expiry);
}

export const graphite = defineSource<GraphiteSettings>({
  type: "graphite",
  prefix: "graphite",
  schema,
  check: (settings) => mappingProblems(settings.mappingFile),
  explain: async (settings, sample, section) => {
    const { take, store } = createCore(settings);
    const lines = sample.split("\n").filter((line) => line.trim() !== "");
    take(lines.join("\n"));
    await store.collect(section);
    return lines.filter((line) => parsePlainLine(line) === undefined);
  },
  create: createGraphite,
});
