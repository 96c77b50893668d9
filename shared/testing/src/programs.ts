// The programs of the machine that tests drive: the runtimes of the repository, and the servers and clients that
// scripts/install-test-programs installs.
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root folder. */
export const repository = fileURLToPath(new URL("../../..", import.meta.url));

// Debian keeps servers where only root's PATH looks.
const SERVER_FOLDERS = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The absolute path of a program that is on PATH or among the system's servers. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), ...SERVER_FOLDERS].filter(
    (folder) => folder !== "",
  );
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** The runtime that containers under test run on: `node` or `bun`, of the version that the repository pins. */
export function runtimePath(runtime: string): string {
  const path = join(repository, "node_modules", ".bin", runtime);
  if (isExecutable(path)) return path;
  throw new Error(`runtime ${runtime}: expected a program at ${path}, got none; npm ci installs node and bun there`);
}

export type RequiredPrograms = {
  /** For `describe.skipIf`: some program is missing. */
  readonly skip: boolean;
  /** Which are missing; empty when none is. */
  readonly reason: string;
  /** The title of the suite, which names the missing programs when it is skipped. */
  readonly title: (text: string) => string;
  /** The absolute path of one of the programs; throws for one that is missing. */
  readonly path: (name: string) => string;
};

/**
 * What a suite needs from the machine: `describe.skipIf(programs.skip)(programs.title("..."), ...)`. Where all of them
 * have to be there, which OUTRIGGER_REQUIRE_ALL=1 says, a missing one is an error.
 */
export function requirePrograms(...names: string[]): RequiredPrograms {
  const paths = new Map(names.map((name) => [name, findProgram(name)]));
  const missing = names.filter((name) => paths.get(name) === undefined);
  const reason = missing.length === 0 ? "" : `needs ${missing.join(", ")}: run scripts/install-test-programs`;
  if (reason !== "" && process.env["OUTRIGGER_REQUIRE_ALL"] === "1") throw new Error(`this suite ${reason}`);
  return {
    skip: missing.length > 0,
    reason,
    title: (text) => (reason === "" ? text : `${text} (${reason})`),
    path: (name) => {
      const path = paths.get(name);
      if (path === undefined) throw new Error(`${name}: expected one of the programs found (${names.join(", ")})`);
      return path;
    },
  };
}
