// Files of a mounted folder, such as a ConfigMap or a Secret, or a single one.
import { createHints, readTree } from "@outrigger/files";

import type { Source, SourceSettings } from "./source.ts";

export function createFolderSource(path: string, settings: SourceSettings): Source {
  const { limits, onHint, isWatched, onPolling } = settings;
  const hints = isWatched ? createHints({ onHint, onMode: (_, reason) => onPolling(reason ?? "unknown") }) : undefined;
  let isFollowed = false;
  return {
    name: `dir:${path}`,
    fetch: async () => {
      // Watched first and read then: what changes in between brings a hint. Later on the folders of the last time are.
      if (!isFollowed) await hints?.follow([path]);
      isFollowed = false;
      const { files, folders } = await readTree(path, limits);
      await hints?.follow([path, ...folders]);
      isFollowed = true;
      return files;
    },
    close: async () => void (await hints?.close()),
  };
}
