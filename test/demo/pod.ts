// The pod: a temporary folder with certificates, the application, and every container of the demo beside it.
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Exit } from "@outrigger/testing";
import { createCertificateAuthority, tempDir } from "@outrigger/testing";

import { containerNames } from "../../scripts/containers.ts";
import type { Application } from "./application.ts";
import { startApplication } from "./application.ts";
import { bundleInto, startContainer } from "./container.ts";
import type { CompactLine } from "./log-lines.ts";
import type { Part, Pod, RunningPart, Runtime } from "./part.ts";
import { isFree } from "./ports.ts";
import type { Process } from "./process.ts";
import { startProcess } from "./process.ts";
import { unlessInterrupted } from "./signals.ts";

export type PodSettings = {
  readonly parts: readonly Part[];
  readonly runtime: Runtime;
  /** Free ports everywhere, instead of the usual ones. */
  readonly freePorts: boolean;
  /** Takes each line that somebody says. */
  readonly show: Show;
  /** Ends the start with an error. */
  readonly interrupted: AbortSignal;
};

/** Takes a line that somebody says, and how severe it is. */
export type Show = (who: string, text: string, level?: string) => void;

/** How a process of the pod ended. */
export type Ending = { readonly who: string; readonly exit: Exit };

export type RunningPod = {
  readonly runtime: Runtime;
  readonly folder: string;
  readonly application: Application;
  readonly parts: readonly RunningPart[];
  readonly processes: readonly Process[];
  /** The usual ports that were taken, so that free ones are used. */
  readonly takenPorts: readonly number[];
  /** Ends all that still runs by SIGTERM, the application last, and tells how each ended. */
  readonly stop: () => Promise<Ending[]>;
  /** Kills what still runs and removes the folder. */
  readonly remove: () => Promise<void>;
};

/** The label of lines that the demo itself says. */
export const DEMO = "demo";

/** All who may say something in this pod. */
export const labelsOf = ({ application, processes }: Pick<RunningPod, "application" | "processes">): string[] => [
  DEMO,
  application.label,
  ...processes.map(({ label }) => label),
];

function createUndoing() {
  const undos: (() => Promise<void> | void)[] = [];
  let over = false;
  return {
    // A part that is still starting when another one has failed must not leave anything either.
    cleanup: (undo: () => Promise<void> | void): void => void (over ? undo() : undos.push(undo)),
    run: async (): Promise<void> => {
      over = true;
      for (let undo = undos.pop(); undo !== undefined; undo = undos.pop()) await undo();
    },
  };
}

/** Starts everything and waits until all is ready. If it cannot be, nothing is left behind. */
export async function startPod(settings: PodSettings): Promise<RunningPod> {
  const undoing = createUndoing();
  try {
    return await unlessInterrupted(assemble(settings, undoing), settings.interrupted);
  } catch (error) {
    await undoing.run();
    throw error;
  }
}

async function assemble(
  { parts, runtime, freePorts, show }: PodSettings,
  { cleanup, run }: ReturnType<typeof createUndoing>,
): Promise<RunningPod> {
  const folder = createFolder(cleanup);
  const takenPorts: number[] = [];
  const portFor = async (preferred: number): Promise<number> => {
    if (freePorts) return 0;
    if (await isFree(preferred)) return preferred;
    takenPorts.push(preferred);
    return 0;
  };
  const bundling = bundleAll(folder);
  // The bundler is a process that would write into the folder, and so make it again, after its removal.
  cleanup(async () => void (await Promise.allSettled([bundling])));
  const bundles = await bundling;
  const authority = await createCertificateAuthority({ name: "Outrigger demo authority" });
  writeFileSync(join(folder, "ca.crt"), authority.pem);
  const say = (text: string): void => show(DEMO, text);
  const application = await startApplication({
    port: await portFor(8000),
    words: join(folder, "published", "words.ini"),
    onLine: (line) => show("dictionary", line),
    onCrash: (how) => say(`the dictionary has ended by itself: ${how}`),
    cleanup,
  });
  const pod: Pod = {
    runtime,
    folder,
    authority,
    application,
    say,
    portFor,
    startContainer: (name, container) => {
      // Paths below the folder are long, and the folder is known.
      const showLine = ({ text, level }: CompactLine): void =>
        show(container.label, text.replaceAll(`${folder}/`, ""), level);
      return startContainer(bundles.get(name)!, runtime, { ...container, show: showLine, cleanup });
    },
    startProgram: (program) => startProcess({ ...program, onLine: (line) => show(program.label, line), cleanup }),
  };
  const running = await Promise.all(parts.map((part) => part.start(pod)));
  const processes = running.flatMap((part) => part.processes);
  const stop = (): Promise<Ending[]> => stopAll(processes, application);
  return { runtime, folder, application, parts: running, processes, takenPorts, stop, remove: run };
}

/** A temporary folder that is gone even if the demo ends by an error. */
function createFolder(cleanup: (undo: () => void) => void): string {
  const folder = tempDir();
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  process.on("exit", remove);
  cleanup(() => {
    remove();
    process.off("exit", remove);
  });
  return folder;
}

async function bundleAll(folder: string): Promise<Map<string, string>> {
  const names = containerNames();
  const files = await Promise.all(names.map((name) => bundleInto(folder, name)));
  return new Map(names.map((name, index) => [name, files[index]!]));
}

async function stopAll(processes: readonly Process[], application: Application): Promise<Ending[]> {
  const endings = await Promise.all(
    processes
      .filter(({ isRunning }) => isRunning())
      .map(async ({ label, end }) => ({ who: label, exit: await end("SIGTERM") })),
  );
  const exit = await application.stop();
  return exit === undefined ? endings : [...endings, { who: application.label, exit }];
}
