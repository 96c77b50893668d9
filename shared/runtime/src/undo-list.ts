// What has to be undone when a container stops.
import type { Logger } from "./logger.ts";

export type UndoList = {
  add(name: string, undo: () => unknown): void;
  /** Undoes everything, last first; one failure does not keep the others from being undone. */
  run(): Promise<void>;
};

export function createUndoList(log: Logger): UndoList {
  const list: { name: string; undo: () => unknown }[] = [];
  return {
    add: (name, undo) => void list.push({ name, undo }),
    run: async () => {
      for (const { name, undo } of list.splice(0).toReversed()) {
        try {
          await undo();
        } catch (error) {
          log.error({ name, error }, "stopping failed");
        }
      }
    },
  };
}
