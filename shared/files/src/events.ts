// File system events, as hints that something may have changed. This is the one place that creates a chokidar watcher.
import { realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { env } from "node:process";

import type { FSWatcher } from "chokidar";
import { watch } from "chokidar";

export type Events = {
  /** Watches the folders that matter to these paths as things are now; does nothing if it already does. */
  readonly follow: (paths: readonly string[]) => Promise<void>;
  readonly close: () => Promise<void>;
};

/**
 * Calls `onEvent` for whatever happens in the folders, and whenever other folders have begun to be watched. Calls
 * `onFailure` once if the system refuses (EMFILE, ENOSPC ...): there are no more events then.
 */
export function createEvents(onEvent: () => void, onFailure: (error: Error) => void): Events {
  let watcher: FSWatcher | undefined;
  let watching = "";
  let ended = false;

  async function end(): Promise<void> {
    ended = true;
    if (watcher !== undefined) await Promise.allSettled([watcher.close()]);
  }

  async function follow(paths: readonly string[]): Promise<void> {
    if (ended) return;
    const folders = await foldersOf(paths);
    const wanted = [...folders.values()].sort().join("\n");
    if (wanted === watching) return;
    // Closed first: chokidar's watchers share one handle for each path, so a new one beside the old would go on
    // listening to a folder that was moved away. What happens in between is found by the look that onEvent asks for.
    if (watcher !== undefined) await Promise.allSettled([watcher.close()]);
    watcher = openWatcher([...folders.keys()]);
    watching = wanted;
    await armed(watcher);
    onEvent();
  }

  function armed(current: FSWatcher): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    current.on("all", onEvent).on("raw", onEvent).once("ready", resolve);
    current.on("error", (error) => {
      resolve();
      if (ended) return;
      void end();
      onFailure(error as Error);
    });
    return promise;
  }

  return { follow, close: end };
}

/** Chokidar lets these override what a program asks of it, and reads them when a watcher is created. */
const OVERRIDES = ["CHOKIDAR_USEPOLLING", "CHOKIDAR_INTERVAL"];

function openWatcher(folders: string[]): FSWatcher {
  const set = OVERRIDES.map((name) => [name, env[name]] as const);
  for (const name of OVERRIDES) delete env[name];
  try {
    return watch(folders, { backend: "native", depth: 0, followSymlinks: false, atomic: false, ignoreInitial: true });
  } finally {
    for (const [name, value] of set) if (value !== undefined) env[name] = value;
  }
}

/**
 * The folders in which a change to one of the paths shows, with what tells a folder from another that takes its place:
 * the path itself if it is a folder, its parent, and the parent of what it links to. Of a folder that does not exist, the
 * nearest one above it that does.
 */
async function foldersOf(paths: readonly string[]): Promise<Map<string, string>> {
  const folders = new Map<string, string>();
  for (const path of paths) {
    const target = await realpath(path).catch(() => path);
    for (const start of [path, dirname(path), dirname(target)]) {
      const [folder, identity] = await nearestFolder(start);
      folders.set(folder, identity);
    }
  }
  return folders;
}

async function nearestFolder(start: string): Promise<[folder: string, identity: string]> {
  for (let path = start; path !== dirname(path); path = dirname(path)) {
    try {
      const folder = await realpath(path);
      const stats = await stat(folder, { bigint: true });
      if (stats.isDirectory()) return [folder, `${folder} ${stats.dev}:${stats.ino}:${stats.birthtimeNs}`];
    } catch {
      // Missing, or closed to us: the folder above tells when that changes.
    }
  }
  return ["/", "/"];
}
