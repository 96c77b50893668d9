// How long things may take.
import { duration, option } from "@outrigger/options";

export const timeouts = {
  handshakeTimeout: option({
    kind: duration({ positive: true }),
    default: "10s",
    section: "Timeouts",
    summary: "From the connection to the end of the TLS handshake.",
  }),
  headerTimeout: option({
    kind: duration({ positive: true }),
    default: "10s",
    section: "Timeouts",
    summary: "From the first to the last byte of a request's header.",
  }),
  idleTimeout: option({
    kind: duration({ positive: true }),
    default: "60s",
    section: "Timeouts",
    summary: "How long a connection may stay without a request, and a body without a byte.",
  }),
  connectTimeout: option({
    kind: duration({ positive: true }),
    default: "5s",
    section: "Timeouts",
    summary: "For connecting to the application.",
  }),
  responseTimeout: option({
    kind: duration({ positive: true }),
    default: "60s",
    section: "Timeouts",
    summary: "From the last byte of a request to the first byte of the application's answer.",
  }),
  tunnelTimeout: option({
    kind: duration({ positive: true }),
    default: "1h",
    section: "Timeouts",
    summary: "How long nothing may move on an upgraded connection (WebSocket), or in mode tcp.",
  }),
  closeTimeout: option({
    kind: duration({ positive: true }),
    default: "10s",
    section: "Timeouts",
    summary: "How long one side may go on after the other has ended.",
  }),
  maxConnectionLifetime: option({
    kind: duration({ positive: true }),
    section: "Timeouts",
    summary:
      "How long a client may stay connected. In mode http the request in flight is finished first, and told `Connection: close`; upgraded connections, and those of mode tcp, are closed at once. By default for ever.",
  }),
  targetKeepAlive: option({
    kind: duration({ positive: true }),
    default: "4s",
    section: "Timeouts",
    summary:
      "How long an unused connection to the application is kept. Keep it below the application's own keep-alive time.",
  }),
};
