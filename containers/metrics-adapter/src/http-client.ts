// Asks applications over HTTP: bounded in time and size, over TCP, TLS or a Unix socket.
import { readFileSync } from "node:fs";
import type { IncomingMessage, RequestOptions } from "node:http";
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";

import * as z from "@outrigger/options/zod";

import { defined } from "./defined.ts";

const isHttpUrl = (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
const isUnixUrl = (text: string): boolean => /^unix:\/[^:]+:\/./.test(text);

/** The URL that a source asks: `http://`, `https://`, or `unix:/path/of.sock:/path`. */
export const httpUrl = z
  .string()
  .refine((text) => isHttpUrl(text) || isUnixUrl(text), "http://host/path, https://host/path or unix:/socket:/path");

/** What a source may say of how it asks. Files are read at each scrape, so that they may be changed. */
export const httpSettings = {
  headers: z.record(z.string(), z.string()).default({}),
  username: z.string().optional(),
  passwordFile: z.string().optional(),
  bearerTokenFile: z.string().optional(),
  tls: z
    .strictObject({
      caFile: z.string().optional(),
      certFile: z.string().optional(),
      keyFile: z.string().optional(),
      serverName: z.string().optional(),
      unsafeSkipVerify: z.boolean().default(false),
    })
    .optional(),
};

export type HttpSettings = {
  readonly headers: Readonly<Record<string, string>>;
  readonly username?: string | undefined;
  readonly passwordFile?: string | undefined;
  readonly bearerTokenFile?: string | undefined;
  readonly tls?:
    | {
        readonly caFile?: string | undefined;
        readonly certFile?: string | undefined;
        readonly keyFile?: string | undefined;
        readonly serverName?: string | undefined;
        readonly unsafeSkipVerify: boolean;
      }
    | undefined;
};

export type Question = {
  readonly url: string;
  readonly settings: HttpSettings;
  readonly maxBodySize: number;
  readonly signal: AbortSignal;
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Which statuses are answers; by default 200 to 299. */
  readonly isValid?: (status: number) => boolean;
};

export type Reply = { readonly status: number; readonly contentType: string; readonly body: string };

/** A file's text without its last line break. */
const textOf = (file: string): string => readFileSync(file, "utf8").replace(/\r?\n$/, "");

function tlsOptions({ tls }: HttpSettings): object {
  if (tls === undefined) return {};
  const { caFile, certFile, keyFile, serverName, unsafeSkipVerify } = tls;
  const [ca, cert, key] = [caFile, certFile, keyFile].map((file) => (file === undefined ? undefined : textOf(file)));
  return defined({ rejectUnauthorized: !unsafeSkipVerify, ca, cert, key, servername: serverName });
}

function credentials({ username, passwordFile, bearerTokenFile }: HttpSettings): Record<string, string> {
  if (bearerTokenFile !== undefined) return { authorization: `Bearer ${textOf(bearerTokenFile)}` };
  if (username === undefined) return {};
  const pair = `${username}:${passwordFile === undefined ? "" : textOf(passwordFile)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString("base64")}` };
}

/** Where to connect and what to ask there. */
function targetOf(url: string): { options: RequestOptions; secure: boolean } {
  const unix = /^unix:(\/[^:]+):(\/.*)$/.exec(url);
  if (unix !== null) return { options: { socketPath: unix[1]!, path: unix[2]!, host: "localhost" }, secure: false };
  const { protocol, hostname, port, pathname, search, username, password } = new URL(url);
  const auth = username === "" ? {} : { auth: `${decodeURIComponent(username)}:${decodeURIComponent(password)}` };
  // An IPv6 address stands in brackets in a URL, and without them in a connection.
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  return {
    options: { host, ...(port === "" ? {} : { port }), path: pathname + search, ...auth },
    secure: protocol === "https:",
  };
}

/** Asks once, on a connection of its own. Rejects with what is wrong, the answer's status included. */
export function ask(question: Question): Promise<Reply> {
  const { url, settings, signal, method = "GET", body, headers = {} } = question;
  const { options, secure } = targetOf(url);
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const all = { ...headers, ...settings.headers, ...credentials(settings) };
  const outgoing = (secure ? requestHttps : requestHttp)(
    { ...options, ...(secure ? tlsOptions(settings) : {}), method, headers: all, agent: false, signal },
    (incoming) => void read(incoming, question).then(resolve, reject),
  );
  outgoing.on("error", reject);
  outgoing.end(body);
  return promise;
}

async function read(incoming: IncomingMessage, { maxBodySize, isValid }: Question): Promise<Reply> {
  const status = incoming.statusCode ?? 0;
  const accepted = isValid ?? ((code: number): boolean => code >= 200 && code < 300);
  if (!accepted(status)) {
    incoming.destroy();
    throw new Error(`expected status 2xx, got ${status}`);
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBodySize) {
      incoming.destroy();
      throw new Error(`expected at most ${maxBodySize} bytes, got more`);
    }
    chunks.push(chunk);
  }
  const contentType = incoming.headers["content-type"] ?? "";
  return { status, contentType, body: Buffer.concat(chunks).toString("utf8") };
}
