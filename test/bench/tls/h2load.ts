// Saturating load over HTTP/2 with nghttp2's h2load: a few connections with several requests at a time on each.
import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { CIPHER, GROUP } from "./client.ts";

const execute = promisify(execFile);

export type Http2Load = {
  readonly url: string;
  readonly connections: number;
  /** Requests at a time on each connection. */
  readonly streams: number;
  readonly seconds: number;
};

/** Runs it with one thread; gives the requests answered. Throws if there was none, or one that failed. */
export async function runH2load({ url, connections, streams, seconds }: Http2Load): Promise<{ requests: number }> {
  const tls = [`--tls13-ciphers=${CIPHER}`, `--groups=${GROUP}`];
  const load = ["-t1", `-c${connections}`, `-m${streams}`, `-D${seconds}`];
  const { stdout } = await execute("h2load", [...load, ...tls, url]);
  const [, succeeded, failed, errored] = /(\d+) succeeded, (\d+) failed, (\d+) errored/.exec(stdout) ?? [];
  if (!stdout.includes("Application protocol: h2")) throw new Error("h2load: expected HTTP/2, got another protocol");
  if (!(Number(succeeded) > 0) || Number(failed) > 0 || Number(errored) > 0) {
    throw new Error(`h2load: expected answers only, got ${succeeded} and ${failed} failed, ${errored} errored`);
  }
  return { requests: Number(succeeded) };
}
