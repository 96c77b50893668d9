// What the dictionary answers, path by path. A handler sends its answer and says what the log shall tell of it.
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

import type { Level } from "./log.ts";
import type { Statistics } from "./statistics.ts";

export type Visit = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly words: Map<string, string>;
  readonly statistics: Statistics;
};

/** `lookup/apple ~ hit` in the log. */
export type Outcome = { readonly what: string; readonly result: string; readonly level?: Level };

type Handler = (visit: Visit) => Outcome | Promise<Outcome>;

const MAX_WORDS = 500;
const MAX_DEFINITION = 2048;
const MAX_WAIT_MS = 60_000;
const MAX_LINES = 10_000;

function reply({ response }: Visit, status: number, text: string, headers: Record<string, string> = {}): void {
  const length = String(Buffer.byteLength(text));
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8", "Content-Length": length, ...headers });
  response.end(text);
}

/** A whole number in the query, at least 0 and at most `max`. */
function numberIn({ url }: Visit, name: string, fallback: number, max: number): number {
  const value = Number(url.searchParams.get(name) ?? fallback);
  return Number.isFinite(value) ? Math.min(Math.max(Math.trunc(value), 0), max) : fallback;
}

// A path that is no proper percent-encoding throws here, and is logged with a stack trace like any other surprise.
const wordIn = ({ url }: Visit): string => decodeURIComponent(url.pathname.slice("/words/".length)).toLowerCase();

/** `GET /words/<word>`: its definition. */
const lookUp: Handler = (visit) => {
  const word = wordIn(visit);
  const definition = visit.words.get(word);
  if (definition === undefined) visit.statistics.misses++;
  else visit.statistics.hits++;
  if (definition === undefined) reply(visit, 404, "no such word\n");
  else reply(visit, 200, `${definition}\n`);
  const what = `lookup/${encodeURIComponent(word)}`;
  return definition === undefined ? { what, result: "miss", level: "W" } : { what, result: "hit" };
};

/** `GET /words?prefix=`: the words that begin so, one a line. */
const list: Handler = (visit) => {
  const prefix = visit.url.searchParams.get("prefix") ?? "";
  const found = [...visit.words.keys()].filter((word) => word.startsWith(prefix)).sort();
  reply(visit, 200, found.map((word) => `${word}\n`).join(""));
  return { what: `list/${encodeURIComponent(prefix)}`, result: `${found.length} words` };
};

/** The body as text; undefined if it is longer than a definition may be. */
async function readDefinition(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    // The rest is read, and forgotten: the client may only listen once it has said everything.
    if (size <= MAX_DEFINITION) chunks.push(chunk);
  }
  return size <= MAX_DEFINITION ? Buffer.concat(chunks).toString("utf8").trim() : undefined;
}

function refusalOf(
  word: string,
  definition: string | undefined,
  words: Map<string, string>,
): [number, string] | undefined {
  if (!/^[a-z][a-z-]{0,63}$/.test(word)) return [400, "not a word"];
  if (definition === undefined) return [413, "definition too long"];
  if (definition === "") return [400, "no definition"];
  if (words.has(word)) return [409, "already defined"];
  return words.size >= MAX_WORDS ? [507, "dictionary full"] : undefined;
}

/** `POST /words/<word>`: adds it, with the body as its definition. */
const add: Handler = async (visit) => {
  const word = wordIn(visit);
  const definition = await readDefinition(visit.request);
  const refusal = refusalOf(word, definition, visit.words);
  const what = `add/${encodeURIComponent(word).slice(0, 64)}`;
  if (refusal !== undefined) {
    visit.statistics.refused++;
    reply(visit, refusal[0], `${refusal[1]}\n`);
    return { what, result: refusal[1], level: "W" };
  }
  visit.words.set(word, definition!);
  visit.statistics.added++;
  // Old-fashioned: an absolute address, and whoever asks must have come over plain HTTP.
  const location = `http://${visit.request.headers.host ?? "localhost"}/words/${word}`;
  reply(visit, 201, "added\n", { Location: location });
  return { what, result: "added" };
};

/** `GET /stats`: the statistics. */
const stats: Handler = (visit) => {
  const report = `${JSON.stringify(visit.statistics.report(visit.words.size), null, 2)}\n`;
  reply(visit, 200, report, { "Content-Type": "application/json" });
  return { what: "stats", result: "sent", level: "D" };
};

/** `GET /ping`: whether it is there. */
const ping: Handler = (visit) => {
  reply(visit, 200, "pong\n");
  return { what: "ping", result: "pong", level: "D" };
};

/** `GET /slow?ms=`: an answer that takes its time. */
const slow: Handler = async (visit) => {
  const ms = numberIn(visit, "ms", 1000, MAX_WAIT_MS);
  await delay(ms);
  reply(visit, 200, `that took ${ms} ms\n`);
  return { what: "slow", result: "sent" };
};

/** `GET /stream?lines=&ms=`: lines in chunks, one every so many milliseconds. */
const stream: Handler = async (visit) => {
  const lines = numberIn(visit, "lines", 10, MAX_LINES);
  const ms = numberIn(visit, "ms", 100, MAX_WAIT_MS);
  const { response } = visit;
  response.writeHead(200, { "Content-Type": "text/plain; charset=utf-8" });
  for (let line = 1; line <= lines && !response.destroyed; line++) {
    await new Promise<void>((resolve) => response.write(`line ${line} of ${lines}\n`, () => resolve()));
    if (line < lines) await delay(ms);
  }
  const whole = !response.destroyed;
  response.end();
  return whole ? { what: "stream", result: `${lines} lines` } : { what: "stream", result: "cut", level: "W" };
};

/** `GET /whoami`: the request as it arrived here. */
const whoAmI: Handler = (visit) => {
  const { method, url, httpVersion, headers, rawHeaders, socket } = visit.request;
  const raw = rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${rawHeaders[index + 1]}`] : []));
  const peer = `${socket.remoteAddress}:${socket.remotePort}`;
  const report = JSON.stringify({ method, url, httpVersion, peer, headers, raw }, null, 2);
  reply(visit, 200, `${report}\n`, { "Content-Type": "application/json" });
  return { what: "whoami", result: "sent" };
};

/** `GET /`: what there is to ask. */
const greet: Handler = (visit) => {
  reply(visit, 200, `a dictionary; ask it for one of\n${Object.keys(ROUTES).join("\n")}\n`);
  return { what: "greet", result: "sent" };
};

const ROUTES: Readonly<Record<string, Handler>> = {
  "GET /": greet,
  "GET /words/": lookUp,
  "POST /words/": add,
  "GET /words": list,
  "GET /stats": stats,
  "GET /ping": ping,
  "GET /slow": slow,
  "GET /stream": stream,
  "GET /whoami": whoAmI,
};

/** Answers a request by its method and path. */
export const answer: Handler = (visit) => {
  const method = visit.request.method === "HEAD" ? "GET" : visit.request.method;
  const path = visit.url.pathname.startsWith("/words/") ? "/words/" : visit.url.pathname;
  const handler = ROUTES[`${method} ${path}`];
  if (handler !== undefined) return handler(visit);
  reply(visit, 404, "nothing here\n");
  return { what: `${method} ${visit.url.pathname.slice(0, 64)}`, result: "nothing here", level: "W" };
};
