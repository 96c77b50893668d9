// The words of other programs, for those who swap the image: the variables of k8s-sidecar, the flags and variables of
// git-sync, the flags of configmap-reload. What has no meaning here stays as it is, so that it is refused by its name and not passed over.

import type { CommandWords as Words } from "@outrigger/runtime";

import { isConfigmapReload, translateConfigmapReload } from "./configmap-reload.ts";

/** Our words for theirs; the same words when they are ours already. */
export function translate(words: Words): Words {
  if (isGitSync(words)) return translateGitSync(words);
  if (isConfigmapReload(words)) return translateConfigmapReload(words);
  return isK8sSidecar(words) ? translateK8sSidecar(words) : words;
}

const isSet = (text: string | undefined): text is string => text !== undefined && text !== "";
const isTrue = (text: string | undefined): boolean => /^(true|1|yes)$/i.test(text ?? "");

/** k8s-sidecar has no flags of this kind, and needs these two variables. */
const isK8sSidecar = ({ argv, env }: Words): boolean =>
  argv.length === 0 && isSet(env["LABEL"]) && isSet(env["FOLDER"]) && !isSet(env["CONFIG_SYNC_SOURCE"]);

const LEVELS: Readonly<Record<string, string>> = {
  debug: "debug",
  info: "info",
  warn: "warn",
  warning: "warn",
  error: "error",
  critical: "error",
};
/** Variables whose meaning is another flag with the same text. */
const SAME: Readonly<Record<string, string>> = {
  FOLDER: "--output",
  REQ_URL: "--notify",
  REQ_PAYLOAD: "--notify-body",
  REQ_TIMEOUT: "--notify-timeout",
  REQ_RETRY_TOTAL: "--notify-retries",
  DEFAULT_FILE_MODE: "--file-mode",
};
/** What we have no counterpart for: credentials belong into files, and certificates are always looked at. */
const REFUSED = [
  "REQ_USERNAME",
  "REQ_PASSWORD",
  "REQ_USERNAME_FILE",
  "REQ_PASSWORD_FILE",
  "KUBECONFIG",
  "SKIP_TLS_VERIFY",
  "REQ_SKIP_TLS_VERIFY",
];

function translateK8sSidecar({ env }: Words): Words {
  const argv = ["--layout=flat", "--unsafe-allow-empty", `--notify-method=${env["REQ_METHOD"] ?? "GET"}`];
  for (const source of kubeSources(env)) argv.push(`--source=${source}`);
  for (const [name, flag] of Object.entries(SAME)) if (isSet(env[name])) argv.push(`${flag}=${env[name]}`);
  if (isSet(env["SCRIPT"])) argv.push(`--notify=exec:${env["SCRIPT"]}`);
  if (isTrue(env["REQ_SKIP_INIT"])) argv.push("--skip-first-notify");
  argv.push(...methodFlags(env));
  const level = LEVELS[(env["LOG_LEVEL"] ?? "").toLowerCase()];
  if (level !== undefined) argv.push(`--log-level=${level}`);
  argv.push(`--admin-listen=${hostOf(env["HEALTH_HOST"])}:${env["HEALTH_PORT"] ?? "8080"}`);
  return { argv: [...argv, ...refusedFlags(env)], env };
}

const refusedFlags = (env: Words["env"]): string[] =>
  REFUSED.filter((name) => !/^(false|0|)$/i.test(env[name] ?? "")).map((name) => `--${flagOf(name)}`);

function methodFlags({ METHOD, SLEEP_TIME = "60" }: Words["env"]): string[] {
  if (METHOD === "LIST") return ["--once"];
  return METHOD === "SLEEP" ? [`--interval=${SLEEP_TIME}`] : [];
}

const hostOf = (host: string | undefined): string =>
  !isSet(host) ? "0.0.0.0" : host.includes(":") ? `[${host}]` : host;
const flagOf = (name: string): string => name.toLowerCase().replaceAll("_", "-");

