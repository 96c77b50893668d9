// Mode http: requests are understood, and the application is told whom it serves.
import { REFUSALS, Upstream, createFlight, createProxy, createTrust, hostOf } from "@outrigger/http";
import type { Deadlines, HeadParser, ProxySettings, Refusal } from "@outrigger/http";

import type { DataPlaneSettings, Service, SidecarPeer } from "./data-plane.ts";
import { IDENTITY_FIELDS } from "./identity-fields.ts";
import { createObserver } from "./observer.ts";
import type { Values } from "./policy.ts";
import { responseChangesOf } from "./response-changes.ts";
import { createRules } from "./rules.ts";
import type { Rules } from "./rules.ts";

export function createHttpService(
  { values, metrics, record }: DataPlaneSettings,
  deadlines: Deadlines,
  fits: (host: string, serverName: string) => boolean,
): Service {
  const buffered = metrics.buffered.cell({});
  const upstream = new Upstream(
    values.target,
    { connectTimeoutMs: values.connectTimeout, keepAliveMs: values.targetKeepAlive, maxIdle: values.maxIdleTargets },
    deadlines,
  );
  let rules = rulesOf(values);
  const refusalByRules = (head: HeadParser, { client }: SidecarPeer): Refusal | undefined => {
    if (rules === undefined) return undefined;
    const ruling = rules.judge(head.method, head.target, client?.identity);
    if (ruling === undefined) return REFUSALS.ambiguousPath;
    return ruling.allowed ? undefined : REFUSALS.forbidden;
  };
  const proxy = createProxy({
    ...proxySettingsOf(values),
    deadlines,
    observer: createObserver(metrics, values.accessLog ? record : undefined),
    recordRequests: values.accessLog,
    bodies: { maxBytes: values.maxBody, minBytesPerSecond: values.minBodyRate },
    maxRequests: values.maxRequests,
    flight: createFlight(values.maxBuffered, (waiting) => buffered.set(waiting)),
    http2: { maxStreams: values.maxStreams, maxResetsPerSecond: values.maxResets },
    ...(values.targetProtocol === "h2c"
      ? { h2c: { address: values.target, connectTimeoutMs: values.connectTimeout } }
      : {}),
    // Whether or not they are asked for: an application may believe them.
    ownedFields: IDENTITY_FIELDS,
    response: responseChangesOf(values),
    route: (head, peer) => {
      const { protocol, serverName = "" } = peer;
      if (values.targetProtocol === "h2c" && protocol !== "h2") return REFUSALS.http2Needed;
      // The rules of one name must not be got around by asking for another (RFC 9110 section 7.4).
      if (values.sniDir !== undefined && !fits(hostOf(head), serverName)) return REFUSALS.misdirected;
      return refusalByRules(head, peer as SidecarPeer) ?? upstream;
    },
  });
  return {
    serve: (socket, peer) => proxy.serve(socket, peer).retire,
    update: (next) => {
      rules = rulesOf(next);
    },
    discourage: proxy.discourage,
    drain: proxy.drain,
    close: () => {
      proxy.close();
      upstream.close();
    },
  };
}

const rulesOf = ({ rules }: Values): Rules | undefined => (rules === undefined ? undefined : createRules(rules));

/** Limits, time-outs and whom to believe. */
export const proxySettingsOf = (values: Values): Pick<ProxySettings, "limits" | "timeouts" | "isTrusted"> => ({
  limits: { maxHeadBytes: values.maxHeaderSize, maxFields: values.maxHeaders },
  timeouts: {
    headMs: values.headerTimeout,
    idleMs: values.idleTimeout,
    responseMs: values.responseTimeout,
    tunnelMs: values.tunnelTimeout,
    closeMs: values.closeTimeout,
  },
  isTrusted: createTrust(values.trustedProxies),
});
