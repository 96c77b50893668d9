// Readiness of a job: something good is published, and, where that is asked for, its sources have been reached lately.
import type { SyncContext } from "./container.ts";
import type { Plan } from "./plan.ts";

export type Health = {
  /** All sources were reached, and what they have is valid. */
  synced(): void;
  /** What has come of a round. */
  report(isLive: boolean, problem: string | undefined): void;
  /** What has not been announced, and why: the application has what it had, so this is no cause to be not ready. */
  remark(problem: string | undefined): void;
  /** When `synced` was last called; undefined before. */
  lastSync(): Date | undefined;
};

/** How often it is looked whether the time is over. */
const LOOKS_MS = 1000;

export function createHealth(
  { name, values: { staleAfter } }: Plan,
  { metrics, readiness, onStop }: SyncContext,
): Health {
  const condition = `job ${name}`;
  const lastSuccess = metrics.lastSync.cell({ job: name });
  let lastSync: Date | undefined;
  let isLive = false;
  let reason = "nothing is published yet";
  const since = Date.now();

  function judge(): void {
    const isStale = staleAfter > 0 && Date.now() - (lastSync?.getTime() ?? since) > staleAfter;
    readiness.set(condition, isLive && !isStale, reason);
  }
  if (staleAfter > 0) {
    const timer = setInterval(judge, Math.min(staleAfter / 4, LOOKS_MS));
    onStop(`staleness of job ${name}`, () => clearInterval(timer));
  }
  judge();
  return {
    lastSync: () => lastSync,
    synced: () => {
      lastSync = new Date();
      lastSuccess.set(lastSync.getTime() / 1000);
    },
    report: (live, problem) => {
      isLive = live;
      reason = problem ?? "its sources have not been reached for too long";
      judge();
    },
    remark: (problem) => readiness.remark(condition, problem),
  };
}
