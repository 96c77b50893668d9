// Sources that are asked again and again: JSON over HTTP, and commands. Each answer is a condition of readiness.
import { spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";

import { linesIn } from "./http.ts";
import { createLivePump, readStream } from "./input.ts";
import type { Input, LivePump } from "./input.ts";

/** Asks until it is to end; a failure is told once until it passes. */
export async function pollAgain(input: Input, everyMs: number, ask: () => Promise<void>): Promise<void> {
  const { context, spec, ending } = input;
  const condition = `input ${spec.text}`;
  let isFailing: boolean | undefined;
  while (!ending.aborted) {
    try {
      await ask();
      if (isFailing === true) context.log.info({ input: spec.text }, "input answers again");
      if (isFailing !== false) context.readiness.set(condition, true);
      isFailing = false;
    } catch (error) {
      if (ending.aborted) return;
      context.metrics.inputErrors.inc({});
      const { message } = error as Error;
      if (isFailing !== true) context.log.warn({ input: spec.text, error: message }, "input does not answer");
      context.readiness.set(condition, false, `${spec.text}: ${message}`);
      isFailing = true;
    }
    await delay(everyMs, undefined, { signal: ending }).catch(() => undefined);
  }
}

const MAX_KNOWN = 10_000;

/** An object is a record each time; of a list only what was not in the last answer is new. */
export async function pollJson(input: Input): Promise<void> {
  const { context, spec, ending } = input;
  const { outputTimeout, maxRequestSize, pollEvery } = context.options;
  const pump = createLivePump(input);
  let known = new Set<string>();
  await pollAgain(input, pollEvery, async () => {
    const signal = AbortSignal.any([ending, AbortSignal.timeout(outputTimeout)]);
    const response = await fetch(spec.target, { signal, headers: { accept: "application/json" }, redirect: "error" });
    if (!response.ok) throw new Error(`status ${response.status}`);
    const text = await textWithin(response, maxRequestSize);
    const lines = linesIn(text);
    const isList = text.trimStart().startsWith("[");
    await pump.pushLines(isList ? lines.filter((line) => !known.has(line)) : lines);
    known = new Set(isList ? lines.slice(-MAX_KNOWN) : []);
  });
  await pump.end();
}

async function textWithin(response: Response, maxBytes: number): Promise<string> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of response.body ?? []) {
    size += piece.length;
    if (size > maxBytes) throw new Error(`expected an answer of at most ${maxBytes} bytes, got more`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}

/** Runs a command, and again when it has ended; what it writes is lines. */
export async function runCommand(input: Input): Promise<void> {
  const pump = createLivePump(input);
  await pollAgain(input, input.context.options.pollEvery, () => runOnce(input, pump));
  await pump.end();
}

async function runOnce({ spec, ending }: Input, pump: LivePump): Promise<void> {
  // No shell: words are separated by spaces.
  const [program = "", ...args] = spec.target.split(/\s+/);
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  const stop = (): void => void child.kill("SIGTERM");
  ending.addEventListener("abort", stop, { once: true });
  try {
    const exited = new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    exited.catch(() => undefined);
    await readStream(child.stdout, pump, ending);
    const code = await exited;
    if (code !== 0 && !ending.aborted) throw new Error(`expected exit status 0, got ${code}`);
  } finally {
    ending.removeEventListener("abort", stop);
  }
}
