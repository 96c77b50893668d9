// A Kubernetes API server as far as config-sync needs one: lists in pages, watches with bookmarks, versions that are too
// old, and all the ways in which a connection can be bad.
import type { IncomingMessage, ServerResponse } from "node:http";

import type { Cleanup, Listening } from "@outrigger/testing";
import { startApp } from "@outrigger/testing";

export type KubeServer = Listening & {
  readonly url: string;
  /** Creates or replaces an object. */
  put(kind: "configmaps" | "secrets", name: string, data: Readonly<Record<string, string>>, more?: KubeMore): void;
  remove(kind: "configmaps" | "secrets", name: string, namespace?: string): void;
  /** Ends all watches: as a server does, or with an event that says that the version is too old. */
  endWatches(how: "end" | "gone"): void;
  bookmark(): void;
  /** From now on: `silent` answers nothing and tells of nothing, `closing` ends each watch at once, `gone` answers it with 410. */
  become(mode: "good" | "silent" | "closing" | "gone" | "forbidden"): void;
  readonly lists: number;
  readonly watches: number;
  readonly tokens: readonly string[];
};
export type KubeMore = {
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
};

type Stored = {
  readonly kind: string;
  readonly body: {
    readonly metadata: {
      readonly name: string;
      readonly namespace: string;
      readonly resourceVersion: string;
      readonly labels: Readonly<Record<string, string>>;
      readonly annotations?: object;
    };
    readonly data: object;
  };
};
type Filter = (stored: Stored) => boolean;
type Watch = { readonly filter: Filter; readonly response: ServerResponse };

type State = {
  readonly objects: Map<string, Stored>;
  readonly log: { version: number; type: string; stored: Stored }[];
  readonly watching: Set<Watch>;
  readonly tokens: string[];
  lists: number;
  watches: number;
  mode: string;
  version: number;
};

export async function startKubeServer(cleanup: Cleanup): Promise<KubeServer> {
  const state: State = {
    objects: new Map(),
    log: [],
    watching: new Set(),
    tokens: [],
    lists: 0,
    watches: 0,
    mode: "good",
    version: 100,
  };
  const app = await startApp((request, response) => answer(state, request, response), { cleanup });
  const more = {
    url: `http://${app.address}`,
    put: ((kind, name, data, given) => put(state, { kind, name, data, ...given })) satisfies KubeServer["put"],
    remove: ((kind, name, namespace = "default") =>
      remove(state, `${kind}/${namespace}/${name}`)) satisfies KubeServer["remove"],
    endWatches: ((how) => endWatches(state, how)) satisfies KubeServer["endWatches"],
    bookmark: () => {
      const metadata = { resourceVersion: String(state.version) };
      for (const entry of state.watching) write(state, entry, "BOOKMARK", { metadata });
    },
    become: ((next) => void (state.mode = next)) satisfies KubeServer["become"],
    tokens: state.tokens,
    get lists() {
      return state.lists;
    },
    get watches() {
      return state.watches;
    },
  };
  return Object.defineProperties(app, Object.getOwnPropertyDescriptors(more)) as unknown as KubeServer;
}

function answer(state: State, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url!, "http://server");
  state.tokens.push(request.headers.authorization ?? "");
  if (state.mode === "silent") return;
  if (state.mode === "forbidden") response.writeHead(403).end('{"reason":"Forbidden"}');
  else if (url.searchParams.get("watch") === "1") watch(state, url, response);
  else list(state, url, response);
}

function list(state: State, url: URL, response: ServerResponse): void {
  state.lists++;
  const all = [...state.objects.values()].filter(filterOf(url));
  const from = Number(url.searchParams.get("continue") ?? 0);
  const to = from + Number(url.searchParams.get("limit"));
  const next = to < all.length ? { continue: String(to) } : {};
  const items = all.slice(from, to).map(({ body }) => body);
  response.end(JSON.stringify({ metadata: { resourceVersion: String(state.version), ...next }, items }));
}

function watch(state: State, url: URL, response: ServerResponse): void {
  state.watches++;
  if (state.mode === "closing") return void response.end();
  if (state.mode === "gone") return void response.writeHead(410).end('{"code":410}');
  response.writeHead(200).flushHeaders();
  const entry = { filter: filterOf(url), response };
  const since = Number(url.searchParams.get("resourceVersion"));
  for (const { version, type, stored } of state.log) {
    if (version > since && entry.filter(stored)) write(state, entry, type, stored.body);
  }
  state.watching.add(entry);
  const timer = setTimeout(() => response.end(), Number(url.searchParams.get("timeoutSeconds")) * 1000);
  response.once("close", () => {
    clearTimeout(timer);
    state.watching.delete(entry);
  });
}

function write({ mode }: State, { response }: Watch, type: string, object: object): void {
  if (mode !== "silent" && !response.writableEnded) response.write(`${JSON.stringify({ type, object })}\n`);
}

function tell(state: State, type: string, stored: Stored): void {
  state.log.push({ version: state.version, type, stored });
  for (const entry of state.watching) if (entry.filter(stored)) write(state, entry, type, stored.body);
}

type Given = KubeMore & { readonly kind: string; readonly name: string; readonly data: object };

function put(
  state: State,
  { kind, name, data, namespace = "default", labels = {}, annotations, binaryData }: Given,
): void {
  state.version++;
  const key = `${kind}/${namespace}/${name}`;
  const noted = annotations === undefined ? {} : { annotations };
  const metadata = { name, namespace, resourceVersion: String(state.version), labels, ...noted };
  const stored = { kind, body: { metadata, data, ...(binaryData === undefined ? {} : { binaryData }) } };
  const type = state.objects.has(key) ? "MODIFIED" : "ADDED";
  state.objects.set(key, stored);
  tell(state, type, stored);
}

function remove(state: State, key: string): void {
  state.version++;
  const { kind, body } = state.objects.get(key)!;
  state.objects.delete(key);
  const metadata = { ...body.metadata, resourceVersion: String(state.version) };
  tell(state, "DELETED", { kind, body: { ...body, metadata } });
}

function endWatches(state: State, how: "end" | "gone"): void {
  for (const entry of state.watching) {
    if (how === "gone")
      write(state, entry, "ERROR", { kind: "Status", code: 410, message: "too old resource version" });
    entry.response.end();
  }
}

/** What a request is about: kind and namespace by its path, and its selectors. */
function filterOf(url: URL): Filter {
  const [, namespace, kind] = /^\/api\/v1(?:\/namespaces\/([^/]+))?\/(configmaps|secrets)$/.exec(url.pathname) ?? [];
  const [, name] = /^metadata\.name=(.*)$/.exec(url.searchParams.get("fieldSelector") ?? "") ?? [];
  const [label, text] = (url.searchParams.get("labelSelector") ?? "").split("=");
  return (stored) => {
    const { metadata } = stored.body;
    return (
      stored.kind === kind &&
      (namespace === undefined || metadata.namespace === namespace) &&
      (name === undefined || metadata.name === name) &&
      (label === "" ||
        label === undefined ||
        (text === undefined ? label in metadata.labels : metadata.labels[label] === text))
    );
  };
}
