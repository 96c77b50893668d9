import { readFile } from "node:fs/promises";
// Keys of etcd, version 3, through its JSON gateway. All keys are read at one revision; a watch only says when to look.
import { request as requestHttp } from "node:http";
import type { IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";

import { LimitError, readBounded } from "@outrigger/files";
import type { FileEntry, FileSet } from "@outrigger/files";

import { pause } from "../attempts.ts";
import { fetchUrl } from "../http.ts";
import { parseUrl, problem, value } from "../written.ts";
import type { Parsed } from "../written.ts";
import { parseSettings } from "./settings-text.ts";
import type { Source, SourceFactory, SourceSettings } from "./source.ts";

const SETTINGS = ["tls", "ca", "username", "password"] as const;
const DEFAULT_PORT = "2379";

type Etcd = {
  readonly name: string;
  readonly server: URL;
  /** Ends with a slash; empty for all keys. */
  readonly prefix: string;
  readonly caFile: string | undefined;
  readonly username: string | undefined;
  readonly passwordFile: string | undefined;
};

/** `etcd://host:2379/prefix?tls=true`. */
export function parseEtcdSource(text: string): Parsed<SourceFactory> {
  const [address = "", ...rest] = text.split("?");
  const url = parseUrl(address, ["etcd:"]);
  if (url.problem !== undefined) return url;
  const settings = parseSettings(rest.join("?"), SETTINGS);
  if (settings.problem !== undefined) return settings;
  const { tls = "false", ca, username, password } = settings.value;
  if (tls !== "true" && tls !== "false") return problem("tls=true or tls=false", tls);
  if ((username === undefined) !== (password === undefined))
    return problem("username and password together", "one of them");
  const { hostname, port, pathname } = url.value;
  const path = decodeURIComponent(pathname).replace(/\/+$/, "");
  const etcd: Etcd = {
    name: address,
    server: new URL(`${tls === "true" ? "https" : "http"}://${hostname}:${port === "" ? DEFAULT_PORT : port}`),
    prefix: path === "" ? "" : `${path}/`,
    caFile: ca,
    username,
    passwordFile: password,
  };
  return value((given) => createEtcdSource(etcd, given));
}

const TIMEOUT_MS = 30_000;
const MAX_CREDENTIALS_BYTES = 16 * 1024;
const base64 = (text: string | Buffer): string => Buffer.from(text).toString("base64");

/** The keys that begin so: from the first of them to the first that comes after all of them. */
function rangeOf(prefix: string): { key: string; range_end: string } {
  if (prefix === "") return { key: base64("\0"), range_end: base64("\0") };
  const end = Buffer.from(prefix);
  end[end.length - 1]! += 1;
  return { key: base64(prefix), range_end: base64(end) };
}

function createEtcdSource(etcd: Etcd, settings: SourceSettings): Source {
  const ended = new AbortController();
  let watching: Promise<void> | undefined;
  return {
    name: etcd.name,
    fetch: async () => {
      // Watched first and read then: what changes in between brings a hint.
      if (settings.isWatched) watching ??= watchForEver(etcd, settings, ended.signal);
      return readKeys(etcd, settings, ended.signal);
    },
    close: async () => {
      ended.abort();
      await watching;
    },
  };
}

async function ask(
  etcd: Etcd,
  path: string,
  body: object,
  { maxBytes, signal }: { maxBytes: number; signal: AbortSignal },
) {
  const response = await fetchUrl(new URL(path, etcd.server), {
    method: "POST",
    headers: { "content-type": "application/json", ...(await authorizationOf(etcd, path, signal)) },
    body: JSON.stringify(body),
    timeoutMs: TIMEOUT_MS,
    maxBytes,
    caFile: etcd.caFile,
    signal,
  });
  const text = response.body.toString();
  if (response.status !== 200)
    throw new Error(`${etcd.name}: expected status 200, got ${response.status} ${text.slice(0, 300)}`);
  return JSON.parse(text) as Record<string, unknown>;
}

const AUTHENTICATE = "/v3/auth/authenticate";

/** A token for each request: it may have ended since the last one. */
async function authorizationOf(etcd: Etcd, path: string, signal: AbortSignal): Promise<Record<string, string>> {
  const { username, passwordFile } = etcd;
  if (username === undefined || passwordFile === undefined || path === AUTHENTICATE) return {};
  const password = (await readBounded(passwordFile, MAX_CREDENTIALS_BYTES)).toString().trim();
  const { token } = await ask(
    etcd,
    AUTHENTICATE,
    { name: username, password },
    { maxBytes: MAX_CREDENTIALS_BYTES, signal },
  );
  return { authorization: String(token) };
}

type Pair = { readonly key: string; readonly value?: string };

async function readKeys(etcd: Etcd, { limits }: SourceSettings, signal: AbortSignal): Promise<FileSet> {
  // Base64 takes a third more, and each key has a few numbers.
  const maxBytes = Math.ceil(limits.maxBytes * 1.4) + limits.maxFiles * 1000;
  const answer = await ask(
    etcd,
    "/v3/kv/range",
    { ...rangeOf(etcd.prefix), limit: limits.maxFiles + 1 },
    { maxBytes, signal },
  );
  const pairs = (answer["kvs"] ?? []) as Pair[];
  if (pairs.length > limits.maxFiles)
    throw new LimitError(`${etcd.name}: expected at most ${limits.maxFiles} keys, got more`, "files");
  return new Map(
    pairs.map(({ key, value = "" }): [string, FileEntry] => {
      const path = Buffer.from(key, "base64").toString().slice(etcd.prefix.length).replace(/^\/+/, "");
      return [path, { content: Buffer.from(value, "base64") }];
    }),
  );
}

const FIRST_BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 30_000;

/** Whatever the watch says is a hint. When it ends it is begun anew, and that is one, too. */
async function watchForEver(etcd: Etcd, { onHint }: SourceSettings, signal: AbortSignal): Promise<void> {
  for (let failures = 0; !signal.aborted; failures++) {
    await watchOnce(etcd, signal, () => {
      failures = 0;
      onHint();
    }).catch(() => undefined);
    await pause(Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(failures, 10)), signal);
    if (!signal.aborted) onHint();
  }
}

async function watchOnce(etcd: Etcd, signal: AbortSignal, onMessage: () => void): Promise<void> {
  const url = new URL("/v3/watch", etcd.server);
  const headers = { "content-type": "application/json", ...(await authorizationOf(etcd, url.pathname, signal)) };
  const ca = etcd.caFile === undefined ? {} : { ca: await readFile(etcd.caFile) };
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const options = { method: "POST", headers, agent: false as const, signal };
  const request =
    url.protocol === "https:" ? requestHttps(url, { ...options, ...ca }, resolve) : requestHttp(url, options, resolve);
  request.on("error", reject).end(JSON.stringify({ create_request: rangeOf(etcd.prefix) }));
  request.on("socket", (socket) => socket.setKeepAlive(true, 15_000));
  const response = await promise;
  if (response.statusCode !== 200) return void response.resume();
  // What it says does not matter, nor where one message ends: everything is read again.
  for await (const _ of response) onMessage();
}
