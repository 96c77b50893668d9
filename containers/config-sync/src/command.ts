// Runs a program: without a shell, within a time and a size, and with all that it has started ended with it.
import { spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";

import { host } from "@outrigger/runtime";

export type CommandSettings = {
  readonly cwd?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
  readonly input?: string;
};

/** How much of what is said to people is kept: the end. */
const MAX_OUTPUT = 4096;

/** Resolves with the end of what it wrote when it exits with 0; else throws how it ended and what it said. */
export async function runCommand(words: readonly string[], settings: CommandSettings): Promise<string> {
  let output = "";
  const keep = (chunk: Buffer): void => void (output = (output + chunk.toString()).slice(-MAX_OUTPUT));
  await run(words, settings, { onStdout: keep, onStderr: keep, said: () => output });
  return output;
}

/** Resolves with all that it wrote to stdout, which may be `maxBytes` at most. */
export async function runForOutput(
  words: readonly string[],
  settings: CommandSettings & { readonly maxBytes: number },
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  let error = "";
  await run(words, settings, {
    onStdout: (chunk, end) => {
      size += chunk.length;
      if (size <= settings.maxBytes) chunks.push(chunk);
      else end(new Error(`${words[0]}: expected at most ${settings.maxBytes} bytes, got more`));
    },
    onStderr: (chunk) => void (error = (error + chunk.toString()).slice(-MAX_OUTPUT)),
    said: () => error,
  });
  return Buffer.concat(chunks);
}

type Sinks = {
  onStdout(chunk: Buffer, end: (error: Error) => void): void;
  onStderr(chunk: Buffer): void;
  said(): string;
};

async function run(
  words: readonly string[],
  { cwd, env, timeoutMs, input }: CommandSettings,
  sinks: Sinks,
): Promise<void> {
  const [program = "", ...args] = words;
  // A process group of its own, so that what it has started ends with it.
  const child = spawn(program, args, { cwd, env, detached: true });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const end = (error: Error): void => {
    endGroup(child);
    reject(error);
  };
  child.stdout.on("data", (chunk: Buffer) => sinks.onStdout(chunk, end));
  child.stderr.on("data", (chunk: Buffer) => sinks.onStderr(chunk));
  child.stdin.on("error", () => undefined).end(input);
  const late = new Error(`${program}: expected it to end within ${timeoutMs} ms, got no end`);
  const timer = setTimeout(() => end(late), timeoutMs);
  child.once("error", (error) =>
    reject(new Error(`${program}: expected a program that can be run, got ${error.message}`)),
  );
  child.once("close", (code, signal) => {
    const said = sinks.said().trim();
    if (code === 0) resolve();
    else
      reject(new Error(`${program}: expected exit status 0, got ${signal ?? code}${said === "" ? "" : `: ${said}`}`));
  });
  try {
    await promise;
  } finally {
    clearTimeout(timer);
  }
}

function endGroup(child: ChildProcessWithoutNullStreams): void {
  child.stdout.destroy();
  child.stderr.destroy();
  try {
    if (child.pid !== undefined) host.signal(-child.pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
