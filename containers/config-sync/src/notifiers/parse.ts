import { open, utimes } from "node:fs/promises";
// From `signal:HUP:nginx` to a notifier.
import { constants } from "node:os";

import type { Host } from "@outrigger/runtime";

import { runCommand } from "../command.ts";
import type { Environment } from "../deps.ts";
import { signalTarget } from "../processes.ts";
import type { Target } from "../processes.ts";
import { parseCommand, parseUrl, problem, splitScheme, value } from "../written.ts";
import type { Parsed } from "../written.ts";
import type { Notifier } from "./notifier.ts";
import { createWebhook } from "./webhook.ts";
import type { WebhookSettings } from "./webhook.ts";

export type NotifierSettings = WebhookSettings & {
  readonly env: Environment;
  readonly host: Host;
};

export function parseNotifier(text: string, settings: NotifierSettings): Parsed<Notifier> {
  const [scheme, rest] = splitScheme(text);
  if (scheme === "http" || scheme === "https") {
    const url = parseUrl(text);
    return url.problem === undefined ? value(createWebhook(url.value, settings)) : url;
  }
  if (scheme === "exec") {
    const words = parseCommand(rest);
    return words.problem === undefined ? value(createCommand(words.value, settings)) : words;
  }
  if (scheme === "touch" && rest.startsWith("/")) return value(createTouch(rest));
  if (scheme === "signal") return parseSignal(rest, settings);
  return problem("http://..., signal:NAME:PROCESS, exec:COMMAND or touch:/FILE", text);
}

const createCommand = (words: readonly string[], { env, timeoutMs }: NotifierSettings): Notifier => ({
  name: `exec:${words[0]}`,
  notify: async (announcement) => {
    const variables = {
      CONFIG_SYNC_JOB: announcement.job,
      CONFIG_SYNC_REVISION: announcement.revision,
      CONFIG_SYNC_PREVIOUS: announcement.previous ?? "",
      CONFIG_SYNC_OUTPUT: announcement.output ?? "",
      CONFIG_SYNC_REASON: announcement.reason,
    };
    const { output: cwd } = announcement;
    await runCommand(words, { ...(cwd === undefined ? {} : { cwd }), env: { ...env, ...variables }, timeoutMs });
  },
});

const createTouch = (path: string): Notifier => ({
  name: `touch:${path}`,
  notify: async () => {
    await (await open(path, "a")).close();
    const now = new Date();
    await utimes(path, now, now);
  },
});

const SIGNAL_FORM = "signal:NAME:PROCESS, signal:NAME:command:TEXT or signal:NAME:file:/PATH with a signal such as HUP";

function parseSignal(text: string, { host }: NotifierSettings): Parsed<Notifier> {
  const [written, rest] = splitScheme(text);
  const signal = (written.startsWith("SIG") ? written : `SIG${written}`) as NodeJS.Signals;
  const target = parseTarget(rest);
  if (!Object.hasOwn(constants.signals, signal) || target === undefined) return problem(SIGNAL_FORM, `signal:${text}`);
  return value({
    name: `signal:${text}`,
    notify: async () => void (await signalTarget(target, signal, host)),
  });
}

function parseTarget(text: string): Target | undefined {
  const [by, rest] = splitScheme(text);
  if (by === "command" && rest !== "") return { by, text: rest };
  if (by === "file" && rest.startsWith("/")) return { by, path: rest };
  return rest === "" && /^[^\s/]+$/.test(text) ? { by: "name", name: text } : undefined;
}
