// One job: brings what its sources have to its output, if it has one, and the application to take it. What it does when is the
// schedule's business; what it does, the rounds'.
import type { Revision } from "@outrigger/files";

import { announceRound } from "./announcing.ts";
import type { SyncContext } from "./container.ts";
import type { Plan } from "./plan.ts";
import { publishRound } from "./publishing.ts";
import { createSchedule } from "./schedule.ts";
import { openWork, shown } from "./work.ts";
import type { Work } from "./work.ts";

export type Job = {
  readonly name: string;
  /** Works now, or once more after what is under way; resolves when that is done. */
  sync(): Promise<void>;
  /** Forgets what the application has refused, so that it is tried again. */
  retry(): Promise<void>;
  /** Publishes an older revision, and stays with it; the one before the live one if none is named. Throws if there is none. */
  rollback(to: string | undefined): Promise<void>;
  pause(): Promise<void>;
  /** Undoes `pause` and `rollback`. */
  resume(): Promise<void>;
  status(): Record<string, unknown>;
  /** Why not everything is as it should be: fetched, valid, published, announced, confirmed. */
  problem(): string | undefined;
  close(): Promise<void>;
};

/** While an application has not answered yet, it is asked again after this time. */
const AWAIT_MS = 500;

/** Opens the output and starts the sources; nothing is done before the first `sync`. */
export async function createJob(plan: Plan, context: SyncContext): Promise<Job> {
  const { quietPeriod, maxDelay, interval, jitter } = plan.values;
  const work = await openWork(plan, context, () => schedule.mark());
  const { state, sources } = work;
  const schedule = createSchedule({
    work: () => round(work),
    quietMs: quietPeriod,
    maxDelayMs: maxDelay,
    intervalMs: interval,
    jitter,
  });
  return {
    name: plan.name,
    sync: schedule.now,
    retry: async () => {
      await state.update({ refused: [] });
      await schedule.now();
    },
    rollback: async (to) => {
      const target = await olderRevision(work, to);
      // Pinned first: a round that comes in between must not publish again what is being taken back.
      await state.update({ pinned: target.folder });
      context.metrics.rollbacks.inc({ job: plan.name, reason: "asked" });
      await schedule.now();
    },
    pause: () => state.update({ paused: true }),
    resume: async () => {
      await state.update({ paused: false, pinned: undefined });
      await schedule.now();
    },
    status: () => statusOf(work),
    problem: () => problemOf(work),
    close: async () => {
      await schedule.close();
      await Promise.all(sources.map((source) => source.close()));
    },
  };
}

const problemOf = ({ progress, context }: Work): string | undefined =>
  progress.result.reason ?? (context.options.dryRun ? undefined : progress.unannounced);

async function round(work: Work): Promise<number | undefined> {
  const { plan, context, progress, health, beat } = work;
  beat();
  const again = await publishRound(work);
  health.report(progress.live !== undefined, progress.result.reason);
  if (context.options.dryRun) return again;
  try {
    const isAwaited = await announceRound(work);
    health.remark(progress.unannounced);
    return isAwaited ? AWAIT_MS : again;
  } catch (error) {
    context.log.error({ job: plan.name, error: (error as Error).message }, "announcing failed");
    progress.unannounced = (error as Error).message;
    health.remark(progress.unannounced);
    return again;
  }
}

async function olderRevision({ revisions }: Work, to: string | undefined): Promise<Revision> {
  const live = await revisions.live();
  const others = (await revisions.list()).filter(({ folder }) => folder !== live?.folder);
  const isMeant = ({ revision, folder }: Revision): boolean =>
    to === undefined ? live === undefined || folder < live.folder : revision === to;
  const found = others.find(isMeant);
  if (found !== undefined) return found;
  const known = others.map(({ revision }) => revision).join(", ");
  throw new Error(
    `to: expected ${known === "" ? "an older revision to be there" : `one of ${known}`}, got ${to ?? "none"}`,
  );
}

const liveStatusOf = (live: Revision | undefined): Record<string, unknown> => ({
  revision: live?.revision ?? null,
  since: live?.at.toISOString() ?? null,
});

function statusOf({ plan, progress, state, health }: Work): Record<string, unknown> {
  const { live, kept, result, changes, unannounced } = progress;
  const { announced, confirmed, paused, pinned, refused } = state.current;
  return {
    name: plan.name,
    output: plan.output ?? null,
    ...liveStatusOf(live),
    outcome: result.outcome,
    error: result.reason ?? unannounced ?? null,
    lastSync: health.lastSync()?.toISOString() ?? null,
    ...shown(changes),
    announced: live !== undefined && announced === live.revision,
    confirmed: live !== undefined && confirmed === live.folder,
    paused,
    pinned: pinned ?? null,
    refused,
    revisions: kept.map(({ revision, at }) => ({ revision, at: at.toISOString() })),
  };
}
