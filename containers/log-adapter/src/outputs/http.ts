// Records in HTTP requests. An answer tells whether they were taken, have to be sent again, or never will be.
import { Agent as HttpAgent, request as requestHttp } from "node:http";
import type { ClientRequest } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

import type { Encoder } from "./encoders.ts";
import type { OutputKind } from "./spec.ts";
import { Later, Refusal } from "./transport.ts";
import type { Transport } from "./transport.ts";

export type HttpSettings = {
  readonly timeoutMs: number;
  readonly compress: boolean;
  readonly headers: Readonly<Record<string, string>>;
  /** The certificates of the authorities to trust, PEM; by default those of the runtime. */
  readonly ca: string | undefined;
};

type Answer = { readonly status: number; readonly retryAfter: string | undefined; readonly text: string };

const MAX_ANSWER = 4 * 1024 * 1024;
const ITEMS_AGAIN_MS = 1000;
const MAX_WAIT_MS = 5 * 60_000;
const compress = promisify(gzip);

export function createHttpTransport(url: URL, kind: OutputKind, encoder: Encoder, settings: HttpSettings): Transport {
  const { post, close } = createPoster(url, encoder.contentType, settings);
  return {
    send: async (text) => {
      // Each record brings what stands between it and the one before.
      const answer = await post(`${encoder.before}${text.slice(encoder.between.length)}${encoder.after}`);
      refuseUnlessTaken(answer);
      if (kind === "elasticsearch") return sendRejected(post, text, answer.text);
      return kind === "otlp" ? rejectedIn(answer.text) : 0;
    },
    close,
  };
}

type Post = (text: string) => Promise<Answer>;

function createPoster(
  url: URL,
  contentType: string,
  settings: HttpSettings,
): { post: Post; close: () => Promise<void> } {
  const isSecure = url.protocol === "https:";
  const { ca, timeoutMs } = settings;
  const agent = isSecure
    ? new HttpsAgent({ keepAlive: true, maxSockets: 1, ...(ca === undefined ? {} : { ca }) })
    : new HttpAgent({ keepAlive: true, maxSockets: 1 });
  const post: Post = async (text) => {
    const body = settings.compress ? await compress(text) : Buffer.from(text);
    const headers = {
      ...settings.headers,
      "content-type": contentType,
      "content-length": String(body.length),
      ...(settings.compress ? { "content-encoding": "gzip" } : {}),
    };
    const outgoing = (isSecure ? requestHttps : requestHttp)(url, { method: "POST", agent, headers });
    const late = (): void => void outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`));
    const deadline = setTimeout(late, timeoutMs);
    try {
      outgoing.end(body);
      return await answerTo(outgoing);
    } finally {
      clearTimeout(deadline);
    }
  };
  return { post, close: async () => agent.destroy() };
}

function answerTo(outgoing: ClientRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    outgoing.on("error", reject);
    outgoing.once("response", (incoming) => {
      const pieces: Buffer[] = [];
      let size = 0;
      incoming.once("error", reject);
      incoming.on("data", (piece: Buffer) => {
        size += piece.length;
        if (size > MAX_ANSWER)
          outgoing.destroy(new Error(`expected an answer of at most ${MAX_ANSWER} bytes, got more`));
        else pieces.push(piece);
      });
      incoming.once("end", () => {
        const retryAfter = incoming.headers["retry-after"];
        resolve({ status: incoming.statusCode ?? 0, retryAfter, text: Buffer.concat(pieces).toString("utf8") });
      });
    });
  });
}

/** Elasticsearch answers for each document: those that it had no room for are sent again, the others are refused. */
async function sendRejected(post: Post, text: string, answer: string): Promise<number> {
  const { errors, items = [] } = parseBulk(answer);
  if (errors !== true) return 0;
  const lines = text.split("\n");
  const statuses = items.map((item) => Object.values(item)[0]?.status ?? 0);
  const again = statuses.flatMap((status, i) =>
    isTransient(status) ? [`${lines[2 * i]}\n${lines[2 * i + 1]}\n`] : [],
  );
  const refused = statuses.filter((status) => status >= 300 && !isTransient(status)).length;
  if (again.length === 0) return refused;
  await delay(ITEMS_AGAIN_MS);
  const next = await post(again.join(""));
  refuseUnlessTaken(next);
  return refused + (await sendRejected(post, again.join(""), next.text));
}

const isTransient = (status: number): boolean => status === 408 || status === 429 || status >= 500;

function refuseUnlessTaken({ status, retryAfter, text }: Answer): void {
  if (status >= 200 && status < 300) return;
  const message = `status ${status}: ${text.slice(0, 200).replaceAll(/\s+/g, " ")}`;
  // Credentials may be put right while records wait.
  const mayPass = isTransient(status) || status === 401 || status === 403 || status === 404;
  if (!mayPass) throw new Refusal(message);
  const seconds = Number(retryAfter);
  if (retryAfter !== undefined && seconds >= 0) throw new Later(message, Math.min(seconds * 1000, MAX_WAIT_MS));
  throw new Error(message);
}

type Bulk = { readonly errors?: boolean; readonly items?: readonly Record<string, { readonly status?: number }>[] };

function parseBulk(text: string): Bulk {
  try {
    return JSON.parse(text) as Bulk;
  } catch {
    return {};
  }
}

function rejectedIn(text: string): number {
  try {
    const { partialSuccess } = JSON.parse(text) as { partialSuccess?: { rejectedLogRecords?: string | number } };
    return Number(partialSuccess?.rejectedLogRecords ?? 0);
  } catch {
    return 0;
  }
}
