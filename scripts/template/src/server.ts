// The HTTP server: reads each request within its bounds and answers with what it was asked.
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";

import { formatAddress } from "@outrigger/options";
import type { Address, ValuesOf } from "@outrigger/options";
import type { MetricsOf } from "@outrigger/runtime";

import { echoOf } from "./echo.ts";
import type { metrics as metricTable } from "./metrics.ts";
import type { options } from "./options.ts";

type Metrics = MetricsOf<typeof metricTable>;
type Values = ValuesOf<typeof options>;

export type EchoServer = {
  /** Binds; resolves with the address as bound, rejects when it is taken. */
  listen(address: Address): Promise<Address>;
  /** Accepts no more; resolves when nothing is in flight. */
  drain(): Promise<void>;
  /** Ends everything at once. */
  close(): Promise<void>;
};

/** What a request is refused for, with the status that its client gets. */
const REFUSALS = { too_many: 503, body_too_large: 413, body_timeout: 408 } as const;
type Refusal = keyof typeof REFUSALS;

/** Makes the server; `draining` tells when clients should go elsewhere. */
export function createEchoServer(values: Values, metrics: Metrics, draining: AbortSignal): EchoServer {
  const activeNow = metrics.active.cell({});
  let active = 0;
  let bound = false;
  const server = createServer((request, response) => {
    activeNow.set(++active);
    response.once("close", () => activeNow.set(--active));
    void answer(request, response).catch(() => response.destroy());
  });
  const closed = new Promise<void>((resolve) => void server.once("close", resolve));

  return {
    listen,
    drain: async () => {
      server.close();
      await closed;
    },
    close: async () => {
      if (!bound) return;
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = active > values.maxRequests ? "too_many" : await readBody(request, values);
    if (typeof body === "string") return refuse(response, body);
    const { method = "", url: target = "", headers } = request;
    return send(response, 200, echoOf({ method, target, headers, body }));
  }

  /** The rest of a refused request is not waited for: the connection ends with the answer. */
  function refuse(response: ServerResponse, reason: Refusal): void {
    metrics.refused.inc({ reason });
    response.setHeader("connection", "close");
    send(response, REFUSALS[reason], `${JSON.stringify({ refused: reason })}\n`);
  }

  function send(response: ServerResponse, status: number, text: string): void {
    metrics.requests.inc({ status: `${Math.floor(status / 100)}xx` as "2xx" });
    if (draining.aborted) response.setHeader("connection", "close");
    response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
    response.end(text);
  }

  function listen(address: Address): Promise<Address> {
    const { promise, resolve, reject } = Promise.withResolvers<Address>();
    server.once("error", (error: NodeJS.ErrnoException) => {
      const written = formatAddress(address);
      reject(new Error(`--listen: expected a free address, got ${written} (${error.code ?? error.message})`));
    });
    server.listen(address, () => {
      bound = true;
      const at = server.address();
      resolve(typeof at === "object" && at !== null ? { host: at.address, port: at.port } : address);
    });
    return promise;
  }
}

/** The whole body, or why it is refused. Rejects when the client goes away. */
function readBody(request: IncomingMessage, { maxBodySize, requestTimeout }: Values): Promise<Buffer | Refusal> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer | Refusal>();
  const chunks: Buffer[] = [];
  let size = 0;
  const timer = setTimeout(() => resolve("body_timeout"), requestTimeout);
  request.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxBodySize) resolve("body_too_large");
    else chunks.push(chunk);
  });
  request.once("end", () => resolve(Buffer.concat(chunks)));
  request.once("error", reject);
  request.once("close", () => reject(new Error("the client went away")));
  return promise.finally(() => clearTimeout(timer));
}
