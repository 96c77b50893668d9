// ConfigMaps and Secrets by name or by label, through the API of Kubernetes.
import { readFileSync } from "node:fs";

import { duration } from "@outrigger/options";

import type { Environment } from "../../deps.ts";
import type { Layer } from "../../merge.ts";
import { parseUrl, problem, value } from "../../written.ts";
import type { Parsed } from "../../written.ts";
import { parseSettings } from "../settings-text.ts";
import type { Source, SourceFactory, SourceSettings } from "../source.ts";
import type { ApiSettings, Query } from "./api.ts";
import { createReflector } from "./reflector.ts";
import type { StoreSettings } from "./store.ts";
import { createStore } from "./store.ts";

const SETTINGS = [
  "label",
  "namespace",
  "unique",
  "folder-annotation",
  "server",
  "token",
  "ca",
  "watch-timeout",
  "timeout",
] as const;
const ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";
const FORM = "kube:configmap/NAME, kube:secret/NAME, kube:configmap?label=SELECTOR or kube:secret?label=SELECTOR";
const NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;
/** Between the server's end of a watch and our own: the pair that has proved itself is 60 and 66 s. */
const SLACK = 1.1;

type Settings = Readonly<Partial<Record<(typeof SETTINGS)[number], string>>>;
type Kube = {
  readonly name: string;
  readonly kind: "configmap" | "secret";
  readonly object: string | undefined;
  readonly settings: Settings;
  readonly watchMs: number;
  readonly timeoutMs: number;
};

/** `kube:configmap?label=app=x&namespace=y`. */
export function parseKubeSource(text: string, env: Environment): Parsed<SourceFactory> {
  const [, kind, object, written = ""] = /^kube:(configmap|secret)(?:\/([^?]*))?(?:\?(.*))?$/.exec(text) ?? [];
  if (kind !== "configmap" && kind !== "secret") return problem(FORM, text);
  const settings = parseSettings(written, SETTINGS);
  if (settings.problem !== undefined) return settings;
  const { label } = settings.value;
  const isOne = object === undefined ? label !== undefined : label === undefined && NAME.test(object);
  if (!isOne) return problem(FORM, text);
  const times = parseTimes(settings.value);
  if (times.problem !== undefined) return times;
  const where = problemOfPlace(settings.value);
  if (where !== undefined) return where;
  const name = label === undefined ? `kube:${kind}/${object}` : `kube:${kind}?label=${label}`;
  const kube = { name, kind, object, settings: settings.value, ...times.value } as const;
  return value((given) => createKubeSource(kube, env, given));
}

function parseTimes(settings: Settings): Parsed<{ watchMs: number; timeoutMs: number }> {
  const written = [settings["watch-timeout"] ?? "60s", settings.timeout ?? "30s"];
  const [watchMs, timeoutMs] = written.map((text) => duration({ positive: true }).schema.safeParse(text).data);
  if (watchMs !== undefined && timeoutMs !== undefined) return value({ watchMs, timeoutMs });
  return problem(`watch-timeout and timeout to be ${duration({ positive: true }).form}`, written.join(", "));
}

function problemOfPlace({ namespace, server }: Settings): { problem: string } | undefined {
  if (namespace !== undefined && namespace !== "*" && !NAME.test(namespace))
    return problem("the name of a namespace, or *", namespace);
  const url = server === undefined ? undefined : parseUrl(server);
  return url?.problem === undefined ? undefined : { problem: url.problem };
}

/** The server and the credentials: those of the pod, unless the settings say otherwise. */
function apiOf({ settings, timeoutMs }: Kube, env: Environment): ApiSettings {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = "443" } = env;
  if (settings.server !== undefined)
    return { server: new URL(settings.server), tokenFile: settings.token, caFile: settings.ca, timeoutMs };
  if (host === undefined)
    throw new Error("kube: expected to run in a pod (KUBERNETES_SERVICE_HOST), or server=URL, got neither");
  const server = new URL(`https://${host.includes(":") ? `[${host}]` : host}:${port}`);
  const { token = `${ACCOUNT}/token`, ca = `${ACCOUNT}/ca.crt` } = settings;
  return { server, tokenFile: token, caFile: ca, timeoutMs };
}

function queryOf({ kind, object, settings }: Kube): Query {
  const namespace = settings.namespace ?? ownNamespace();
  const within = namespace === "*" ? "" : `/namespaces/${namespace}`;
  // By name, too, it is a list: so a role may be narrowed to resourceNames and the object may come and go.
  const selectors: Record<string, string> =
    object === undefined ? { labelSelector: settings.label! } : { fieldSelector: `metadata.name=${object}` };
  return { path: `/api/v1${within}/${kind}s`, selectors };
}

function ownNamespace(): string {
  try {
    return readFileSync(`${ACCOUNT}/namespace`, "utf8").trim();
  } catch {
    return "default";
  }
}

function createKubeSource(kube: Kube, env: Environment, { onHint, isWatched, heartbeat }: SourceSettings): Source {
  const { kind, settings, watchMs } = kube;
  const ended = new AbortController();
  const storeSettings: StoreSettings = {
    kind,
    isUnique: settings.unique === "true",
    folderAnnotation: settings["folder-annotation"],
  };
  const store = createStore(storeSettings);
  const silenceMs = watchMs * SLACK;
  const reflector = createReflector({
    api: apiOf(kube, env),
    query: queryOf(kube),
    store,
    watchMs,
    silenceMs,
    signal: ended.signal,
    onChange: onHint,
    // A silence is over before the second one ends: three turns of half its length.
    onHeard: isWatched ? heartbeat(`source ${kube.name}`, silenceMs / 2) : () => undefined,
  });
  let running: Promise<void> | undefined;
  return {
    name: kube.name,
    fetch: async (): Promise<readonly Layer[]> => {
      if (running === undefined) await reflector.relist();
      if (isWatched) running ??= reflector.run();
      const problem = reflector.problem();
      if (problem !== undefined) throw problem;
      return store.layers();
    },
    close: async () => {
      ended.abort();
      await running;
    },
  };
}
