// The second half of a transaction: tell everybody that another revision is live, ask the application whether it has
// taken it, and go back to the last one that it had if it has not. What is still to be told follows from what is live and
// what has been told, so that a crash in between loses nothing.
import type { FileChanges, Revision } from "@outrigger/files";
import { changesBetween } from "@outrigger/files";

import { attempt } from "./attempts.ts";
import type { Announcement, Notifier } from "./notifiers/notifier.ts";
import { showLive } from "./work.ts";
import type { Work } from "./work.ts";

const MAX_BACKOFF_MS = 30_000;

/** Tells and confirms what is live, if that is still to be done; resolves with whether the application is awaited. */
export async function announceRound(work: Work): Promise<boolean> {
  const { plan, revisions, state, progress } = work;
  const live = await revisions.live();
  if (live === undefined) return false;
  const { announced, confirmed, pinned } = state.current;
  if (announced === live.revision && confirmed === live.folder) {
    progress.unannounced = undefined;
    progress.isFirstNotice = false;
    return false;
  }
  progress.hasAnswered ||= await plan.probe!();
  if (!progress.hasAnswered) {
    progress.unannounced = `the application does not answer yet at ${plan.values.waitFor}`;
    return true;
  }
  const isOld = progress.rolledBackTo === live.folder || pinned === live.folder;
  progress.unannounced = undefined;
  if (announced !== live.revision) await tell(work, live, { changes: progress.changes, isOld });
  if (state.current.confirmed !== live.folder) await confirm(work, live);
  return false;
}

type News = { readonly changes: FileChanges; readonly isOld: boolean };

async function tell(work: Work, live: Revision, { changes, isOld }: News): Promise<void> {
  const { plan, context, state, progress } = work;
  const { metrics } = context;
  const isSkipped = progress.isFirstNotice && plan.values.skipFirstNotify;
  progress.isFirstNotice = false;
  if (!isSkipped && plan.notifiers.length > 0) {
    progress.unannounced = await tellAll(work, {
      job: plan.name,
      revision: live.revision,
      previous: state.current.announced,
      output: plan.output,
      changes,
      reason: isOld ? "rolled_back" : "published",
    });
    metrics.reloads.inc({});
    metrics.reloadSuccessful.cell({}).set(progress.unannounced === undefined ? 1 : 0);
    if (progress.unannounced === undefined) metrics.reloadTime.cell({}).set(Date.now() / 1000);
    else metrics.reloadsFailed.inc({});
  }
  if (progress.unannounced !== undefined) return;
  // Written together where there is nothing to ask: each write has to reach the disk before the next round.
  const { revision: announced, folder: confirmed } = live;
  await state.update(needsQuestion(work, live) ? { announced } : { announced, confirmed });
}

/** What the operator wants is not asked for, and without a question everything is fine once it has been told. */
const needsQuestion = ({ plan, state }: Work, { folder }: Revision): boolean =>
  plan.confirmation !== undefined && state.current.pinned !== folder;

/** Tells one after the other, in the order that was given; resolves with the first problem. */
async function tellAll(work: Work, announcement: Announcement): Promise<string | undefined> {
  let problem: string | undefined;
  for (const notifier of work.plan.notifiers) {
    const error = await tellOne(work, notifier, announcement);
    problem ??= error?.message;
  }
  return problem;
}

async function tellOne(work: Work, notifier: Notifier, announcement: Announcement): Promise<Error | undefined> {
  const { plan, context, changesLog, beat } = work;
  const { notifyRetries: retries, notifyBackoff: backoffMs } = plan.values;
  const once = (): Promise<void> => {
    beat();
    return notifier.notify(announcement);
  };
  const settings = { retries, backoffMs, maxBackoffMs: MAX_BACKOFF_MS, signal: context.draining };
  const error = await attempt(once, settings);
  context.metrics.notifications.inc({ job: plan.name, outcome: error === undefined ? "ok" : "failed" });
  changesLog.tell(notifier.name, error?.message);
  const facts = { job: plan.name, notifier: notifier.name, revision: announcement.revision };
  if (error === undefined) context.log.info(facts, "notified");
  return error;
}

async function confirm(work: Work, live: Revision): Promise<void> {
  const { plan, context, revisions, state, progress, beat } = work;
  if (plan.confirmation === undefined || !needsQuestion(work, live)) {
    if (progress.unannounced === undefined) await state.update({ confirmed: live.folder });
    return;
  }
  beat();
  const refusal = await plan.confirmation.ask(live.revision, await revisions.read(live));
  if (refusal !== undefined) return goBack(work, live, refusal);
  context.log.info({ job: plan.name, revision: live.revision }, "confirmed");
  await state.update({ confirmed: live.folder });
}

async function goBack(work: Work, bad: Revision, refusal: string): Promise<void> {
  const { plan, context, revisions, state, progress } = work;
  const { metrics, log } = context;
  const { confirmed, refused } = state.current;
  const good = (await revisions.list()).find(({ folder }) => folder === confirmed && folder !== bad.folder);
  const facts = { job: plan.name, revision: bad.revision, reason: refusal };
  const reason = `the application has refused revision ${bad.revision}: ${refusal}`;
  metrics.reloadSuccessful.cell({}).set(0);
  metrics.reloadsFailed.inc({});
  progress.unannounced = reason;
  if (good === undefined) return log.error(facts, "refused by the application, and nothing to go back to");
  log.error({ ...facts, to: good.revision }, "refused by the application, going back");
  const files = await revisions.read(good);
  const changes = changesBetween(await revisions.read(bad), files);
  // Remembered first: whoever starts after a crash in between must not publish it once more.
  await state.update({ refused: [...refused, bad.revision], announced: undefined });
  await revisions.activate(good);
  // Nobody is to go back to what was refused.
  await revisions.prune(plan.values.keepRevisions);
  progress.rolledBackTo = good.folder;
  progress.live = good;
  progress.kept = await revisions.list();
  progress.changes = changes;
  progress.result = { outcome: "refused", reason };
  showLive(work, good.revision, files);
  metrics.rollbacks.inc({ job: plan.name, reason: "refused" });
  progress.unannounced = undefined;
  await tell(work, good, { changes, isOld: true });
}
