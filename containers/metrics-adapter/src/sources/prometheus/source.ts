// An endpoint that speaks Prometheus already: scraped, relabelled, and merged into the page with others.
import { setImmediate as nextTurn } from "node:timers/promises";

import * as z from "@outrigger/options/zod";

import { assemble, belongingOf } from "../../exposition/assemble.ts";
import type { Belonging } from "../../exposition/assemble.ts";
import type { Labels } from "../../exposition/model.ts";
import { parsePage } from "../../exposition/parse.ts";
import type { ParsedPage } from "../../exposition/parse.ts";
import { ask, httpSettings, httpUrl } from "../../http-client.ts";
import type { Section } from "../../source.ts";
import { defineSource } from "../../source.ts";
import { createRelabeler, relabelConfig } from "./relabel.ts";

const schema = z.strictObject({
  url: httpUrl.default("http://127.0.0.1:8080/metrics"),
  metricRelabelConfigs: z.array(relabelConfig).max(200).default([]),
  ...httpSettings,
});

const ACCEPT =
  "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";

type Relabel = (labels: Labels) => Labels | undefined;

/** The sample under its new name and labels. With another suffix it belongs to its family no more. */
function relabelled(sample: Belonging, relabel: Relabel): Belonging | undefined {
  const labels = relabel(["__name__", sample.name, ...sample.labels]);
  if (labels === undefined) return undefined;
  const at = labels.findIndex((text, at) => at % 2 === 0 && text === "__name__");
  const name = at < 0 ? "" : labels[at + 1]!;
  const rest = labels.filter((_, index) => index !== at && index !== at + 1);
  const stays = name.endsWith(sample.suffix);
  const metadata = stays ? sample.metadata : ({ ...sample.metadata, type: "unknown" } as const);
  return { ...sample, name, labels: rest, metadata, suffix: stays ? sample.suffix : "" };
}

/** Series that are added before others get their turn. */
const SLICE = 500;

/** Puts a page on ours, in slices. */
export async function addPage(section: Section, { metadata, samples }: ParsedPage, relabel?: Relabel): Promise<void> {
  const kept: Belonging[] = [];
  for (const [at, sample] of samples.entries()) {
    const belonging = belongingOf(sample, metadata);
    const after = relabel === undefined ? belonging : relabelled(belonging, relabel);
    if (after !== undefined) kept.push(after);
    if (at % SLICE === SLICE - 1) await nextTurn();
  }
  for (const { series, ...declaration } of assemble(kept)) {
    const family = section.family(declaration);
    for (const [at, each] of series.entries()) {
      family.add(each, "as it was scraped");
      if (at % SLICE === SLICE - 1) await nextTurn();
    }
  }
}

const relabelOf = ({ metricRelabelConfigs: configs }: z.infer<typeof schema>): Relabel | undefined =>
  configs.length === 0 ? undefined : createRelabeler(configs);

export const prometheus = defineSource<z.infer<typeof schema>>({
  type: "prometheus",
  prefix: "prometheus",
  schema,
  targetKey: "url",
  explain: async (settings, sample, section) => {
    const openMetrics = /^# EOF\n?$/m.test(sample);
    await addPage(section, parsePage(sample, { openMetrics }), relabelOf(settings));
    return [];
  },
  create: (settings, { maxBodySize }) => {
    const { url } = settings;
    const relabel = relabelOf(settings);
    return {
      collect: async (section, { signal, timeoutMs }) => {
        const headers = { accept: ACCEPT, "x-prometheus-scrape-timeout-seconds": String(timeoutMs / 1000) };
        const { body, contentType } = await ask({ url, settings, maxBodySize, signal, headers });
        const openMetrics = contentType.startsWith("application/openmetrics-text");
        await addPage(section, parsePage(body, { openMetrics }), relabel);
      },
    };
  },
});
