// Standard output. A runtime writes to a pipe and waits, so that a reader that stalls would stop everything: a pipe is
// opened once more, for writing without waiting, of which the process that made it sees nothing.
import { constants, fstatSync, openSync } from "node:fs";
import { Socket } from "node:net";
import type { Writable } from "node:stream";

import type { Transport } from "./transport.ts";

const FD = 1;

export function createStdoutTransport(stdout: () => Writable): Transport {
  const stream = pipeOf() ?? stdout();
  let failed: Error | undefined;
  stream.on("error", (error: Error) => (failed = error));
  return {
    send: (text) =>
      new Promise((resolve, reject) => {
        if (failed !== undefined) return reject(failed);
        stream.write(text, (error) => (error ? reject(error) : resolve(0)));
      }),
    close: async () => void (stream instanceof Socket && stream.destroy()),
  };
}

/** Nothing where standard output is no pipe, or cannot be opened again. */
function pipeOf(): Socket | undefined {
  try {
    if (!fstatSync(FD).isFIFO()) return undefined;
    const fd = openSync(`/proc/self/fd/${FD}`, constants.O_WRONLY | constants.O_NONBLOCK);
    return new Socket({ fd, readable: false, writable: true });
  } catch {
    return undefined;
  }
}
