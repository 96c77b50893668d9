import type { Family, Labels } from "./exposition/model.ts";
// Collects a page: all sources at once, each within its time, and scrapes that come together share one collection.
import { createPage } from "./exposition/page.ts";
import type { Page, PageLimits, ReportLeftOut } from "./exposition/page.ts";
import type { Trace } from "./section.ts";
import { createSection } from "./section.ts";
import type { Source } from "./source.ts";

export type NamedSource = {
  readonly name: string;
  readonly prefix: string;
  /** Labels that all its series get. */
  readonly labels: Labels;
  readonly timeoutMs: number;
  readonly source: Source;
};

export type Result = { readonly name: string; readonly seconds: number; readonly error?: string };
export type Collected = { readonly families: readonly Family[]; readonly results: readonly Result[] };

export type CollectorSettings = {
  readonly limits: PageLimits;
  readonly report: ReportLeftOut;
  /** Told how each source has done. */
  readonly onResult: (result: Result) => void;
};

/** Collects once. `timeoutMs` is what the scraper waits for. */
export async function collect(
  sources: readonly NamedSource[],
  timeoutMs: number,
  { limits, report, onResult }: CollectorSettings,
  trace?: Trace,
): Promise<Collected> {
  const page = createPage(limits, report);
  const one = async (source: NamedSource): Promise<Result> => {
    const result = await collectOne(source, page, timeoutMs, trace);
    onResult(result);
    return result;
  };
  const results = await Promise.all(sources.map(one));
  return { families: page.families(), results };
}

async function collectOne(named: NamedSource, page: Page, timeoutMs: number, trace?: Trace): Promise<Result> {
  const { name, prefix, labels, source } = named;
  const allowed = Math.min(timeoutMs, named.timeoutMs);
  const section = createSection(page, labels, trace);
  const began = performance.now();
  const error = await failureOf(allowed, (signal) => source.collect(section, { signal, timeoutMs: allowed }));
  const seconds = (performance.now() - began) / 1000;
  const up = {
    name: `${prefix}_up`,
    type: "gauge",
    help: "1 if the last attempt to read the application succeeded, else 0.",
  } as const;
  const duration = {
    name: `${prefix}_scrape_duration_seconds`,
    type: "gauge",
    help: "How long reading the application took.",
  } as const;
  section.point(up, error === undefined ? 1 : 0, [], error ?? "it has answered");
  section.point(duration, seconds, [], "measured");
  section.close();
  return { name, seconds, ...(error === undefined ? {} : { error }) };
}

/** Why the work has failed; undefined when it has not. It is not waited for beyond the time. */
async function failureOf(timeoutMs: number, work: (signal: AbortSignal) => Promise<void>): Promise<string | undefined> {
  const controller = new AbortController();
  const late = Promise.withResolvers<string>();
  const timer = setTimeout(() => {
    late.resolve(`no answer within ${Math.round(timeoutMs)} ms`);
    controller.abort();
  }, timeoutMs);
  const done = work(controller.signal).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  try {
    return await Promise.race([done, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Shares one collection among the scrapes that come while it runs, if it will be done in time for them. */
export function createSharedCollection(
  start: (timeoutMs: number) => Promise<Collected>,
): (timeoutMs: number) => Promise<Collected> {
  let running: { readonly deadline: number; readonly collected: Promise<Collected> } | undefined;
  return (timeoutMs) => {
    const deadline = performance.now() + timeoutMs;
    if (running !== undefined && running.deadline <= deadline) return running.collected;
    const mine = { deadline, collected: start(timeoutMs) };
    running = mine;
    const forget = (): void => {
      if (running === mine) running = undefined;
    };
    mine.collected.then(forget, forget);
    return mine.collected;
  };
}
