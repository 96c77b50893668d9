// What each path of the exposition server answers.
import type { Collected, NamedSource } from "./collector.ts";
import { isTargetAllowed, modulesOf, probeEntryOf } from "./configuration.ts";
import type { Labels, Series } from "./exposition/model.ts";
import { formatValue } from "./exposition/text.ts";
import type { Values } from "./options.ts";
import type { Trace } from "./section.ts";
import type { Answer } from "./server.ts";
import type { SourceEntry } from "./sources.ts";

export type RoutesSettings = {
  readonly values: Values;
  /** Collects the pod's own sources; with a trace, only for the one who asks. */
  collectAll(timeoutMs: number, trace?: Trace): Promise<Collected>;
  collectOne(source: NamedSource, timeoutMs: number, trace?: Trace): Promise<Collected>;
  create(entry: SourceEntry & { readonly name: string }): Promise<NamedSource>;
};

const LANDING = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>metrics-adapter</title></head>
<body><h1>metrics-adapter</h1><ul><li><a href="/metrics">metrics</a></li>
<li><a href="/metrics?debug=true">where each value comes from</a></li>
<li>/probe?target=host:port&amp;module=name</li></ul></body></html>
`;

const refuse = (status: number, text: string): Answer => ({ status, text: `${text}\n` });

/** Makes the function that answers every path. */
export function createRoutes(settings: RoutesSettings) {
  return async (path: string, query: URLSearchParams, timeoutMs: number): Promise<Answer> => {
    const debug = query.get("debug") === "true";
    switch (path) {
      case "/metrics":
        return debug
          ? explained((trace) => settings.collectAll(timeoutMs, trace))
          : { collected: await settings.collectAll(timeoutMs) };
      case "/probe":
      case "/scrape":
        return probe(settings, query, { timeoutMs, debug });
      case "/":
        return { status: 200, text: LANDING, contentType: "text/html; charset=utf-8" };
      case "/health":
      case "/-/healthy":
      case "/-/ready":
        return { status: 200, text: "ok\n" };
      default:
        return refuse(404, `${path.slice(0, 80)}: expected /metrics or /probe`);
    }
  };
}

async function probe(
  { values, collectOne, create }: RoutesSettings,
  query: URLSearchParams,
  { timeoutMs, debug }: { timeoutMs: number; debug: boolean },
): Promise<Answer> {
  const target = query.get("target");
  if (target === null || target === "") return refuse(400, "target: expected host:port or a URL, got nothing");
  const modules = modulesOf(values);
  const module = query.get("module") ?? modules[0] ?? "";
  if (!modules.includes(module)) {
    return refuse(400, `module: expected one of ${modules.join(", ")}, got ${module.slice(0, 80)}`);
  }
  if (!isTargetAllowed(values.probeTargets, target)) {
    return refuse(403, "target: expected one that --probe-targets allows");
  }
  const entry = probeEntryOf(values, module, target);
  if (entry === undefined) return refuse(400, `target: expected one that ${module} can be asked at`);
  let source: NamedSource;
  try {
    source = await create(entry);
  } catch (error) {
    // A file that the module names may have gone bad since the start.
    return refuse(500, `module: expected ${module} to be usable, got ${(error as Error).message.split("\n")[0]}`);
  }
  try {
    if (debug) return await explained((trace) => collectOne(source, timeoutMs, trace));
    return { collected: await collectOne(source, timeoutMs) };
  } finally {
    await source.source.close?.();
  }
}

/** Tells of each series where it comes from, instead of showing the page. */
async function explained(run: (trace: Trace) => Promise<Collected>): Promise<Answer> {
  const lines: string[] = [];
  const { results, families } = await run((metric, series, origin) => {
    lines.push(`${describeSeries(metric, series)} <- ${origin}`);
  });
  const told = results.map(
    ({ name, seconds, error }) => `# ${name}: ${error ?? "up"}, ${(seconds * 1000).toFixed(1)} ms`,
  );
  const count = families.reduce((sum, { series }) => sum + series.length, 0);
  return { status: 200, text: `${[...told, `# ${count} series`, ...lines].join("\n")}\n` };
}

/** A series in one line: a distribution by its count and its sum. */
export function describeSeries(metric: string, series: Series): string {
  const value = "value" in series ? formatValue(series.value) : `count ${series.count} sum ${series.sum}`;
  return `${metric}${describeLabels(series.labels)} ${value}`;
}

/** Labels as a page has them, for people to read. */
export function describeLabels(labels: Labels): string {
  const pairs = labels.flatMap((name, at) => (at % 2 === 0 ? [`${name}=${JSON.stringify(labels[at + 1])}`] : []));
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
