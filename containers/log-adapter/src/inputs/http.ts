// Records in HTTP requests: JSON objects, lists of them, one a line, or plain lines. A request is answered when all outputs
// have taken what it brought, so that whoever sends it knows that it need not be sent again.
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

import { createLivePump, untilEnding } from "./input.ts";
import type { Input } from "./input.ts";
import { listen } from "./listener.ts";

export async function receiveRequests(input: Input): Promise<void> {
  const { context, ending } = input;
  const server = createServer({ requestTimeout: 60_000, keepAliveTimeout: 5000 });
  server.maxConnections = context.options.maxConnections;
  const open = new Set<Promise<void>>();
  server.on("request", (incoming, outgoing) => {
    const answering = answer(input, incoming, outgoing)
      .catch(() => void outgoing.destroy())
      .finally(() => open.delete(answering));
    open.add(answering);
  });
  await listen(input, server);
  await untilEnding(ending);
  server.close();
  await Promise.all(open);
  server.closeAllConnections();
}

async function answer(input: Input, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const end = (status: number, text = ""): void =>
    void outgoing
      .writeHead(status, { "content-type": "text/plain", ...(status === 503 ? { "retry-after": "5" } : {}) })
      .end(text);
  if (incoming.method !== "POST" && incoming.method !== "PUT") return end(405, "expected POST\n");
  const body = await bodyOf(incoming, input.context.options.maxRequestSize);
  if (body === undefined) return end(413, "expected a smaller body\n");
  const lines = linesIn(body.toString("utf8"));
  const pump = createLivePump(input);
  await pump.pushLines(lines);
  const delivered = pump.end().then(() => true);
  const late = delay(input.context.options.outputTimeout, false, { ref: false });
  if (await Promise.race([delivered, late])) end(204);
  else end(503, "no output takes it now\n");
}

async function bodyOf(incoming: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of incoming as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size <= maxBytes) pieces.push(piece);
  }
  return size > maxBytes ? undefined : Buffer.concat(pieces);
}

/** A list is an object a line, and so is one object however it is laid out; anything else is lines. */
export function linesIn(text: string): string[] {
  const first = text.trimStart()[0];
  if (first === "[" || first === "{") {
    try {
      const value: unknown = JSON.parse(text);
      return (Array.isArray(value) ? value : [value]).map((item) =>
        typeof item === "string" ? item : JSON.stringify(item),
      );
    } catch {
      // Several objects, one a line.
    }
  }
  return text.split(/\r?\n/).filter((line) => line !== "");
}
