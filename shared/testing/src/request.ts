// A plain HTTP request on a connection of its own: no pool that would keep a draining server waiting.
import type { IncomingHttpHeaders } from "node:http";
import { request as httpRequest } from "node:http";
import { text } from "node:stream/consumers";

import type { Address } from "@outrigger/options";

export type RequestInit = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Default: 5000. */
  readonly timeoutMs?: number;
};

export type Answer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The body as JSON; throws if it is not. */
  readonly json: () => unknown;
};

/** Asks for `path` at `address` with `Connection: close`. */
export function request(address: Address, path: string, init: RequestInit = {}): Promise<Answer> {
  const { method = "GET", headers = {}, body, timeoutMs = 5000 } = init;
  const target = "path" in address ? { socketPath: address.path } : address;
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      { ...target, path, method, headers, agent: false, signal: AbortSignal.timeout(timeoutMs) },
      (incoming) => {
        const answer = async (): Promise<Answer> => {
          const content = await text(incoming);
          const { statusCode: status = 0, headers } = incoming;
          return { status, headers, body: content, json: () => JSON.parse(content) as unknown };
        };
        answer().then(resolve, reject);
      },
    );
    outgoing.on("error", reject).end(body);
  });
}
