// Whether a request may be sent again, and to whom: at most once to another upstream.
import type { Peer } from "./peer.ts";
import type { ProxyCore } from "./proxy.ts";
import { isIdempotent } from "./request-head.ts";
import type { Upstream } from "./upstream.ts";

export class Replay {
  /** It has no body, sending it twice does no harm, and nothing of an answer has come. */
  isSafe = false;
  #isWhole = false;
  #isMoved = false;

  /** A request begins; `isWhole` if it has no body. */
  begin(isWhole: boolean, method: string): void {
    this.isSafe = isWhole && isIdempotent(method);
    this.#isWhole = isWhole;
    this.#isMoved = false;
  }

  /** A server that has begun to answer has had the request. */
  onAnswer(): void {
    this.isSafe = false;
    this.#isWhole = false;
  }

  /** Who gets the request whose head is this after another has failed, or undefined when nobody may. */
  elsewhere(
    { reroute, requestParser }: Pick<ProxyCore, "reroute" | "requestParser">,
    requestHead: Buffer,
    { client, upstream }: { readonly client: { readonly peer: Peer }; readonly upstream: Upstream | undefined },
    wasSent: boolean,
  ): Upstream | undefined {
    const mayMove = this.isSafe || (this.#isWhole && !wasSent);
    if (!mayMove || this.#isMoved || reroute === undefined) return undefined;
    if (requestParser.parseRequest(requestHead, 0) <= 0) return undefined;
    this.#isMoved = true;
    return reroute(requestParser, client.peer, upstream!);
  }
}
