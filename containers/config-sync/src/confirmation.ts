// Whether the application has taken a revision: a URL or a command is asked until it says so, or the time is over.
import type { FileSet } from "@outrigger/files";

import { runCommand } from "./command.ts";
import type { Environment } from "./deps.ts";
import { fetchUrl } from "./http.ts";
import { parseCommand, parseUrl, problem, value } from "./written.ts";
import type { Parsed } from "./written.ts";

export type Confirmation = {
  /** Resolves with undefined once it is confirmed, or with the reason why it is not when the time is over. */
  ask(revision: string, files: FileSet): Promise<string | undefined>;
};

export type ConfirmationSettings = {
  readonly env: Environment;
  /** Of one question, and of all together. */
  readonly questionMs: number;
  readonly timeoutMs: number;
  readonly text: string | undefined;
  readonly signal: AbortSignal;
};

/** How long to wait between two questions. */
const PAUSE_MS = 250;
const MAX_ANSWER_BYTES = 1024 ** 2;

type Ask = (revision: string, expected: string | undefined, timeoutMs: number) => Promise<void>;

export function parseConfirmation(written: string, settings: ConfirmationSettings): Parsed<Confirmation> {
  if (/^https?:/.test(written)) {
    const url = parseUrl(written);
    return url.problem === undefined ? value(createConfirmation(askUrl(url.value), settings)) : url;
  }
  if (!written.startsWith("exec:")) return problem("http://... or exec:COMMAND", written);
  const words = parseCommand(written.slice("exec:".length));
  return words.problem === undefined ? value(createConfirmation(askCommand(words.value, settings), settings)) : words;
}

const askUrl =
  (url: URL): Ask =>
  async (_, expected, timeoutMs) => {
    const { status, body } = await fetchUrl(url, { timeoutMs, maxBytes: MAX_ANSWER_BYTES });
    if (status < 200 || status > 299) throw new Error(`expected 2xx, got ${status}`);
    requireText(body.toString(), expected);
  };

const askCommand =
  (words: readonly string[], { env }: ConfirmationSettings): Ask =>
  async (revision, expected, timeoutMs) =>
    requireText(await runCommand(words, { env: { ...env, CONFIG_SYNC_REVISION: revision }, timeoutMs }), expected);

function requireText(answer: string, expected: string | undefined): void {
  if (expected !== undefined && !answer.includes(expected))
    throw new Error(
      `expected an answer that contains ${JSON.stringify(expected)}, got ${JSON.stringify(answer.slice(0, 200))}`,
    );
}

function createConfirmation(ask: Ask, { questionMs, timeoutMs, text, signal }: ConfirmationSettings): Confirmation {
  return {
    ask: async (revision, files) => {
      const expected = text === undefined ? undefined : expand(text, revision, files);
      const end = performance.now() + timeoutMs;
      for (;;) {
        const left = Math.max(1, Math.min(questionMs, end - performance.now()));
        const reason = await ask(revision, expected, left).then(
          () => undefined,
          (error: Error) => error.message,
        );
        if (reason === undefined) return undefined;
        if (signal.aborted) throw new Error("confirmation: expected to be finished, got the end of the container");
        if (performance.now() + PAUSE_MS >= end) return reason;
        await new Promise((resolve) => void setTimeout(resolve, PAUSE_MS));
      }
    },
  };
}

/** `{revision}` and `{file:NAME}`, the latter without white space around it. */
const expand = (text: string, revision: string, files: FileSet): string =>
  text.replaceAll(/\{revision\}|\{file:([^{}]+)\}/g, (_, name?: string) =>
    name === undefined ? revision : (files.get(name)?.content.toString().trim() ?? ""),
  );
