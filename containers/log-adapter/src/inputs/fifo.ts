// A named pipe. It is opened for writing as well, so that it does not end when the last of its writers goes, and without
// waiting, so that no thread of the runtime hangs in it: what is empty is looked at again.
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

import { createLivePump } from "./input.ts";
import type { Input } from "./input.ts";

const CHUNK = 64 * 1024;
const LOOK_AGAIN_MS = 20;

export async function readFifo(input: Input): Promise<void> {
  const { spec, ending } = input;
  const handle = await open(spec.target, constants.O_RDWR | constants.O_NONBLOCK);
  const pump = createLivePump(input);
  const buffer = Buffer.alloc(CHUNK);
  while (!ending.aborted) {
    const bytesRead = await handle.read(buffer, 0, CHUNK, null).then(
      (result) => result.bytesRead,
      (error: NodeJS.ErrnoException) => {
        if (error.code === "EAGAIN") return 0;
        throw error;
      },
    );
    if (bytesRead > 0) await pump.push(buffer.subarray(0, bytesRead));
    else await delay(LOOK_AGAIN_MS, undefined, { signal: ending }).catch(() => undefined);
  }
  await handle.close();
  await pump.end();
}
