// The first half of a transaction: fetch, merge, stage, validate, publish. Until the last step nobody sees anything of it.
import { changesBetween, LimitError } from "@outrigger/files";
import type { FileChanges, FileSet, Revision, Staged } from "@outrigger/files";
import { host } from "@outrigger/runtime";

import { pause } from "./attempts.ts";
import { fetchAll } from "./fetching.ts";
import { showLive, shown } from "./work.ts";
import type { Result, Work } from "./work.ts";

const NO_FILES: FileSet = new Map();
/** The first wait after a failure; each further one is twice as long, up to the interval. */
const FIRST_BACKOFF_MS = 500;
/** Problems that a reason names. */
const MAX_PROBLEMS = 20;

/** Never rejects; resolves with when to try again, if something has failed. */
export async function publishRound(work: Work): Promise<number | undefined> {
  const { plan, context, progress, revisions, changesLog } = work;
  const { metrics } = context;
  const result = await transact(work).catch((error: Error): Result => {
    if (error instanceof LimitError) metrics.limits.inc({ limit: error.limit });
    return { outcome: "failed", reason: error.message };
  });
  metrics.syncs.inc({ job: plan.name, outcome: result.outcome });
  if (result.outcome === "invalid") metrics.invalid.inc({ job: plan.name });
  changesLog.tell("sync", result.reason);
  progress.result = result;
  progress.isFirst = false;
  progress.live = await revisions.live().catch(() => undefined);
  progress.kept = await revisions.list().catch(() => []);
  progress.failures = result.outcome === "failed" ? progress.failures + 1 : 0;
  if (progress.failures === 0) return undefined;
  return Math.min(plan.values.interval, FIRST_BACKOFF_MS * 2 ** Math.min(progress.failures - 1, 20));
}

async function transact(work: Work): Promise<Result> {
  const { revisions, state, health } = work;
  const before = await revisions.live();
  const { pinned, paused, refused } = state.current;
  if (pinned !== undefined) return pin(work, pinned, before);
  if (paused) return { outcome: "held" };
  const files = await fetchAll(work);
  const revision = revisions.revisionOf(files);
  if (before?.revision === revision) {
    health.synced();
    showLive(work, revision, files);
    return { outcome: "unchanged" };
  }
  if (refused.includes(revision))
    return {
      outcome: "refused",
      reason: `the application has refused revision ${revision}; POST /api/v1/sync?retry=true tries it again`,
    };
  return publish(work, files, before);
}

async function publish(work: Work, files: FileSet, before: Revision | undefined): Promise<Result> {
  const { plan, context, revisions, health, progress } = work;
  const changes = changesBetween(before === undefined ? NO_FILES : await revisions.read(before), files);
  const staged = await revisions.stage(files).catch((error: NodeJS.ErrnoException) => {
    throw isRefusal(error) ? notWritable(plan.output, error) : error;
  });
  try {
    const problems = await validate(work, staged, { files, changes });
    if (problems.length > 0) return { outcome: "invalid", reason: problems.slice(0, MAX_PROBLEMS).join("; ") };
    health.synced();
    if (context.options.dryRun) {
      context.log.info({ job: plan.name, revision: staged.revision, ...shown(changes) }, "would publish");
      return { outcome: "unchanged" };
    }
    if (!progress.isFirst) await pause(Math.random() * plan.values.splay, context.draining);
    await activate(work, staged, { files, changes });
    return { outcome: work.plan.output === undefined ? "noticed" : "published" };
  } finally {
    await revisions.discard(staged);
  }
}

const isRefusal = ({ code }: NodeJS.ErrnoException): boolean => ["EACCES", "EPERM", "EROFS"].includes(code ?? "");

/** Said of a folder that is mounted read-only, or that belongs to somebody else. */
const notWritable = (output: string | undefined, { code }: NodeJS.ErrnoException): Error =>
  new Error(`output: expected a folder that user ${host.userId} may write to, got ${output} (${code})`);

type Contents = { readonly files: FileSet; readonly changes: FileChanges };

async function validate(
  { plan, beat }: Work,
  { path, revision }: Staged,
  { files, changes }: Contents,
): Promise<string[]> {
  const problems: string[] = [];
  for (const { name, check } of plan.validators) {
    beat();
    const found = await check({ job: plan.name, revision, files, folder: path, changes }).catch((error: Error) => [
      error.message,
    ]);
    problems.push(...found.map((problem) => `${name}: ${problem}`));
  }
  return problems;
}

async function activate(work: Work, next: Staged | Revision, { files, changes }: Contents): Promise<void> {
  const { plan, context, revisions, state, progress } = work;
  if (plan.output !== undefined) context.metrics.applies.inc({});
  const { revision } = await revisions.activate(next).catch((error: Error) => {
    context.metrics.appliesFailed.inc({});
    throw error;
  });
  progress.changes = changes;
  showLive(work, revision, files);
  context.log.info(
    { job: plan.name, revision, files: files.size, ...shown(changes) },
    plan.output === undefined ? "changed" : "published",
  );
  const { confirmed, pinned } = state.current;
  const named = [confirmed, pinned].filter((folder) => folder !== undefined);
  await revisions.prune(plan.values.keepRevisions, named);
}

/** Publishes the revision that is to stay. */
async function pin(work: Work, folder: string, before: Revision | undefined): Promise<Result> {
  const { revisions } = work;
  if (before?.folder === folder) return { outcome: "held" };
  const target = (await revisions.list()).find((revision) => revision.folder === folder);
  if (target === undefined) throw new Error(`pinned: expected ${folder} to be there, got no such revision`);
  const files = await revisions.read(target);
  const old = before === undefined ? NO_FILES : await revisions.read(before);
  await activate(work, target, { files, changes: changesBetween(old, files) });
  return { outcome: "published" };
}
