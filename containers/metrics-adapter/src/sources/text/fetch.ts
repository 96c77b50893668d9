// Where a text comes from: HTTP, a TCP or Unix socket, a file, or a command's output; each within the time and the size.
import { spawn } from "node:child_process";
import { createReadStream } from "node:fs";
import { connect } from "node:net";
import type { Readable } from "node:stream";

import { parseAddress } from "@outrigger/options";
import { host } from "@outrigger/runtime";

import { ask } from "../../http-client.ts";
import type { TextSettings } from "./settings.ts";

type Bounds = { readonly signal: AbortSignal; readonly maxBodySize: number };

/** Gets the text. Rejects when it is too large, late, or not to be had. */
export async function fetchText(settings: TextSettings, bounds: Bounds): Promise<string> {
  const { url, address, send, file, command } = settings;
  if (url !== undefined) return (await ask({ url, settings, ...bounds })).body;
  if (file !== undefined) return readBounded(createReadStream(file, { signal: bounds.signal }), bounds);
  if (command !== undefined) return run(command, bounds);
  const socket = connect({ ...parseAddress(address!, "127.0.0.1")!, signal: bounds.signal } as never);
  // What has been asked is whole: the other side may answer and close.
  socket.end(send);
  return readBounded(socket, bounds);
}

async function readBounded(stream: Readable, { signal, maxBodySize }: Bounds): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  const abort = (): void => void stream.destroy(new Error("aborted"));
  signal.addEventListener("abort", abort);
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBodySize) throw new Error(`expected at most ${maxBodySize} bytes, got more`);
      chunks.push(chunk);
    }
  } finally {
    signal.removeEventListener("abort", abort);
  }
  return Buffer.concat(chunks).toString("utf8");
}

const MAX_COMPLAINT = 500;

/** Runs a program, without a shell and without our environment, in a group of its own that is ended with it. */
async function run([program, ...args]: readonly string[], bounds: Bounds): Promise<string> {
  const env = { PATH: "/usr/local/bin:/usr/bin:/bin", LANG: "C" };
  const child = spawn(program!, args, { stdio: ["ignore", "pipe", "pipe"], env, detached: true });
  let complaint = "";
  child.stderr.on("data", (text: Buffer) => {
    complaint = (complaint + text.toString("utf8")).slice(0, MAX_COMPLAINT);
  });
  const killAll = (): void => {
    try {
      if (child.pid !== undefined) host.signal(-child.pid, "SIGKILL");
    } catch {
      // All of the group have ended.
    }
  };
  const ended = new Promise<number | string | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? signal));
  });
  bounds.signal.addEventListener("abort", killAll);
  try {
    const [output, status] = await Promise.all([readBounded(child.stdout, bounds), ended]);
    if (status !== 0) throw new Error(`${program}: expected exit code 0, got ${status}: ${complaint.trim()}`);
    return output;
  } finally {
    bounds.signal.removeEventListener("abort", killAll);
    killAll();
  }
}
