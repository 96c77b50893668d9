// The flags of configmap-reload: a job without an output, which tells of changes to mounted folders.
import type { CommandWords as Words } from "@outrigger/runtime";

/** Whether they are meant; `webhook-url` alone may be git-sync's, so that is asked for first. */
export const isConfigmapReload = ({ argv }: Words): boolean =>
  argv.some((word) => /^--?(volume-dir|webhook-url)(=|$)/.test(word));

/** Flags by what they are to us, with the text made ours. */
const FLAGS: Readonly<Record<string, (text: string) => string[]>> = {
  "volume-dir": (text) => [`--source=dir:${text}`],
  "webhook-url": (text) => [`--notify=${text}`],
  "webhook-method": (text) => [`--notify-method=${text.toUpperCase()}`],
  "webhook-status-code": (text) => [`--notify-status=${text}`],
  // Theirs are all attempts, and ours those after the first.
  "webhook-retries": (text) => [`--notify-retries=${/^[1-9]\d*$/.test(text) ? Number(text) - 1 : text}`],
  "web.listen-address": (text) => [`--admin-listen=${text.replace(/^:/, "0.0.0.0:")}`],
  // Where ours are; another path is refused by its flag's name.
  "web.telemetry-path": (text) => (text === "/metrics" ? [] : [`--web.telemetry-path=${text}`]),
};
/** What holds where their flags say nothing. */
const DEFAULTS: Readonly<Record<string, string>> = {
  "webhook-status-code": "200",
  "webhook-retries": "1",
  "web.listen-address": ":9533",
};
/** They wait so long between two attempts, and say nothing when they start; an empty folder is a folder to them. */
const ALWAYS = ["--notify-backoff=10s", "--skip-first-notify", "--unsafe-allow-empty"];

export function translateConfigmapReload({ argv, env }: Words): Words {
  const given = new Set<string>();
  const translated: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const [, name = "", text] = /^--?([a-z][a-z.-]*)(?:=(.*))?$/s.exec(argv[at]!) ?? [];
    if (!Object.hasOwn(FLAGS, name)) {
      translated.push(argv[at]!);
      continue;
    }
    given.add(name);
    translated.push(...FLAGS[name]!(text ?? argv[++at] ?? ""));
  }
  const defaults = Object.entries(DEFAULTS).flatMap(([name, text]) => (given.has(name) ? [] : FLAGS[name]!(text)));
  return { argv: [...ALWAYS, ...defaults, ...translated], env };
}
