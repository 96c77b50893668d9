// The proxy with a client of HTTP/2 in front of it and an application that gives its answers as written.
import type { Cleanup } from "@outrigger/testing";

import { ok, startProxy, startScripted } from "../test-proxy.ts";
import type { Answer, ScriptedApp, TestProxy, TestProxySettings } from "../test-proxy.ts";
import { connectClient } from "./test-client.ts";
import type { TestClient } from "./test-client.ts";

export type Http2SetUp = TestProxy & { readonly app: ScriptedApp; readonly client: TestClient };

/** A proxy to a port, for clients of HTTP/2. */
export const startHttp2Proxy = (port: number, settings: TestProxySettings): Promise<TestProxy> =>
  startProxy(port, {
    peer: { protocol: "h2" },
    ...settings,
    proxy: { http2: { maxStreams: 10, maxResetsPerSecond: 20 }, ...settings.proxy },
  });

export async function setUpHttp2(
  cleanup: Cleanup,
  answer: string | Answer = ok(),
  settings: Partial<TestProxySettings> = {},
): Promise<Http2SetUp> {
  const app = await startScripted(answer, cleanup);
  const proxy = await startHttp2Proxy(app.port, { cleanup, ...settings });
  return { app, ...proxy, client: await connectClient(proxy.port, { cleanup }) };
}
