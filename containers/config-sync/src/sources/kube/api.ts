// What is needed of the Kubernetes API: list in pages, and watch. The token is read anew for each request, as it is
// replaced every hour.
import { readFile } from "node:fs/promises";
import { request as requestHttp } from "node:http";
import type { IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";

import { readBounded } from "@outrigger/files";

import { fetchUrl, TimeoutError } from "../../http.ts";

export type ApiSettings = {
  /** Such as https://10.0.0.1:443. */
  readonly server: URL;
  readonly tokenFile: string | undefined;
  readonly caFile: string | undefined;
  /** How long one page of a list may take. */
  readonly timeoutMs: number;
};

/** A ConfigMap or a Secret, as far as it matters. */
export type KubeObject = {
  readonly kind?: string;
  readonly metadata?: {
    readonly name?: string;
    readonly namespace?: string;
    readonly resourceVersion?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
};

export type WatchEvent = {
  readonly type: string;
  readonly object: KubeObject & { readonly code?: number; readonly message?: string };
};

/** What is asked for: a path such as /api/v1/namespaces/x/secrets, and selectors. */
export type Query = { readonly path: string; readonly selectors: Readonly<Record<string, string>> };

/** The server's answer was an error; 410 means that the version asked for is too old. */
export class ApiError extends Error {
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

const PAGE = 50;
const MAX_PAGE_BYTES = 64 * 1024 ** 2;
const MAX_LINE_BYTES = 8 * 1024 ** 2;
const MAX_TOKEN_BYTES = 64 * 1024;

async function headersOf({ tokenFile }: ApiSettings): Promise<Record<string, string>> {
  const accept = { accept: "application/json" };
  if (tokenFile === undefined) return accept;
  const token = (await readBounded(tokenFile, MAX_TOKEN_BYTES)).toString().trim();
  return { ...accept, authorization: `Bearer ${token}` };
}

function urlOf({ server }: ApiSettings, { path, selectors }: Query, more: Readonly<Record<string, string>>): URL {
  const url = new URL(path, server);
  for (const [name, value] of Object.entries({ ...selectors, ...more })) url.searchParams.set(name, value);
  return url;
}

/** Gives each object of all pages, and resolves with the version of the list. */
export async function list(
  settings: ApiSettings,
  query: Query,
  { onObject, signal }: { onObject: (object: KubeObject) => void; signal: AbortSignal },
): Promise<string> {
  for (let token: string | undefined = ""; ;) {
    const url = urlOf(settings, query, { limit: String(PAGE), ...(token === "" ? {} : { continue: token }) });
    const { timeoutMs, caFile } = settings;
    const headers = await headersOf(settings);
    const { status, body } = await fetchUrl(url, { headers, timeoutMs, caFile, signal, maxBytes: MAX_PAGE_BYTES });
    if (status !== 200) throw errorOf(url, status, body);
    const page = JSON.parse(body.toString()) as {
      items?: KubeObject[] | null;
      metadata?: { resourceVersion?: string; continue?: string };
    };
    for (const object of page.items ?? []) onObject(object);
    token = page.metadata?.continue;
    if (token === undefined || token === "") return page.metadata?.resourceVersion ?? "";
  }
}

function errorOf(url: URL, status: number, body: Buffer): ApiError {
  const said = body.toString().slice(0, 300).replaceAll(/\s+/g, " ");
  const hint = status === 401 || status === 403 ? "; the pod's service account needs get, list and watch" : "";
  return new ApiError(`${url.origin}${url.pathname}: expected status 200, got ${status} ${said}${hint}`, status);
}

export type Watching = {
  readonly version: string;
  /** The server ends the watch by itself after this time, */
  readonly serverMs: number;
  /** and whoever says nothing for this time is not there any more. */
  readonly silenceMs: number;
  readonly signal: AbortSignal;
  onEvent(event: WatchEvent): void;
};

/** Resolves when the server has ended the watch; rejects with an ApiError, a TimeoutError or the connection's error. */
export async function watch(settings: ApiSettings, query: Query, watching: Watching): Promise<void> {
  const { version, serverMs, silenceMs, signal, onEvent } = watching;
  const url = urlOf(settings, query, {
    watch: "1",
    allowWatchBookmarks: "true",
    resourceVersion: version,
    timeoutSeconds: String(Math.ceil(serverMs / 1000)),
  });
  const abort = new AbortController();
  const silence = setTimeout(
    () =>
      abort.abort(
        new TimeoutError(
          `${url.origin}${url.pathname}: expected to hear of the watch within ${silenceMs} ms, got nothing`,
        ),
      ),
    silenceMs,
  );
  try {
    const response = await open(url, settings, AbortSignal.any([abort.signal, signal]));
    silence.refresh();
    if (response.statusCode !== 200) throw errorOf(url, response.statusCode ?? 0, await bodyOf(response));
    for await (const line of linesOf(response)) {
      silence.refresh();
      const event = JSON.parse(line) as WatchEvent;
      if (event.type === "ERROR")
        throw new ApiError(
          `${url.pathname}: expected events, got ${event.object.message ?? "an error"}`,
          event.object.code ?? 0,
        );
      onEvent(event);
    }
  } catch (error) {
    throw abort.signal.aborted ? abort.signal.reason : error;
  } finally {
    clearTimeout(silence);
    abort.abort();
  }
}

async function open(url: URL, settings: ApiSettings, signal: AbortSignal): Promise<IncomingMessage> {
  const headers = await headersOf(settings);
  const ca = settings.caFile === undefined ? {} : { ca: await readFile(settings.caFile) };
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const options = { headers, agent: false as const, signal };
  const request =
    url.protocol === "https:" ? requestHttps(url, { ...options, ...ca }, resolve) : requestHttp(url, options, resolve);
  request.on("error", reject).end();
  // The kernel finds out about a peer that is gone, too.
  request.on("socket", (socket) => socket.setKeepAlive(true, 15_000));
  return promise;
}

async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_TOKEN_BYTES) break;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function* linesOf(response: IncomingMessage): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    let from = 0;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
      const line = Buffer.concat([...parts, chunk.subarray(from, at)]).toString();
      [parts, size, from] = [[], 0, at + 1];
      if (line.trim() !== "") yield line;
    }
    parts.push(chunk.subarray(from));
    size += chunk.length - from;
    if (size > MAX_LINE_BYTES) throw new Error(`watch: expected events of at most ${MAX_LINE_BYTES} bytes, got more`);
  }
}
