// The proxy over plain TCP, for tests: a listener in front of it, an upstream behind it, and a record of what its
// observer has heard.
import type { Socket } from "node:net";

import type { Cleanup, Listening } from "@outrigger/testing";
import { startRawServer } from "@outrigger/testing";

import { createDeadlines } from "./deadlines.ts";
import type { Peer } from "./peer.ts";
import { createProxy } from "./proxy.ts";
import type { Proxy, ProxySettings, ProxyTimeouts } from "./proxy.ts";
import type { UpstreamAddress, UpstreamSettings } from "./upstream.ts";
import { Upstream } from "./upstream.ts";

export type TestProxySettings = {
  readonly cleanup: Cleanup;
  readonly timeouts?: Partial<ProxyTimeouts>;
  readonly upstream?: Partial<UpstreamSettings>;
  readonly peer?: Partial<Peer>;
  readonly proxy?: Partial<ProxySettings>;
};

export type TestProxy = {
  readonly port: number;
  readonly proxy: Proxy;
  readonly listening: Listening;
  /** The proxy's side of each client's connection. */
  readonly sockets: readonly Socket[];
  /** What the observer has heard, in order: `response 200`, `incomplete 200`, `refused bad_host` ... */
  readonly heard: readonly string[];
  /** Body and head bytes from and to clients. */
  readonly counted: { received: number; sent: number };
};

const LONG = 10_000;
const TIMEOUTS: ProxyTimeouts = { headMs: LONG, idleMs: LONG, responseMs: LONG, tunnelMs: LONG, closeMs: LONG };
const UPSTREAM: UpstreamSettings = { connectTimeoutMs: LONG, keepAliveMs: LONG, maxIdle: 8 };

/** Starts a proxy to a port of this machine, or to another address. */
export async function startProxy(target: number | UpstreamAddress, settings: TestProxySettings): Promise<TestProxy> {
  const { cleanup } = settings;
  const deadlines = createDeadlines();
  const address = typeof target === "number" ? { host: "127.0.0.1", port: target } : target;
  const upstream = new Upstream(address, { ...UPSTREAM, ...settings.upstream }, deadlines);
  const heard: string[] = [];
  const counted = { received: 0, sent: 0 };
  const proxy = createProxy({
    limits: { maxHeadBytes: 8192, maxFields: 50 },
    timeouts: { ...TIMEOUTS, ...settings.timeouts },
    deadlines,
    observer: {
      received: { add: (bytes) => void (counted.received += bytes) },
      sent: { add: (bytes) => void (counted.sent += bytes) },
      onResponse: ({ complete, status }) => void heard.push(`${complete ? "response" : "incomplete"} ${status}`),
      onRefused: ({ reason }) => void heard.push(`refused ${reason}`),
      onUpstreamFailure: ({ reason }) => void heard.push(`failure ${reason}`),
      onAborted: () => void heard.push("aborted"),
    },
    recordRequests: false,
    route: () => upstream,
    isTrusted: () => false,
    ...settings.proxy,
  });
  const sockets: Socket[] = [];
  const listening = await startRawServer(
    (socket) => {
      sockets.push(socket);
      const peer: Peer = { address: "192.0.2.7", localPort: 8443, scheme: "https", trusted: false, ...settings.peer };
      proxy.serve(socket, peer);
    },
    { cleanup },
  );
  cleanup(() => {
    proxy.close();
    upstream.close();
    deadlines.stop();
  });
  return { port: listening.port, proxy, listening, sockets, heard, counted };
}

export type ScriptedApp = Listening & {
  /** The heads of requests that have arrived, in order, each with its empty line. */
  readonly heads: readonly string[];
  /** Its side of each connection. */
  readonly sockets: readonly Socket[];
};

/** What to answer to the request with this head and number, counted from 0; undefined leaves it without an answer. */
export type Answer = (head: string, index: number, socket: Socket) => string | undefined;

/** An application that gives its answers byte by byte as written. Its requests have no bodies. */
export async function startScripted(answer: string | Answer, cleanup: Cleanup): Promise<ScriptedApp> {
  const heads: string[] = [];
  const sockets: Socket[] = [];
  const listening = await startRawServer(
    (socket) => {
      sockets.push(socket);
      let received = "";
      socket.on("data", (bytes) => {
        received += bytes.toString("latin1");
        for (let end; (end = received.indexOf("\r\n\r\n")) !== -1; received = received.slice(end + 4)) {
          const head = received.slice(0, end + 4);
          heads.push(head);
          const text = typeof answer === "string" ? answer : answer(head, heads.length - 1, socket);
          if (text !== undefined) socket.write(text, "latin1");
        }
      });
    },
    { cleanup },
  );
  return Object.defineProperties(listening, { heads: { value: heads }, sockets: { value: sockets } }) as ScriptedApp;
}

/** A complete answer with this body. */
export const ok = (body = "ok"): string => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

/** A request head without a body. */
export const get = (path = "/", lines = ""): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${lines}\r\n`;
