// The metrics of the TLS sidecar: names, meaning and label values.
import { REFUSAL_REASONS, UPSTREAM_FAILURE_REASONS } from "@outrigger/http";
import { counter, gauge, histogram } from "@outrigger/runtime";

/** Versions of TLS as the runtimes name them. */
export const TLS_VERSIONS = ["TLSv1.2", "TLSv1.3"] as const;

/** Why a handshake did not end in a connection. */
export const HANDSHAKE_FAILURES = [
  "timeout",
  "closed",
  "plain_http",
  "no_shared_version",
  "no_shared_cipher",
  "refused_by_client",
  "bad_record",
  "bad_proxy_header",
  "unknown_name",
  "no_certificate",
  "bad_certificate",
  "not_allowed",
  "other",
] as const;
export type HandshakeFailure = (typeof HANDSHAKE_FAILURES)[number];

/** Why the sidecar closed a connection that it had let in. */
export const CLOSE_REASONS = [
  "no_certificate",
  "not_allowed",
  "untrusted",
  "certificate_expired",
  "max_lifetime",
] as const;
export type CloseReason = (typeof CLOSE_REASONS)[number];

export const STATUS_CLASSES = ["1xx", "2xx", "3xx", "4xx", "5xx"] as const;

export const metrics = {
  connections: counter("tls_sidecar_connections_total", "Connections accepted from clients, before the handshake."),
  connectionsRefused: counter("tls_sidecar_connections_refused_total", "Connections closed at once, by reason.", {
    reason: ["too_many", "too_many_per_client", "accept_failed"],
  }),
  closed: counter(
    "tls_sidecar_connections_closed_total",
    "Connections that the sidecar closed after it had let them in, by reason: what a reload, a certificate's end or `--max-connection-lifetime` ended.",
    { reason: CLOSE_REASONS },
  ),
  active: gauge("tls_sidecar_connections_active", "Clients connected now, handshakes included."),
  handshakes: counter("tls_sidecar_handshakes_total", "TLS handshakes completed, by version and resumption.", {
    version: TLS_VERSIONS,
    resumed: ["true", "false"],
  }),
  handshakeFailures: counter(
    "tls_sidecar_handshake_failures_total",
    "TLS handshakes not completed, or refused after, by reason.",
    {
      reason: HANDSHAKE_FAILURES,
    },
  ),
  redirects: counter(
    "tls_sidecar_redirects_total",
    "Requests by plain HTTP on `--redirect-listen`, by what came of them.",
    { outcome: ["redirected", "refused"] },
  ),
  requests: counter("tls_sidecar_requests_total", "Requests answered in mode http, by class of the status.", {
    status: STATUS_CLASSES,
  }),
  duration: histogram("tls_sidecar_request_duration_seconds", "From a request's header to the end of its response.", {
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  }),
  refused: counter("tls_sidecar_requests_refused_total", "Requests answered by the sidecar itself, by reason.", {
    reason: [...REFUSAL_REASONS, ...UPSTREAM_FAILURE_REASONS],
  }),
  aborted: counter("tls_sidecar_requests_aborted_total", "Requests given up because the client went away."),
  incomplete: counter("tls_sidecar_responses_incomplete_total", "Responses that broke off before their end."),
  received: counter("tls_sidecar_received_bytes_total", "Bytes received from clients, inside TLS."),
  sent: counter("tls_sidecar_sent_bytes_total", "Bytes sent to clients, inside TLS."),
  buffered: gauge(
    "tls_sidecar_buffered_bytes",
    "Bytes that wait because a client or the application does not take them, bounded by `--max-buffered`.",
  ),
  targetErrors: counter("tls_sidecar_target_errors_total", "Failures of the application, by reason.", {
    reason: UPSTREAM_FAILURE_REASONS,
  }),
  targetUp: gauge("tls_sidecar_target_up", "1 while the application accepts connections, or its status path answers."),
  certificateExpiry: gauge(
    "tls_sidecar_certificate_expiry_timestamp_seconds",
    "When a certificate in use expires, as a Unix timestamp.",
    { file: "path of the file", subject: "the certificate's subject" },
  ),
} as const;
