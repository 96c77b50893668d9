// One file that is followed: read to its end again and again, through being cut back and written anew.
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";

import type { Mark } from "./checkpoint.ts";
import type { Pump } from "./pump.ts";

const CHUNK = 128 * 1024;
/** So many bytes of a file's beginning tell it from another. */
const HEAD = 256;

export type Tail = {
  readonly path: string;
  readonly device: number;
  readonly inode: number;
  /** Reads what is new, at the time `now`; says how many bytes that were. */
  read(now: number): Promise<number>;
  /** Delivers what waits, as no more will come; `whole` as for a pump. */
  end(whole: boolean): Promise<void>;
  mark(): Mark;
  close(): Promise<void>;
};

export type TailSettings = {
  /** The input that the file belongs to, as the user wrote it. */
  readonly input: string;
  /** Makes the pump for the file from a position on. */
  readonly pumpAt: (position: number) => Pump;
  /** Is told when the file is read from its beginning again. */
  restarted(reason: "truncated" | "replaced"): void;
  /** Whether to stop between two chunks. */
  isEnding(): boolean;
};

/** Opens the file. It goes on at the mark if that is of this very file, and begins at its beginning otherwise. */
export async function openTail(path: string, settings: TailSettings, mark?: Mark): Promise<Tail> {
  const handle = await open(path, "r");
  try {
    const { dev: device, ino: inode, size } = await handle.stat();
    const isSame = mark !== undefined && mark.position <= size && (await beginsWith(handle, mark.head));
    return createTail({ path, device, inode, handle }, settings, isSame ? mark : undefined);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

type Opened = { readonly path: string; readonly device: number; readonly inode: number; readonly handle: FileHandle };

function createTail({ path, device, inode, handle }: Opened, settings: TailSettings, mark?: Mark): Tail {
  let offset = mark?.position ?? 0;
  let head = mark?.head.slice(0, offset * 2) ?? "";
  let pump = settings.pumpAt(offset);
  let seen = Number.NaN;
  const buffer = Buffer.allocUnsafe(CHUNK);
  return {
    path,
    device,
    inode,
    read,
    end: (whole) => pump.end(whole),
    mark: () => ({ input: settings.input, path, device, inode, position: pump.position(), head }),
    close: () => handle.close(),
  };

  async function read(now: number): Promise<number> {
    await restartIfNew();
    let total = 0;
    while (!settings.isEnding()) {
      const { bytesRead } = await handle.read(buffer, 0, CHUNK, offset);
      if (bytesRead === 0) break;
      if (offset < HEAD && head.length < HEAD * 2) {
        head = (head + buffer.subarray(0, bytesRead).toString("hex")).slice(0, HEAD * 2);
      }
      offset += bytesRead;
      total += bytesRead;
      await pump.push(buffer.subarray(0, bytesRead));
    }
    await pump.tick(now);
    return total;
  }

  /** A file that has become shorter, or begins otherwise, has been cut back: what is in it now is new. */
  async function restartIfNew(): Promise<void> {
    const { size, mtimeMs } = await handle.stat();
    const isShorter = size < offset;
    if (!isShorter && mtimeMs === seen) return;
    seen = mtimeMs;
    if (!isShorter && (await beginsWith(handle, head))) return;
    await pump.end(true);
    settings.restarted(isShorter ? "truncated" : "replaced");
    offset = 0;
    head = "";
    pump = settings.pumpAt(0);
  }
}

async function beginsWith(handle: FileHandle, head: string): Promise<boolean> {
  const bytes = Buffer.alloc(head.length / 2);
  const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
  return bytes.subarray(0, bytesRead).toString("hex") === head;
}
