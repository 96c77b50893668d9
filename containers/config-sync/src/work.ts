// What the rounds of a job share: what it is made of, and how far it has come.
import { tmpdir } from "node:os";

import { openRevisions } from "@outrigger/files";
import type { FileChanges, FileSet, Revision, Revisions } from "@outrigger/files";

import type { ChangesLog } from "./changes-log.ts";
import { createChangesLog } from "./changes-log.ts";
import type { SyncContext } from "./container.ts";
import { createHealth } from "./health.ts";
import type { Health } from "./health.ts";
import { OUTCOMES } from "./metrics.ts";
import type { Outcome } from "./metrics.ts";
import type { Plan } from "./plan.ts";
import type { Source } from "./sources/source.ts";
import { openState } from "./state.ts";
import type { StateFile } from "./state.ts";
import { createWatchedRevisions } from "./watched.ts";

/** How a round has ended, and why it has not published what there is. */
export type Result = { readonly outcome: Outcome; readonly reason?: string };

/** What changes from round to round. What has to outlast the process is in the state file. */
export type Progress = {
  result: Result;
  /** What was other in the last publication. */
  changes: FileChanges;
  live: Revision | undefined;
  kept: readonly Revision[];
  /** Rounds in a row that failed. */
  failures: number;
  /** Nothing has been published, or found to be as it should be, since the start. */
  isFirst: boolean;
  /** Nobody has been told anything since the start. */
  isFirstNotice: boolean;
  /** The application has answered, or there is nothing to wait for. */
  hasAnswered: boolean;
  /** Why what is live is not announced and confirmed. */
  unannounced: string | undefined;
  /** The folder that a refusal has led back to. */
  rolledBackTo: string | undefined;
};

export type Work = {
  readonly plan: Plan;
  readonly context: SyncContext;
  readonly sources: readonly Source[];
  readonly revisions: Revisions;
  readonly state: StateFile;
  readonly health: Health;
  readonly changesLog: ChangesLog;
  readonly progress: Progress;
  /** Says that the job is alive. */
  beat(): void;
};

const begin = (hasAnswered: boolean): Progress => ({
  result: { outcome: "failed", reason: "not fetched yet" },
  changes: { added: [], changed: [], removed: [] },
  live: undefined,
  kept: [],
  failures: 0,
  isFirst: true,
  isFirstNotice: true,
  hasAnswered,
  unannounced: "not announced yet",
  rolledBackTo: undefined,
});

/** Opens the output and starts the sources. */
export async function openWork(plan: Plan, context: SyncContext, onHint: () => void): Promise<Work> {
  const { output } = plan;
  const { once, dryRun } = context.options;
  const changesLog = createChangesLog(plan.name, context.log);
  const sources = openSources(plan, context, onHint);
  if (!once) context.metrics.watches.cell({}).add(sources.length);
  showSeries(plan, context, sources);
  return {
    plan,
    context,
    changesLog,
    sources,
    revisions: output === undefined ? createWatchedRevisions() : await openOutput(plan, output),
    state: await openState(output, !dryRun),
    health: createHealth(plan, context),
    progress: begin(plan.probe === undefined || once),
    beat: once ? () => undefined : context.heartbeat(`job ${plan.name}`, longestStep(plan)),
  };
}

function openOutput({ values, fileMode, folderMode, owner }: Plan, output: string): Promise<Revisions> {
  const { layout, maxFiles, maxSize: maxBytes } = values;
  return openRevisions(output, { layout, fileMode, folderMode, owner, maxFiles, maxBytes });
}

function openSources(
  { name, sources, values, output }: Plan,
  { metrics, options, log, heartbeat }: SyncContext,
  onHint: () => void,
): Source[] {
  return sources.map((create) =>
    create({
      limits: { maxFiles: values.maxFiles, maxBytes: values.maxSize },
      isWatched: !options.once,
      rescanMs: values.interval,
      stateFolder: output ?? tmpdir(),
      heartbeat,
      onHint: () => {
        metrics.watchEvents.inc({});
        onHint();
      },
      onPolling: (reason) => {
        metrics.watchPolls.cell({}).add(1);
        metrics.watchErrors.inc({});
        log.warn({ job: name, reason }, "file events are not available, so files are polled");
      },
    }),
  );
}

/** Counters that nothing has happened to yet are there all the same. */
function showSeries({ name: job, notifiers }: Plan, { metrics }: SyncContext, sources: readonly Source[]): void {
  for (const outcome of OUTCOMES) metrics.syncs.cell({ job, outcome });
  for (const outcome of ["ok", "failed"]) {
    for (const { name: source } of sources) metrics.fetches.cell({ job, source, outcome });
    if (notifiers.length > 0) metrics.notifications.cell({ job, outcome });
  }
  for (const reason of ["refused", "asked"]) metrics.rollbacks.cell({ job, reason });
}

/** How long a job may be busy with one thing, or have nothing to do. */
const longestStep = ({ values }: Plan): number =>
  Math.max(values.interval, values.splay, values.notifyTimeout, values.confirmTimeout, 30_000) * (1 + values.jitter);

/** What is live now is told to metrics. */
export function showLive(
  { plan: { name: job }, context: { metrics, showRevision } }: Work,
  revision: string,
  files: FileSet,
): void {
  metrics.files.cell({ job }).set(files.size);
  metrics.bytes.cell({ job }).set(sizeOf(files));
  showRevision(job, revision);
}

export const sizeOf = (files: FileSet): number =>
  [...files.values()].reduce((sum, { content }) => sum + content.length, 0);

/** Paths that a status or a log line names. */
const MAX_SHOWN = 100;

export const shown = ({ added, changed, removed }: FileChanges): FileChanges => ({
  added: added.slice(0, MAX_SHOWN),
  changed: changed.slice(0, MAX_SHOWN),
  removed: removed.slice(0, MAX_SHOWN),
});
