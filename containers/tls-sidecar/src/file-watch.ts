// Watches the files that the sidecar lives on, and asks for a reload when one of them changes.
import { isDeepStrictEqual } from "node:util";

import { watchPaths } from "@outrigger/files";
import type { FileWatch } from "@outrigger/files";

import type { SidecarContext } from "./container.ts";
import type { Values } from "./policy.ts";
import { foldersOf } from "./sni-dir.ts";

async function pathsOf(values: Values, config: string | undefined): Promise<string[]> {
  const { cert, key, clientCa, sniDir, ocspStaple, sessionTicketKey } = values;
  const files = [cert, key, clientCa, ocspStaple, sessionTicketKey, config].filter((path) => path !== undefined);
  return sniDir === undefined ? files : [...files, ...(await foldersOf(sniDir))];
}

/**
 * Watches certificates, keys, CAs and the file of options; `follow` turns the watch to the files named now, and tells
 * whether there are others: what has changed in those before they were watched, only another look can tell.
 */
export async function watchFiles(
  { options: { config, rescanInterval: rescanMs }, log, onStop, reload }: SidecarContext,
  named: Values,
): Promise<{ follow(named: Values): Promise<boolean> }> {
  const open = (paths: string[]): Promise<FileWatch> =>
    watchPaths(paths, {
      onChange: (changed) => {
        log.info({ files: changed }, "files changed");
        void reload();
      },
      onMode: (mode, reason) => {
        if (mode === "poll") log.warn({ reason }, "file events are not available, so files are polled");
      },
      rescanMs,
    });
  let paths = await pathsOf(named, config);
  let watch = await open(paths);
  onStop("file watch", () => watch.close());
  return {
    follow: async (next) => {
      const wanted = await pathsOf(next, config);
      if (isDeepStrictEqual(wanted, paths)) return false;
      paths = wanted;
      await watch.close();
      watch = await open(paths);
      return true;
    },
  };
}
