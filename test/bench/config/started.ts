// config-sync as a subject of the benchmark, and a reader who waits for what it publishes.
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { spawnContainer } from "@outrigger/testing";

import { bundle } from "../../../scripts/bundle.ts";
import { containerFolder } from "../../../scripts/containers.ts";

export type Undoing = { cleanup(undo: () => Promise<void> | void): void; run(): Promise<void> };

/** Collects what has to be undone after a round. */
export function createUndoing(): Undoing {
  const undos: (() => Promise<void> | void)[] = [];
  return {
    cleanup: (undo) => void undos.push(undo),
    run: async () => {
      for (let undo = undos.pop(); undo !== undefined; undo = undos.pop()) await undo();
    },
  };
}

let entry: Promise<string> | undefined;

/** Starts it, and waits until it says that it has started: how long that was for whoever waited. */
export async function startSync(
  runtime: string,
  args: readonly string[],
  { cleanup }: Undoing,
): Promise<{ pid: number; startedMs: number }> {
  const file = await (entry ??= bundle(containerFolder("config-sync")));
  const began = performance.now();
  const quick = ["--admin-listen", "127.0.0.1:0", "--drain-delay", "0"];
  const { pid, waitForLog } = spawnContainer({ entry: file, args: [...quick, ...args], runtime, cleanup });
  await waitForLog("started", { timeoutMs: 30_000 });
  return { pid, startedMs: performance.now() - began };
}

/** Resolves when a reader of the folder finds this text. */
export async function seen(folder: string, name: string, text: string): Promise<void> {
  const end = performance.now() + 30_000;
  for (;;) {
    if (contentOf(join(folder, name)) === text) return;
    if (performance.now() > end)
      throw new Error(`${name}: expected ${text.slice(0, 40)} within 30 s, got something else`);
    await new Promise((resolve) => void setTimeout(resolve, 0));
  }
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
