// What has to be undone when a container stops.
import type { Logger } from "./logger.ts";
import { withinTime } from "./within-time.ts";

export type UndoList = {
  add(name: string, undo: () => unknown): void;
  /**
   * Undoes everything, last first, and gives each `eachMs` milliseconds. One that fails or does not end does not keep the
   * others from being undone. Resolves with whether all of them ended.
   */
  run(eachMs: number): Promise<boolean>;
};

export function createUndoList(log: Logger): UndoList {
  const list: { name: string; undo: () => unknown }[] = [];
  return {
    add: (name, undo) => void list.push({ name, undo }),
    run: async (eachMs) => {
      let ended = true;
      for (const { name, undo } of list.splice(0).toReversed()) {
        try {
          if (await withinTime(Promise.resolve(undo()), eachMs)) continue;
          ended = false;
          log.error({ name, milliseconds: eachMs }, "stopping timed out");
        } catch (error) {
          log.error({ name, error }, "stopping failed");
        }
      }
      return ended;
    },
  };
}
