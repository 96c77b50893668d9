// The streams of one client's HTTP/2 connection as connections of HTTP/1.1, which take one stream after another.
import { ClientConnection } from "../client-connection.ts";
import type { HeadParser } from "../head-parser.ts";
import type { Peer } from "../peer.ts";
import type { ProxyCore } from "../proxy.ts";
import type { Refusal } from "../refusals.ts";
import type { Http2Stream, StreamUser } from "./h2-stream.ts";
import { HpackEncoder } from "./hpack-encoder.ts";
import { Http1Channel } from "./http1-channel.ts";

/** Makes what serves the streams of one client. `close` ends those that wait for one. */
export function createChannels(
  core: ProxyCore,
  { peer, head }: { peer: Peer; head: HeadParser },
): { onStream(stream: Http2Stream): StreamUser; close(): void } {
  const free: Http1Channel[] = [];
  const settings = {
    head,
    trailers: core.trailerParser,
    encoder: new HpackEncoder(),
    onFree: (channel: Http1Channel) => void free.push(channel),
    onGone: (channel: Http1Channel) => {
      const at = free.indexOf(channel);
      if (at !== -1) free.splice(at, 1);
    },
    flight: core.flight,
    onRefused: (refusal: Refusal) => core.observer.onRefused(refusal, peer, undefined),
  };
  const create = (): Http1Channel => {
    const channel = new Http1Channel(settings);
    const client = new ClientConnection(core, channel, peer);
    channel.refuse = (refusal) => client.refuse(refusal);
    return channel;
  };
  return {
    onStream: (stream) => {
      const channel = free.pop() ?? create();
      channel.take(stream);
      return channel;
    },
    close: () => {
      for (const channel of free) channel.destroy();
    },
  };
}
