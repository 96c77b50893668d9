// The application of the pod: the dictionary, which can be killed and comes back on the same port.
import { join } from "node:path";

import type { Cleanup, Exit } from "@outrigger/testing";
import { repository, runtimePath } from "@outrigger/testing";

import type { Process } from "./process.ts";
import { describeExit, startProcess } from "./process.ts";

export type Application = {
  readonly label: string;
  readonly port: number;
  /** The file of further words. */
  readonly words: string;
  /** `127.0.0.1:8000` */
  readonly address: string;
  readonly isRunning: () => boolean;
  /** Starts it again, where it was. */
  readonly start: () => Promise<void>;
  /** Ends it as a crash would. */
  readonly kill: () => Promise<void>;
  /** SIGTERM, and how it ended; undefined if it was not running. */
  readonly stop: () => Promise<Exit | undefined>;
};

export type ApplicationSettings = {
  /** 0 for any free one. */
  readonly port: number;
  /** The file of further words, which it reads again at SIGHUP. */
  readonly words: string;
  readonly onLine: (line: string) => void;
  /** It has ended, and nobody had asked it to. */
  readonly onCrash: (how: string) => void;
  readonly cleanup: Cleanup;
};

const LABEL = "dictionary";
const main = join(repository, "test", "apps", "dictionary", "main.ts");

/** The port in `... [I] boot ~ listening on http://127.0.0.1:8000/`. */
function portIn(line: string): number | undefined {
  const match = /boot ~ listening on http:\/\/127\.0\.0\.1:(\d+)\//.exec(line);
  return match === null ? undefined : Number(match[1]);
}

export async function startApplication({
  port: preferred,
  words,
  onLine,
  onCrash,
  cleanup,
}: ApplicationSettings): Promise<Application> {
  let asked = false;
  const launch = async (port: number): Promise<{ process: Process; port: number }> => {
    asked = false;
    const args = [main, "--port", String(port), "--words", words];
    const process = startProcess({ label: LABEL, program: runtimePath("node"), args, onLine, cleanup });
    process.exited.then(
      (exit) => asked || onCrash(describeExit(exit)),
      () => {},
    );
    return { process, port: await process.waitForLine(portIn) };
  };
  const first = await launch(preferred);
  const { port } = first;
  let { process } = first;
  const end = (signal: NodeJS.Signals): Promise<Exit> => {
    asked = true;
    return process.end(signal);
  };
  return {
    label: LABEL,
    port,
    words,
    address: `127.0.0.1:${port}`,
    isRunning: () => process.isRunning(),
    start: async () => {
      ({ process } = await launch(port));
    },
    kill: async () => {
      await end("SIGKILL");
    },
    stop: async () => (process.isRunning() ? end("SIGTERM") : undefined),
  };
}
