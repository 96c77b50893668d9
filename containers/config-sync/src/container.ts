// config-sync: brings configuration from its source to the folder that an application reads, as one transaction: fetch,
// validate, publish, notify, confirm, and back if the application refuses.
import { defineContainer } from "@outrigger/runtime";
import type { Context } from "@outrigger/runtime";

import manifest from "../package.json" with { type: "json" };
import { answerers, routes } from "./api.ts";
import { diff } from "./diff.ts";
import { createJob } from "./job.ts";
import type { Job } from "./job.ts";
import { metrics } from "./metrics.ts";
import { options } from "./options.ts";
import { translate } from "./other-programs.ts";
import { outsideWorld, planJobs } from "./plan.ts";

type Given = Context<typeof options, typeof metrics>;
export type SyncContext = Given & {
  /** Tells metrics which revision of a job is live. */
  showRevision(job: string, revision: string): void;
};

const NEVER = new AbortController().signal;

export const container = defineContainer({
  name: "config-sync",
  version: manifest.version,
  pattern: "sidecar",
  summary: manifest.description,
  adminPort: 9914,
  options,
  metrics,
  routes,
  commands: { diff },
  translate,

  check: async (values, writtenAs) => [...planJobs(values, writtenAs, outsideWorld(NEVER)).problems],

  async start(given) {
    const { options: values, onStop, finish, draining } = given;
    const context: SyncContext = { ...given, showRevision: createRevisionInfo(given) };
    const written = Object.fromEntries(Object.keys(options).map((key) => [key, key])) as Record<
      keyof typeof options,
      string
    >;
    const { plans, problems } = planJobs(values, written, outsideWorld(draining));
    if (problems.length > 0) throw new Error(problems.join("; "));
    const jobs: Job[] = [];
    for (const plan of plans) {
      const job = await createJob(plan, context);
      onStop(`job ${plan.name}`, job.close);
      jobs.push(job);
    }
    const first = Promise.all(jobs.map((job) => job.sync()));
    if (values.once) {
      await first;
      requireDone(jobs);
      finish();
    }
    return {
      drain: async () => void (await Promise.all(jobs.map((job) => job.close()))),
      reload: async () => {
        await Promise.all(jobs.map((job) => job.sync()));
        return { outcome: "unchanged" };
      },
      status: () => ({ jobs: jobs.map((job) => job.status()) }),
      routes: answerers(jobs, context),
    };
  },
});

function requireDone(jobs: readonly Job[]): void {
  const failed = jobs.flatMap((job) => {
    const problem = job.problem();
    return problem === undefined ? [] : [`job ${job.name}: ${problem}`];
  });
  if (failed.length > 0) throw new Error(failed.join("; "));
}

/** The revisions of all jobs as one metric, which has no series of revisions that are not live any more. */
function createRevisionInfo({ metrics: { revision: info } }: Given): SyncContext["showRevision"] {
  const live = new Map<string, string>();
  return (job, revision) => {
    if (live.get(job) === revision) return;
    live.set(job, revision);
    info.clear();
    for (const [job, revision] of live) info.cell({ job, revision }).set(1);
  };
}
