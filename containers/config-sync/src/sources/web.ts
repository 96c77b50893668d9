import { readBounded } from "@outrigger/files";
import type { FileSet } from "@outrigger/files";
import { duration } from "@outrigger/options";

// Files of an HTTP server: asked for with what is known already, checked before they are believed, and, where the server
// can, told of changes by an answer that waits for them.
import { pause } from "../attempts.ts";
import { FORMATS, unpack } from "../bundles/bundle.ts";
import type { BundleFormat } from "../bundles/bundle.ts";
import { fetchUrl, shownUrl } from "../http.ts";
import type { Response } from "../http.ts";
import { parseUrl, problem, value } from "../written.ts";
import type { Parsed } from "../written.ts";
import { parseSettings } from "./settings-text.ts";
import type { Source, SourceFactory, SourceSettings } from "./source.ts";
import { createCheck, parseTrust } from "./trust.ts";
import type { Check } from "./trust.ts";

const SETTINGS = [
  "format",
  "name",
  "wait",
  "authorization",
  "ca",
  "timeout",
  "sha256",
  "digest",
  "signature",
  "key",
] as const;

type Web = {
  readonly url: URL;
  readonly format: BundleFormat;
  readonly fileName: string;
  readonly waitMs: number;
  readonly timeoutMs: number;
  readonly authorizationFile: string | undefined;
  readonly caFile: string | undefined;
  readonly check: Check;
};

/** `https://host/path#format=tar&sha256=...`. */
export function parseWebSource(text: string): Parsed<SourceFactory> {
  const [address = "", ...rest] = text.split("#");
  const url = parseUrl(address);
  if (url.problem !== undefined) return url;
  const settings = parseSettings(rest.join("#"), SETTINGS);
  if (settings.problem !== undefined) return settings;
  const trust = parseTrust(settings.value);
  if (trust.problem !== undefined) return trust;
  const web = webOf(url.value, settings.value, createCheck(url.value, trust.value));
  return web.problem === undefined ? value((given) => createWebSource(web.value, given)) : web;
}

function webOf(
  url: URL,
  settings: Readonly<Partial<Record<(typeof SETTINGS)[number], string>>>,
  check: Check,
): Parsed<Web> {
  const { format, name, wait = "0", timeout = "30s" } = settings;
  const chosen = format === undefined ? formatOf(url.pathname) : FORMATS.find((known) => known === format);
  const [waitMs, timeoutMs] = [wait, timeout].map((text) => duration().schema.safeParse(text).data);
  const fileName = name ?? url.pathname.split("/").at(-1)!;
  if (chosen === undefined) return problem(`format=${FORMATS.join(" or ")}`, format ?? "");
  if (waitMs === undefined || timeoutMs === undefined)
    return problem(`wait and timeout to be ${duration().form}`, `${wait}, ${timeout}`);
  if (chosen === "file" && fileName === "")
    return problem("a URL that ends with a file's name, or name=NAME", shownUrl(url));
  const files = { authorizationFile: settings.authorization, caFile: settings.ca };
  return value({ url, format: chosen, fileName, waitMs, timeoutMs, ...files, check });
}

function formatOf(path: string): BundleFormat {
  if (/\.(tar|tar\.gz|tgz)$/.test(path)) return "tar";
  return path.endsWith(".zip") ? "zip" : "file";
}

/**
 * What the server has said last, and what it calls it: nothing, if that may have changed again within the same second.
 * Times have no fractions (RFC 9110 section 8.8.2.2), and the ETags of many servers are made of the time and the size.
 */
type Known = { readonly files: FileSet; readonly etag: string | undefined; readonly modified: string | undefined };

function createWebSource(web: Web, settings: SourceSettings): Source {
  const ended = new AbortController();
  const state: { known?: Known } = {};
  const refresh = (waitMs: number): Promise<boolean> => ask(web, settings, { state, waitMs, signal: ended.signal });
  const isWaiting = settings.isWatched && web.waitMs > 0;
  const waiting = isWaiting ? createWaiting(web, settings, { refresh, ended: ended.signal }) : undefined;
  return {
    name: shownUrl(web.url),
    fetch: async () => {
      // What is being waited for says itself when it has changed.
      if (waiting?.isGood() !== true || state.known === undefined) await refresh(0);
      waiting?.begin();
      return state.known!.files;
    },
    close: async () => {
      ended.abort();
      await waiting?.end();
    },
  };
}

