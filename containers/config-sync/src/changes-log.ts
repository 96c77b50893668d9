// One log line for each change of a state, however often the state is looked at.
import type { Logger } from "@outrigger/runtime";

export type ChangesLog = {
  /** Tells of a subject that works or that does not, if that or the reason is other than the last time. */
  tell(subject: string, reason: string | undefined): void;
};

export function createChangesLog(job: string, log: Logger): ChangesLog {
  const told = new Map<string, string | undefined>();
  return {
    tell: (subject, reason) => {
      const before = told.get(subject);
      told.set(subject, reason);
      if (reason === before) return;
      if (reason === undefined) log.info({ job, subject }, "works again");
      else log.warn({ job, subject, reason }, "failed");
    },
  };
}
