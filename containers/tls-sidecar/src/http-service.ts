// Mode http: requests are understood, and the application is told whom it serves.
import { Upstream, createProxy, createTrust } from "@outrigger/http";
import type { Deadlines } from "@outrigger/http";

import type { DataPlaneSettings, Service } from "./data-plane.ts";
import { IDENTITY_FIELDS } from "./identity-fields.ts";
import { createObserver } from "./observer.ts";
import { responseChangesOf } from "./response-changes.ts";

export function createHttpService({ values, metrics, record }: DataPlaneSettings, deadlines: Deadlines): Service {
  const upstream = new Upstream(
    values.target,
    { connectTimeoutMs: values.connectTimeout, keepAliveMs: values.targetKeepAlive, maxIdle: values.maxIdleTargets },
    deadlines,
  );
  const proxy = createProxy({
    limits: { maxHeadBytes: values.maxHeaderSize, maxFields: values.maxHeaders },
    timeouts: {
      headMs: values.headerTimeout,
      idleMs: values.idleTimeout,
      responseMs: values.responseTimeout,
      tunnelMs: values.tunnelTimeout,
      closeMs: values.closeTimeout,
    },
    deadlines,
    observer: createObserver(metrics, values.accessLog ? record : undefined),
    recordRequests: values.accessLog,
    // Whether or not they are asked for: an application may believe them.
    ownedFields: IDENTITY_FIELDS,
    response: responseChangesOf(values),
    route: () => upstream,
    isTrusted: createTrust(values.trustedProxies),
  });
  return {
    serve: (socket, peer) => proxy.serve(socket, peer).retire,
    discourage: proxy.discourage,
    drain: proxy.drain,
    close: () => {
      proxy.close();
      upstream.close();
    },
  };
}
