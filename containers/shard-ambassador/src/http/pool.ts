// A pool of shards that speak HTTP: each request goes to the shard that owns its key.
import type { Socket } from "node:net";

import { createFlight, createProxy, createTrust, plainAddress } from "@outrigger/http";
import type { Proxy, ProxyTimeouts } from "@outrigger/http";

import type { PoolValues } from "../pools.ts";
import type { HotKeys } from "../proxy/hot-keys.ts";
import { createListener } from "../proxy/listener.ts";
import type { Listener } from "../proxy/listener.ts";
import { placeShards, refusalCells } from "../proxy/placed-shards.ts";
import type { ShardFacts } from "../proxy/placed-shards.ts";
import type { Pool, PoolSettings } from "../proxy/pool.ts";
import type { Topologies } from "../proxy/topology.ts";
import { listenOf, timeoutOf } from "../shards.ts";
import { createKeyReader } from "./key.ts";
import { createObserver } from "./observer.ts";
import { createRouting } from "./routing.ts";
import { HttpShard } from "./shard.ts";

const MAX_HEAD = 64 * 1024;
const MAX_FIELDS = 200;
/** How long an unused connection is kept: less than servers keep theirs, mostly. */
const KEEP_ALIVE_MS = 4000;
const MAX_IDLE = 256;
const TUNNEL_MS = 3_600_000;
const CLOSE_MS = 1000;
const TOO_MANY = Buffer.from("HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");

export function createHttpPool(settings: PoolSettings): Pool {
  const { values } = settings.spec;
  const { topologies, hotKeys, close, ...placed } = placeShards(settings, (facts) => openShard(settings, facts));
  const proxy = openProxy(settings, topologies, hotKeys);
  const listener = openListener(settings, proxy);
  return {
    ...placed,
    listen: () => listener.listen(listenOf(values)),
    drain: async () => {
      listener.close();
      await proxy.drain();
    },
    close: () => {
      listener.close();
      proxy.close();
      close();
    },
  };
}

function openShard({ spec, machinery }: PoolSettings, facts: ShardFacts): HttpShard {
  const { values } = spec;
  return new HttpShard({
    ...facts,
    deadlines: machinery.deadlines,
    tls: machinery.tls?.optionsFor,
    connectTimeoutMs: values.connectTimeout,
    keepAliveMs: KEEP_ALIVE_MS,
    maxIdle: MAX_IDLE,
    failureLimit: values.failureLimit,
    probePath: values.probePath,
    probeTimeout: values.connectTimeout,
    maxBackoff: values.probeInterval,
  });
}

function openProxy(
  { spec, machinery, metrics }: PoolSettings,
  topologies: Topologies<HttpShard>,
  hotKeys: HotKeys,
): Proxy {
  const { values } = spec;
  const isTrusted = createTrust(values.trustedProxies);
  const refused = refusalCells(metrics);
  let waiting = 0;
  machinery.countMemory(() => waiting);
  return createProxy({
    limits: { maxHeadBytes: MAX_HEAD, maxFields: MAX_FIELDS },
    timeouts: timeoutsOf(values),
    deadlines: machinery.deadlines,
    observer: createObserver((reason) => refused[reason].add(1)),
    recordRequests: false,
    bodies: { maxBytes: values.maxRequest },
    flight: createFlight(values.memoryLimit, (bytes) => (waiting = bytes)),
    isTrusted,
    ...createRouting({
      values,
      topologies,
      hotKeys,
      reader: createKeyReader(values.key, isTrusted),
      onNoKey: () => refused.no_key.add(1),
      onRetry: (outcome) => metrics.retries.inc({ outcome }),
    }),
  });
}

const timeoutsOf = (values: PoolValues): ProxyTimeouts => ({
  headMs: values.clientTimeout,
  idleMs: Math.max(values.clientTimeout, timeoutOf(values)),
  responseMs: timeoutOf(values),
  tunnelMs: TUNNEL_MS,
  closeMs: CLOSE_MS,
});

function openListener({ spec, metrics, log }: PoolSettings, proxy: Proxy): Listener {
  const isTrusted = createTrust(spec.values.trustedProxies);
  const connections = metrics.connections.cell({});
  const active = metrics.active.cell({});
  let open = 0;
  const onClient = (socket: Socket): void => {
    open++;
    connections.add(1);
    active.add(1);
    socket.once("close", () => {
      open--;
      active.add(-1);
    });
    const address = plainAddress(socket.remoteAddress ?? "");
    const trusted = isTrusted(address);
    proxy.serve(socket, { address, localPort: socket.localPort ?? 0, scheme: "http", trusted });
  };
  return createListener({
    ...spec.values,
    count: () => open,
    onClient,
    tooMany: TOO_MANY,
    onRefused: (reason, error) => {
      metrics.connectionsRefused.inc({ reason });
      if (error !== undefined) log.error({ error }, "accepting failed");
    },
  });
}
