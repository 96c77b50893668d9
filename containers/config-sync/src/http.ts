// Requests to others: one connection each, within a time and a size, redirects followed where that is safe.
import { readFile } from "node:fs/promises";
import { request as requestHttp } from "node:http";
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";

export type Response = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Where it came from in the end. */
  readonly url: URL;
};

export type RequestSettings = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly timeoutMs: number;
  readonly maxBytes: number;
  /** A file with the authorities to trust instead of the public ones; read anew for each request. */
  readonly caFile?: string | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** Nothing, or not all, was heard in time. */
export class TimeoutError extends Error {}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const MAX_REDIRECTS = 5;
const SAFE = new Set(["GET", "HEAD"]);

/** Throws when there is no whole answer within the time and the size; any status is an answer. */
export async function fetchUrl(url: URL, settings: RequestSettings): Promise<Response> {
  const { caFile, timeoutMs, signal } = settings;
  const late = AbortSignal.timeout(Math.ceil(timeoutMs));
  const abort = signal === undefined ? late : AbortSignal.any([late, signal]);
  try {
    const ca = caFile === undefined ? undefined : await readFile(caFile);
    return await follow(url, { ...settings, signal: abort }, ca);
  } catch (error) {
    if (late.aborted)
      throw new TimeoutError(`${shownUrl(url)}: expected an answer, got no whole answer within ${timeoutMs} ms`);
    throw new Error(`${shownUrl(url)}: expected an answer, got ${(error as Error).message}`, { cause: error });
  }
}

async function follow(url: URL, settings: RequestSettings, ca: Buffer | undefined): Promise<Response> {
  let target = url;
  let { headers = {} } = settings;
  for (let redirects = 0; ; redirects++) {
    const response = await exchange(target, { ...settings, headers }, ca);
    const { location } = response.headers;
    const isRedirect = REDIRECTS.has(response.status) && SAFE.has(settings.method ?? "GET");
    if (!isRedirect || location === undefined) return response;
    const next = redirectOf(target, location);
    if (redirects === MAX_REDIRECTS || next === undefined)
      throw new Error(`a redirect to ${location}, one of too many or not to a safe place`);
    // Credentials are for whom they were given.
    if (next.origin !== target.origin) headers = withoutCredentials(headers);
    target = next;
  }
}

/** Where a redirect leads; undefined if it must not be followed, as from https to http. */
function redirectOf(from: URL, location: string): URL | undefined {
  const to = URL.canParse(location, from) ? new URL(location, from) : undefined;
  return to?.protocol === "https:" || (to?.protocol === "http:" && from.protocol === "http:") ? to : undefined;
}

const withoutCredentials = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !/^(authorization|cookie)$|token|key/i.test(name)));

/** A URL as logs may show it: its query may hold secrets. */
export const shownUrl = (url: URL): string => `${url.origin}${url.pathname}`;

function exchange(url: URL, settings: RequestSettings, ca: Buffer | undefined): Promise<Response> {
  const { method = "GET", headers = {}, body, signal } = settings;
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const options = { method, headers, agent: false as const, signal };
  const onResponse = (message: IncomingMessage): void => void receive(message, url, settings).then(resolve, reject);
  const request: ClientRequest =
    url.protocol === "https:"
      ? requestHttps(url, { ...options, ...(ca === undefined ? {} : { ca }) }, onResponse)
      : requestHttp(url, options, onResponse);
  request.on("error", reject).end(body);
  return promise;
}

async function receive(message: IncomingMessage, url: URL, { maxBytes }: RequestSettings): Promise<Response> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) {
      message.destroy();
      throw new Error(`more than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  if (!message.complete) throw new Error(`the beginning of an answer only (${size} bytes)`);
  return { status: message.statusCode ?? 0, headers: message.headers, body: Buffer.concat(chunks, size), url };
}
