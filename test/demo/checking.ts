// The demo without a person: every part is used, and a line tells what was found.
import { existsSync } from "node:fs";

import type { Check, Part, Runtime } from "./part.ts";
import type { RunningPod, Show } from "./pod.ts";
import { labelsOf, startPod } from "./pod.ts";
import { describeExit } from "./process.ts";
import { createLines } from "./screen.ts";
import { unlessInterrupted } from "./signals.ts";

export type CheckSettings = {
  readonly parts: readonly Part[];
  readonly runtime: Runtime;
  readonly write: (text: string) => void;
  /** Ends it, with nothing left behind. */
  readonly interrupted: AbortSignal;
};

const WIDTH = 28;
/** Lines of the log that are shown when something failed. */
const KEPT_LINES = 40;

/** Starts the pod on free ports, makes all checks, stops it; gives how many failed. */
export async function runChecks({ parts, runtime, write, interrupted }: CheckSettings): Promise<number> {
  const log: Parameters<Show>[] = [];
  const show: Show = (...said) => {
    log.push(said);
    if (log.length > KEPT_LINES) log.shift();
  };
  let failed = 0;
  const make = async ({ what, run }: Check): Promise<void> => {
    try {
      write(`ok   ${`${what}:`.padEnd(WIDTH)} ${await unlessInterrupted(run(), interrupted)}\n`);
    } catch (error) {
      interrupted.throwIfAborted();
      failed++;
      write(`FAIL ${`${what}:`.padEnd(WIDTH)} ${(error as Error).message}\n`);
    }
  };
  write(`on ${runtime}\n`);
  const pod = await startPod({ parts, runtime, freePorts: true, show, interrupted });
  try {
    for (const check of pod.parts.flatMap(({ checks }) => checks)) await make(check);
    await make({ what: "SIGTERM", run: () => stopWell(pod) });
  } finally {
    await pod.remove();
  }
  await make({ what: "nothing left", run: async () => leftNothing(pod) });
  if (failed > 0) {
    write("\nThe last lines of the log:\n");
    const line = createLines(write, (_, text) => text, labelsOf(pod));
    for (const said of log) line(...said);
  }
  return failed;
}

async function stopWell(pod: RunningPod): Promise<string> {
  const endings = (await pod.stop()).map(({ who, exit }) => ({ who, how: describeExit(exit) }));
  const expected = [...pod.processes.map(({ label }) => label), pod.application.label];
  const bad = expected.filter((name) => !endings.some(({ who, how }) => who === name && how === "exit status 0"));
  if (bad.length === 0) return `exit status 0 of ${expected.join(", ")}`;
  throw new Error(`expected exit status 0 of ${bad.join(", ")}, got ${JSON.stringify(endings)}`);
}

function leftNothing({ processes, application, folder }: RunningPod): string {
  const alive = [...processes, application].filter(({ isRunning }) => isRunning()).map(({ label }) => label);
  if (alive.length > 0) throw new Error(`expected no process, got ${alive.join(", ")}`);
  if (existsSync(folder)) throw new Error(`expected ${folder} to be gone`);
  return "no process, no folder";
}
