// config-sync under test: a source folder, an output folder, and the container between them.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import type { Cleanup, Container, ContainerExit } from "@outrigger/testing";
import { runContainer, spawnContainer, tempDir, until } from "@outrigger/testing";

const QUICK = ["--admin-listen", "127.0.0.1:0", "--drain-delay", "0", "--quiet-period", "20ms", "--interval", "1s"];

export type JobStatus = {
  readonly name: string;
  readonly revision: string | null;
  readonly outcome: string;
  readonly error: string | null;
  readonly announced: boolean;
  readonly confirmed: boolean;
  readonly pinned: string | null;
  readonly paused: boolean;
  readonly refused: readonly string[];
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  readonly revisions: readonly { readonly revision: string }[];
};

export type Sync = {
  readonly folder: string;
  readonly source: string;
  readonly output: string;
  /** Writes files of the source; `undefined` removes one. */
  put(files: Readonly<Record<string, string | undefined>>): void;
  start(...args: string[]): Started;
  /** Runs it to its end. */
  run(...args: string[]): Promise<ContainerExit>;
  /** What an application finds in the output. */
  visible(): Record<string, string>;
  /** Waits until the application finds exactly this. */
  sees(files: Readonly<Record<string, string>>): Promise<void>;
};

export type Started = Container & {
  status(job?: string): Promise<JobStatus>;
  post(
    path: string,
    init?: { headers?: Record<string, string>; body?: string },
  ): Promise<{ status: number; body: string }>;
};

export function createSync(cleanup: Cleanup, files: Readonly<Record<string, string>> = { "app.yaml": "a: 1\n" }): Sync {
  const folder = tempDir(cleanup);
  const [source, output] = [join(folder, "source"), join(folder, "output")];
  mkdirSync(source);
  const put: Sync["put"] = (files) => {
    for (const [path, text] of Object.entries(files)) {
      const file = join(source, path);
      mkdirSync(dirname(file), { recursive: true });
      if (text === undefined) rmSync(file);
      else writeFileSync(file, text);
    }
  };
  put(files);
  const flags = ["--source", `dir:${source}`, "--output", output];
  const visible = (): Record<string, string> => (existsSync(output) ? filesIn(output) : {});
  return {
    folder,
    source,
    output,
    put,
    visible,
    start: (...args) => withApi(spawnContainer({ name: "config-sync", args: [...QUICK, ...flags, ...args], cleanup })),
    run: (...args) => runContainer({ name: "config-sync", args: [...QUICK, ...flags, ...args], cleanup }),
    sees: async (files) => {
      const wanted = JSON.stringify(Object.entries(files).sort());
      await until(() => JSON.stringify(Object.entries(visible()).sort()) === wanted, {
        timeoutMs: 15_000,
        describe: `the application to see ${wanted}`,
      });
    },
  };
}

/** Adds what tests ask of the API. */
export const withApi = (container: Container): Started =>
  Object.assign(container, {
    status: async (job = "default"): Promise<JobStatus> => {
      const { jobs } = (await container.admin("/api/v1/status")).json() as { jobs: JobStatus[] };
      return jobs.find(({ name }) => name === job)!;
    },
    post: (path: string, init = {}) => container.admin(path, { method: "POST", ...init }),
  });

/** A file may be gone between being listed and being read: whoever asks looks again. */
function filesIn(folder: string, prefix = ""): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(folder)) {
    if (name.startsWith("..")) continue;
    const path = join(folder, name);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats?.isDirectory() === true) Object.assign(found, filesIn(path, `${prefix}${name}/`));
    else if (stats !== undefined) found[prefix + name] = readFileSync(path, "utf8");
  }
  return found;
}
