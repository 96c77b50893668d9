// What can be told of an exchange, to whoever counts and records.
import { hostOf } from "./head-parser.ts";
import type { HeadParser } from "./head-parser.ts";
import type { Upstream } from "./upstream.ts";

export class ExchangeFacts {
  /** From the request's head to the end of the response. */
  active = false;
  /** How many requests this connection has sent, this one included. */
  served = 0;
  /** The request has been passed on whole. */
  requestDone = false;
  /** Both sides have switched protocols; bytes pass as they are. */
  tunnel = false;
  isHead = false;
  /** Who was asked last; undefined when nobody was. */
  upstream: Upstream | undefined;
  /** Status of the response, 0 before it. */
  status = 0;
  /** The response has been passed on whole. */
  complete = false;
  /** When the head was complete, in the milliseconds of performance.now(). */
  startedAt = 0;
  /** `GET /path`, when the proxy records requests; and Host, also when it rewrites responses. */
  requestLine = "";
  host = "";

  /** A request has come whose head has just been parsed. Its line and its host are only kept where they are needed. */
  protected note(head: HeadParser, { line, host }: { line: boolean; host: boolean }): void {
    const { method } = head;
    this.active = true;
    this.served++;
    this.tunnel = false;
    this.isHead = method === "HEAD";
    this.upstream = undefined;
    this.status = 0;
    this.complete = false;
    this.startedAt = performance.now();
    if (line) this.requestLine = `${method} ${head.target}`;
    if (host) this.host = hostOf(head);
  }
}
