// How far each file has been read and delivered, kept in a file so that a restart goes on there.
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";

import * as z from "@outrigger/options/zod";

const schema = z.object({
  version: z.literal(1),
  files: z.array(
    z.object({
      input: z.string(),
      path: z.string(),
      device: z.number(),
      inode: z.number(),
      position: z.number(),
      head: z.string(),
      /** When the file was last written, as far as was known, in milliseconds since the epoch. */
      writtenAt: z.number().default(0),
    }),
  ),
});

/** A file at a position; `head` is its beginning, in hex, by which it is told from a later one with the same inode. */
export type Mark = z.infer<typeof schema>["files"][number];

export type Checkpoint = {
  /** What was saved last; `problem` says why that could not be read. */
  load(): Promise<{ marks: Mark[]; problem?: string }>;
  /** Saves, unless nothing has changed; whole or not at all. */
  save(marks: readonly Mark[]): Promise<void>;
};

export function createCheckpoint(folder: string): Checkpoint {
  const path = join(folder, "checkpoint.json");
  let saved = "";
  return {
    load: async () => {
      try {
        return { marks: schema.parse(JSON.parse(await readFile(path, "utf8"))).files };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return { marks: [] };
        return { marks: [], problem: `${path}: expected a checkpoint, got ${(error as Error).message.split("\n")[0]}` };
      }
    },
    save: async (files) => {
      const text = `${JSON.stringify({ version: 1, files })}\n`;
      if (text === saved) return;
      await mkdir(folder, { recursive: true });
      const handle = await open(`${path}.new`, "w");
      try {
        await handle.writeFile(text);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(`${path}.new`, path);
      saved = text;
    },
  };
}
