// Reloads: one at a time, whoever asks, and however often; each outcome is counted, logged and kept for the status page.
import type { ReloadOutcome, Running } from "./container.ts";
import type { Logger } from "./logger.ts";
import type { MetricsOf } from "./metric-store.ts";
import type { commonMetrics } from "./registry.ts";

export type Reloader = {
  /** Reloads now, or once more after the reload that is running: whoever asks meanwhile shares that one. */
  reload(): Promise<ReloadOutcome>;
  /** The last outcome and when it was, or null before the first. */
  last(): ({ at: string } & ReloadOutcome) | null;
};

export function createReloader(
  running: () => Running,
  log: Logger,
  metrics: MetricsOf<typeof commonMetrics>,
): Reloader {
  let last: ReturnType<Reloader["last"]> = null;
  let current: Promise<ReloadOutcome> | undefined;
  let following: Promise<ReloadOutcome> | undefined;

  function begin(): Promise<ReloadOutcome> {
    following = undefined;
    current = once().finally(() => {
      if (following === undefined) current = undefined;
    });
    return current;
  }

  async function once(): Promise<ReloadOutcome> {
    const result = await attempt(running());
    metrics.reloads.inc({ outcome: result.outcome });
    if (result.outcome === "refused") log.error({ reasons: result.reasons }, "reload refused");
    else log.info({ outcome: result.outcome }, "reloaded");
    if (result.outcome === "applied") metrics.lastReload.cell({}).set(Date.now() / 1000);
    last = { at: new Date().toISOString(), ...result };
    return result;
  }

  return {
    reload: () => {
      if (current === undefined) return begin();
      following ??= current.then(begin);
      return following;
    },
    last: () => last,
  };
}

async function attempt({ reload }: Running): Promise<ReloadOutcome> {
  try {
    return (await reload?.()) ?? { outcome: "unchanged" };
  } catch (error) {
    return { outcome: "refused", reasons: [(error as Error).message] };
  }
}
