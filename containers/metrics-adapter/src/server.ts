// The HTTP server that Prometheus scrapes: /metrics for the pod's own application, /probe for others, and a page of links.
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";

import { formatAddress } from "@outrigger/options";
import type { Address } from "@outrigger/options";

import type { Collected } from "./collector.ts";
import { encodePage } from "./exposition/encode.ts";
import { contentTypeOf, negotiate, takesGzip } from "./exposition/negotiate.ts";
import type { ReportLeftOut } from "./exposition/page.ts";

/** What a path answers: a page of metrics, or text. */
export type Answer =
  | { readonly collected: Collected }
  | { readonly status: number; readonly text: string; readonly contentType?: string };

export type ExpositionSettings = {
  /** Answers a GET; `timeoutMs` is what there is for it. */
  answer(path: string, query: URLSearchParams, timeoutMs: number): Promise<Answer>;
  readonly scrapeTimeout: number;
  readonly scrapeTimeoutOffset: number;
  readonly maxScrapes: number;
  readonly report: ReportLeftOut;
  onAnswered(path: string, status: number, seconds: number): void;
  readonly draining: AbortSignal;
};

export type ExpositionServer = {
  /** Binds; resolves with the address as bound, rejects when it is taken. */
  listen(address: Address): Promise<Address>;
  /** Accepts no more; resolves when nothing is in flight. */
  drain(): Promise<void>;
  close(): Promise<void>;
};

const TIMEOUT_HEADER = "x-prometheus-scrape-timeout-seconds";
/** The least that a scrape gets, whatever the header says. */
const LEAST_MS = 50;

/** The time that a scraper allows, less what the way back takes. */
export function timeoutOf(
  header: string | undefined,
  given: { scrapeTimeout: number; scrapeTimeoutOffset: number },
): number {
  const seconds = Number(header);
  const asked = header !== undefined && Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : given.scrapeTimeout;
  return Math.max(LEAST_MS, asked - given.scrapeTimeoutOffset);
}

export function createExpositionServer(settings: ExpositionSettings): ExpositionServer {
  let active = 0;
  let bound = false;
  const server = createServer((request, response) => {
    active++;
    response.once("close", () => active--);
    void serve(request, response).catch(() => response.destroy());
  });
  // A scraper sends a short head and no body; who is slower than that is none.
  server.headersTimeout = 10_000;
  server.requestTimeout = 20_000;
  const closed = new Promise<void>((resolve) => void server.once("close", resolve));

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const began = performance.now();
    const [path = "/", query = ""] = (request.url ?? "/").split("?", 2);
    request.resume();
    if (settings.draining.aborted) response.setHeader("connection", "close");
    const answer = await answerTo(request, path, new URLSearchParams(query));
    if ("collected" in answer) await sendPage(request, response, answer.collected, settings.report);
    else sendText(request, response, answer);
    settings.onAnswered(path, response.statusCode, (performance.now() - began) / 1000);
  }

  async function answerTo(request: IncomingMessage, path: string, query: URLSearchParams): Promise<Answer> {
    if (request.method !== "GET" && request.method !== "HEAD") return { status: 405, text: "expected GET\n" };
    if (active > settings.maxScrapes) return { status: 503, text: "too many scrapes at a time\n" };
    return settings.answer(path, query, timeoutOf(request.headers[TIMEOUT_HEADER]?.toString(), settings));
  }

  return {
    listen: async (address) => {
      const at = await bind(server, address);
      bound = true;
      return at;
    },
    drain: async () => {
      server.close();
      server.closeIdleConnections();
      await closed;
    },
    close: async () => {
      if (!bound) return;
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function bind(server: Server, address: Address): Promise<Address> {
  const { promise, resolve, reject } = Promise.withResolvers<Address>();
  server.once("error", (error: NodeJS.ErrnoException) => {
    const written = formatAddress(address);
    reject(new Error(`--listen: expected a free address, got ${written} (${error.code ?? error.message})`));
  });
  server.listen(address, () => {
    const at = server.address();
    resolve(typeof at === "object" && at !== null ? { host: at.address, port: at.port } : address);
  });
  return promise;
}

type TextAnswer = Exclude<Answer, { readonly collected: Collected }>;

function sendText(request: IncomingMessage, response: ServerResponse, { status, text, contentType }: TextAnswer): void {
  const type = contentType ?? "text/plain; charset=utf-8";
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(text) });
  response.end(request.method === "HEAD" ? undefined : text);
}

async function sendPage(
  request: IncomingMessage,
  response: ServerResponse,
  { families }: Collected,
  report: ReportLeftOut,
): Promise<void> {
  const format = negotiate(request.headers.accept);
  const gzip = takesGzip(request.headers["accept-encoding"]?.toString());
  response.setHeader("content-type", contentTypeOf(format));
  response.setHeader("vary", "accept, accept-encoding");
  if (gzip) response.setHeader("content-encoding", "gzip");
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  const page = Readable.from(encodePage(families, format, report));
  await (gzip ? pipeline(page, createGzip({ level: 1 }), response) : pipeline(page, response));
}
