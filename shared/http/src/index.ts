// The data plane: an HTTP/1.1 reverse proxy and a byte relay, on sockets.
export { createDeadlines } from "./deadlines.ts";
export type { Deadlines, Timed } from "./deadlines.ts";
export type { Exchange } from "./exchange.ts";
export { FORWARDING_FIELDS } from "./forwarding.ts";
export type { HeadLimits } from "./field-section.ts";
export type { HeadParser } from "./head-parser.ts";
export { plainAddress } from "./peer.ts";
export type { Peer } from "./peer.ts";
export { createProxy } from "./proxy.ts";
export type { Proxy, ProxyObserver, ProxySettings, ProxyTimeouts, Sum } from "./proxy.ts";
export { REFUSAL_REASONS, UPSTREAM_FAILURE_REASONS } from "./refusals.ts";
export type { Refusal } from "./refusals.ts";
export { createRelay } from "./relay.ts";
export type { Relay, RelaySettings } from "./relay.ts";
export { createTrust, parseCidr } from "./trusted-proxies.ts";
export { Upstream } from "./upstream.ts";
export type { UpstreamAddress, UpstreamConnection, UpstreamSettings } from "./upstream.ts";
