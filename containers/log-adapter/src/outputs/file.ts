// Records appended to a file, which is renamed when it has become too large.
import { open, rename, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";

import type { Transport } from "./transport.ts";

export type FileSettings = {
  /** The size at which a file is renamed; 0 is never. */
  readonly maxBytes: number;
  /** How many renamed files are kept, as `path.1` to `path.<keep>`, the first being the latest. */
  readonly keep: number;
};

export function createFileTransport(path: string, { maxBytes, keep }: FileSettings): Transport {
  let handle: FileHandle | undefined;
  let size = 0;
  return {
    send: async (text) => {
      const bytes = Buffer.from(text);
      if (maxBytes > 0 && size > 0 && size + bytes.length > maxBytes) await rotate();
      await openFile();
      await writeWhole(bytes);
      return 0;
    },
    close: async () => handle?.close(),
  };

  async function openFile(): Promise<void> {
    if (handle !== undefined) return;
    handle = await open(path, "a");
    ({ size } = await handle.stat());
  }

  /** What was written of a text that then failed is taken back, so that its repetition is not half a record more. */
  async function writeWhole(bytes: Buffer): Promise<void> {
    let at = 0;
    try {
      while (at < bytes.length) at += (await handle!.write(bytes, at)).bytesWritten;
      size += bytes.length;
    } catch (error) {
      if (at > 0) await handle!.truncate(size).catch(() => undefined);
      throw error;
    }
  }

  async function rotate(): Promise<void> {
    await handle?.close();
    handle = undefined;
    const missing = (error: NodeJS.ErrnoException): void => {
      if (error.code !== "ENOENT") throw error;
    };
    if (keep === 0) return unlink(path).catch(missing);
    for (let number = keep; number > 0; number--) {
      await rename(number === 1 ? path : `${path}.${number - 1}`, `${path}.${number}`).catch(missing);
    }
  }
}
