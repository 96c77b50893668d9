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
      if (ending.aborted) return;
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

/** How long a command may take to end when it is asked to. */
const KILL_AFTER_MS = 5000;
const NEVER = new AbortController().signal;

/** Runs a command, and again when it has ended; what it writes is lines. */
export async function runCommand(input: Input): Promise<void> {
  // Each of its two streams by itself, so that they do not mix.
  const pumps = { stdout: createLivePump(input), stderr: createLivePump(input) };
  await pollAgain(input, input.context.options.pollEvery, () => runOnce(input, pumps));
  await Promise.all([pumps.stdout.end(), pumps.stderr.end()]);
}

/** Words between spaces; quotation marks of either kind keep spaces within. There is no shell. */
export const wordsOf = (command: string): string[] =>
  [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, plain]) => double ?? single ?? plain ?? "",
  );

type Pumps = { readonly stdout: LivePump; readonly stderr: LivePump };

async function runOnce({ spec, ending }: Input, pumps: Pumps): Promise<void> {
  const [program = "", ...args] = wordsOf(spec.target);
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  // Asked to end, it has its say until it has ended.
  let killer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    child.kill("SIGTERM");
    killer = setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
  };
  ending.addEventListener("abort", stop, { once: true });
  try {
    const exited = new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    exited.catch(() => undefined);
    await Promise.all([readStream(child.stdout, pumps.stdout, NEVER), readStream(child.stderr, pumps.stderr, NEVER)]);
    const code = await exited;
    if (code !== 0 && !ending.aborted) throw new Error(`expected exit status 0, got ${code}`);
  } finally {
    clearTimeout(killer);
    ending.removeEventListener("abort", stop);
  }
}
