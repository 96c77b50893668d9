// The metrics adapter: reads whatever statistics the application beside it has, and serves them as Prometheus expects.
import { formatAddress } from "@outrigger/options";
import { defineContainer } from "@outrigger/runtime";
import type { Context } from "@outrigger/runtime";

import manifest from "../package.json" with { type: "json" };
import type { Collected, CollectorSettings, NamedSource, Result } from "./collector.ts";
import { collect, createSharedCollection } from "./collector.ts";
import { createSource, entriesOf, listenAddressOf, problemsOf } from "./configuration.ts";
import { explain } from "./explain.ts";
import type { ReportLeftOut } from "./exposition/page.ts";
import { metrics } from "./metrics.ts";
import { options } from "./options.ts";
import { createRoutes, describeLabels } from "./routes.ts";
import type { ExpositionServer } from "./server.ts";
import { createExpositionServer } from "./server.ts";

type AdapterContext = Context<typeof options, typeof metrics>;

export const container = defineContainer({
  name: "metrics-adapter",
  version: manifest.version,
  pattern: "adapter",
  summary: manifest.description,
  adminPort: 9912,
  options,
  metrics,
  commands: { explain },

  check: async (values, writtenAs) => problemsOf(values, writtenAs),

  async start(context) {
    const { options: values, log, onStop } = context;
    const sources = await startSources(context);
    const server = createServer(context, sources);
    onStop("exposition server", server.close);
    const address = await server.listen(listenAddressOf(values));
    log.info({ listener: "metrics", address: formatAddress(address) }, "listening");
    return {
      drain: server.drain,
      status: () => ({
        listen: formatAddress(address),
        sources: sources.map(({ name, prefix }) => ({ name, prefix })),
      }),
    };
  },
});

async function startSources(context: AdapterContext): Promise<NamedSource[]> {
  const { options: values, log, onStop } = context;
  const entries = entriesOf(values);
  const sources: NamedSource[] = [];
  for (const entry of entries) {
    const several = entries.filter(({ type }) => type === entry.type).length > 1;
    const named = await createSource(entry, { log, maxBodySize: values.maxBodySize }, several);
    onStop(`source ${named.name}`, () => named.source.close?.());
    sources.push(named);
  }
  return sources;
}

function createServer(context: AdapterContext, sources: readonly NamedSource[]): ExpositionServer {
  const { options: values, metrics, log, draining } = context;
  const report = createReport(context);
  const settings: CollectorSettings = { limits: values, report, onResult: createResultLog(context) };
  const quiet: CollectorSettings = { ...settings, onResult: () => {} };
  const measured = async (collected: Promise<Collected>): Promise<Collected> => {
    const { families } = await collected;
    metrics.series.cell({}).set(families.reduce((sum, { series }) => sum + series.length, 0));
    return collected;
  };
  const shared = createSharedCollection((timeoutMs) => measured(collect(sources, timeoutMs, settings)));
  const answer = createRoutes({
    values,
    collectAll: (timeoutMs, trace) =>
      trace === undefined ? shared(timeoutMs) : collect(sources, timeoutMs, settings, trace),
    collectOne: (source, timeoutMs, trace) => collect([source], timeoutMs, quiet, trace),
    create: (entry) => createSource(entry, { log, maxBodySize: values.maxBodySize }, false),
  });
  const { scrapeTimeout, scrapeTimeoutOffset, maxScrapes } = values;
  const seconds = metrics.scrapeSeconds.histogram({});
  return createExpositionServer({
    answer,
    scrapeTimeout,
    scrapeTimeoutOffset,
    maxScrapes,
    report,
    draining,
    onAnswered: (path, status, took) => {
      const name = path === "/metrics" ? "metrics" : path === "/probe" || path === "/scrape" ? "probe" : "other";
      metrics.requests.inc({ path: name, status: status < 400 ? "2xx" : status < 500 ? "4xx" : "5xx" });
      if (name !== "other") seconds.observe(took);
    },
  });
}

/** One log line for each change of a source's state. */
function createResultLog({ log, metrics }: AdapterContext): (result: Result) => void {
  const states = new Map<string, boolean>();
  return ({ name, error }) => {
    const up = error === undefined;
    metrics.sourceUp.cell({ source: name }).set(up ? 1 : 0);
    if (!up) metrics.sourceFailures.inc({ source: name });
    if (states.get(name) === up) return;
    states.set(name, up);
    if (up) log.info({ source: name }, "source answers");
    else log.warn({ source: name, error }, "source cannot be read");
  };
}

/** Metrics of which it has been told that something was left out; further ones are only counted. */
const MAX_TOLD = 1000;

/** Counts each series that is left out, and names each metric once with its first. */
function createReport({ log, metrics }: AdapterContext): ReportLeftOut {
  const told = new Set<string>();
  return (reason, metric, labels) => {
    metrics.leftOut.inc({ reason });
    const key = `${reason} ${metric}`;
    if (told.has(key) || told.size >= MAX_TOLD) return;
    told.add(key);
    log.warn({ reason, metric: metric.slice(0, 200), labels: describeLabels(labels).slice(0, 500) }, "series left out");
  };
}
