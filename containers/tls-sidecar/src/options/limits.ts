// Bounds of what clients may use.
import { bytes, integer, option } from "@outrigger/options";

export const limits = {
  maxConnections: option({
    kind: integer(1, 1_000_000),
    default: "10000",
    section: "Limits",
    summary: "Clients that may be connected at a time, on each worker; further ones are closed at once.",
  }),
  maxConnectionsPerClient: option({
    kind: integer(1, 1_000_000),
    section: "Limits",
    summary:
      "Connections that one IP address may have at a time, on each worker; further ones are closed at once. `--trusted-proxies` are exempt, since they speak for many. By default as many as `--max-connections`.",
  }),
  maxRequests: option({
    kind: integer(1, 1_000_000_000),
    section: "Limits",
    summary:
      "Requests after which a client's connection is ended in good order, so that clients spread anew. By default never.",
  }),
  maxBody: option({
    kind: bytes(),
    section: "Limits",
    summary:
      "The size of a request's body, without its framing; larger ones are answered 413. By default without a limit.",
  }),
  minBodyRate: option({
    kind: bytes(),
    default: "240",
    section: "Limits",
    summary:
      "Bytes of a request's body that have to arrive in a second, on average over five seconds in which the application takes them; slower ones are answered 408. Calls of gRPC are exempt. `0` for no limit.",
  }),
  maxBuffered: option({
    kind: bytes(),
    default: "64MiB",
    section: "Limits",
    summary:
      "Bytes that may wait in each worker for clients or for the application, in mode `http`; while it is more, further requests wait, at most for `--response-timeout`, and are then answered 503.",
  }),
  maxHeaderSize: option({
    kind: bytes(),
    default: "16KiB",
    section: "Limits",
    summary: "The size of a request's or response's header.",
  }),
  maxHeaders: option({
    kind: integer(1, 10_000),
    default: "100",
    section: "Limits",
    summary: "The number of fields in a header.",
  }),
  maxStreams: option({
    kind: integer(1, 10_000),
    default: "100",
    section: "Limits",
    summary: "Requests that a client may have open at a time on one HTTP/2 connection.",
  }),
  maxResets: option({
    kind: integer(1, 100_000),
    default: "100",
    section: "Limits",
    summary:
      "Requests that a client may break off within a second on one HTTP/2 connection, on average; at more the connection is closed (the rapid reset attack, CVE-2023-44487).",
  }),
  maxIdleTargets: option({
    kind: integer(0, 100_000),
    default: "256",
    section: "Limits",
    summary: "Unused connections to the application that are kept for the next request, on each worker.",
  }),
};
