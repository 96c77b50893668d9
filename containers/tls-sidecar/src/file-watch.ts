// Watches the files that the sidecar lives on, and asks for a reload when one of them changes.
import { isDeepStrictEqual } from "node:util";

import { watchPaths } from "@outrigger/files";
import type { FileWatch } from "@outrigger/files";

import type { SidecarContext } from "./container.ts";
import type { Values } from "./policy.ts";

const pathsOf = ({ cert, key, clientCa }: Values, config: string | undefined): string[] =>
  [cert, key, clientCa, config].filter((path) => path !== undefined);

/** Watches certificate, key, client CA and the file of options; `follow` turns the watch to the files named now. */
export async function watchFiles(
  { options: { config, rescanInterval: rescanMs }, log, onStop, reload }: SidecarContext,
  named: Values,
): Promise<{ follow(named: Values): Promise<void> }> {
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
  let paths = pathsOf(named, config);
  let watch = await open(paths);
  onStop("file watch", () => watch.close());
  return {
    follow: async (next) => {
      const wanted = pathsOf(next, config);
      if (isDeepStrictEqual(wanted, paths)) return;
      paths = wanted;
      await watch.close();
      watch = await open(paths);
    },
  };
}