/** One for each kind of object and each namespace, or each object that is named. */
function kubeSources(env: Words["env"]): string[] {
  const {
    LABEL = "",
    LABEL_VALUE,
    RESOURCE = "configmap",
    NAMESPACE,
    RESOURCE_NAME,
    UNIQUE_FILENAMES,
    FOLDER_ANNOTATION,
  } = env;
  const kinds = RESOURCE === "both" ? ["configmap", "secret"] : [RESOURCE];
  const namespaces = isSet(NAMESPACE)
    ? NAMESPACE.split(",").map((name) => (name.trim() === "ALL" ? "*" : name.trim()))
    : [undefined];
  const label = isSet(LABEL_VALUE) ? `${LABEL}=${LABEL_VALUE}` : LABEL;
  const common = {
    "folder-annotation": FOLDER_ANNOTATION ?? "k8s-sidecar-target-directory",
    ...(isTrue(UNIQUE_FILENAMES) ? { unique: "true" } : {}),
  };
  return kinds.flatMap((kind) =>
    namespaces.flatMap((namespace) => {
      const within = namespace === undefined ? common : { ...common, namespace };
      if (!isSet(RESOURCE_NAME)) return [`kube:${kind}?${String(new URLSearchParams({ label, ...within }))}`];
      const settings = String(new URLSearchParams(within));
      return RESOURCE_NAME.split(",").map((name) => `kube:${kind}/${name.trim()}?${settings}`);
    }),
  );
}

const isGitSync = ({ argv, env }: Words): boolean =>
  isSet(env["GITSYNC_REPO"]) || argv.some((word) => /^--?repo(=|$)/.test(word));

/** Their options, by what they are to us: a setting of the source, or a flag. */
const GIT_SETTINGS: Readonly<Record<string, string>> = {
  ref: "ref",
  depth: "depth",
  username: "username",
  "password-file": "token",
  "ssh-key-file": "ssh-key",
  "ssh-known-hosts-file": "known-hosts",
  "sync-timeout": "timeout",
};
const GIT_FLAGS: Readonly<Record<string, string>> = {
  period: "--interval",
  "webhook-method": "--notify-method",
  "webhook-success-status": "--notify-status",
  "webhook-timeout": "--notify-timeout",
  "webhook-backoff": "--notify-backoff",
  "http-bind": "--admin-listen",
};
const GIT_NOTIFIERS: Readonly<Record<string, string>> = {
  "webhook-url": "",
  "exechook-command": "exec:",
  "touch-file": "touch:",
};

function translateGitSync({ argv, env }: Words): Words {
  const { options, others } = readGitSync(argv, env);
  const translated = [...others];
  const settings = new URLSearchParams();
  for (const [name, text] of options) {
    if (Object.hasOwn(GIT_SETTINGS, name)) settings.set(GIT_SETTINGS[name]!, text);
    else if (Object.hasOwn(GIT_FLAGS, name)) translated.push(`${GIT_FLAGS[name]}=${text.replace(/^:/, "0.0.0.0:")}`);
    else if (Object.hasOwn(GIT_NOTIFIERS, name)) translated.push(`--notify=${GIT_NOTIFIERS[name]}${text}`);
    else if (name === "one-time" && isTrue(text)) translated.push("--once");
    else if (!["repo", "root", "link", "one-time"].includes(name)) translated.push(`--${name}=${text}`);
  }
  const repo = options.get("repo") ?? "";
  const link =
    options.get("link") ??
    repo
      .split("/")
      .at(-1)!
      .replace(/\.git$/, "");
  translated.push(`--source=git+${repo}?${String(settings)}`, `--output=${options.get("root") ?? "."}/${link}`);
  if (!options.has("period")) translated.push("--interval=10s");
  return { argv: translated, env };
}

/** Flags win over variables; a flag without a value is true. */
function readGitSync(argv: readonly string[], env: Words["env"]): { options: Map<string, string>; others: string[] } {
  const options = new Map<string, string>();
  const others: string[] = [];
  for (const [name, text] of Object.entries(env)) {
    if (name.startsWith("GITSYNC_") && isSet(text)) options.set(flagOf(name.slice("GITSYNC_".length)), text);
  }
  for (let at = 0; at < argv.length; at++) {
    const [, name, text] = /^--?([a-z][a-z-]*)(?:=(.*))?$/s.exec(argv[at]!) ?? [];
    const next = argv[at + 1];
    if (name === undefined) others.push(argv[at]!);
    else if (text !== undefined) options.set(name, text);
    else if (next !== undefined && !next.startsWith("-")) {
      options.set(name, next);
      at++;
    } else options.set(name, "true");
  }
  return { options, others };
}