type Asking = { readonly state: { known?: Known }; readonly waitMs: number; readonly signal: AbortSignal };

/** Resolves with whether the server has something else than before. */
async function ask(web: Web, { limits }: SourceSettings, { state, waitMs, signal }: Asking): Promise<boolean> {
  const common = {
    headers: await headersOf(web, state.known, waitMs),
    timeoutMs: web.timeoutMs + waitMs,
    maxBytes: limits.maxBytes,
    caFile: web.caFile,
    signal,
  };
  const response = await fetchUrl(web.url, common);
  if (response.status === 304 && state.known !== undefined) return false;
  requireContent(web.url, response);
  const { etag, "last-modified": modified, date, ...rest } = response.headers;
  const { authorization } = common.headers;
  await web.check(response, {
    ...common,
    headers: authorization === undefined ? {} : { authorization },
    timeoutMs: web.timeoutMs,
  });
  // A server that compresses without being asked to is taken at its word.
  if (rest["content-encoding"] !== undefined && rest["content-encoding"] !== "identity")
    throw new Error(`${shownUrl(web.url)}: expected content as it is, got ${rest["content-encoding"]}`);
  const files = await unpack(web.format, response.body, { name: web.fileName, limits });
  const isFresh = modified !== undefined && Date.parse(date ?? "") - Date.parse(modified) < 1000;
  state.known = isFresh ? { files, etag: undefined, modified: undefined } : { files, etag, modified };
  return true;
}

function requireContent(url: URL, { status, body }: Response): void {
  if (status !== 200) throw new Error(`${shownUrl(url)}: expected status 200, got ${status}`);
  if (body.length === 0) throw new Error(`${shownUrl(url)}: expected content, got none`);
}

const MAX_CREDENTIALS_BYTES = 16 * 1024;

async function headersOf(
  { authorizationFile }: Web,
  known: Known | undefined,
  waitMs: number,
): Promise<Record<string, string>> {
  const headers: Record<string, string> = {};
  if (known?.etag !== undefined) headers["if-none-match"] = known.etag;
  else if (known?.modified !== undefined) headers["if-modified-since"] = known.modified;
  if (waitMs > 0) headers["prefer"] = `wait=${Math.ceil(waitMs / 1000)}`;
  if (authorizationFile !== undefined)
    headers["authorization"] = (await readBounded(authorizationFile, MAX_CREDENTIALS_BYTES)).toString().trim();
  return headers;
}

type Waiting = {
  begin(): void;
  /** Whether what is known is as good as an answer just now. */
  isGood(): boolean;
  end(): Promise<void>;
};

/** Asks again and again, each time for an answer that comes when there is a change, or when the time is over. */
function createWaiting(
  web: Web,
  { onHint, rescanMs, heartbeat }: SourceSettings,
  { refresh, ended }: { refresh(waitMs: number): Promise<boolean>; ended: AbortSignal },
): Waiting {
  let running: Promise<void> | undefined;
  let isGood = false;
  const beat = heartbeat(`source ${shownUrl(web.url)}`, web.waitMs + web.timeoutMs + rescanMs);

  async function run(): Promise<void> {
    while (!ended.aborted) {
      const began = performance.now();
      const isChanged = await refresh(web.waitMs).catch(() => undefined);
      beat();
      const wasGood = isGood;
      isGood = isChanged !== undefined;
      if (ended.aborted) return;
      if (isChanged === true || wasGood !== isGood) onHint();
      // Who answers at once that there is nothing new does not wait: then asking now and then has to do.
      if (isChanged !== true && performance.now() - began < web.waitMs / 2) await pause(rescanMs, ended);
    }
  }
  return {
    begin: () => void (running ??= run()),
    isGood: () => isGood,
    end: async () => void (await running),
  };
}
