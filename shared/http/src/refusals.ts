// Everything that a request can be refused for: one row each, with the status that the client gets.

/** Why a message is refused; `reason` is a label of metrics and logs, `text` goes to the client. */
export type Refusal = { readonly status: number; readonly reason: string; readonly text: string };

const refusal = (status: number, reason: string, text: string): Refusal => ({ status, reason, text });

export const REFUSALS = {
  badRequestLine: refusal(400, "bad_request_line", "the request line is not METHOD SP target SP HTTP/1.1"),
  badStatusLine: refusal(400, "bad_status_line", "the status line is not HTTP/1.1 SP status SP reason"),
  badTarget: refusal(400, "bad_target", "the request target has bytes that a target cannot have"),
  badFieldName: refusal(400, "bad_field_name", "a field name is empty or has bytes that a token cannot have"),
  spaceBeforeColon: refusal(400, "space_before_colon", "there is white space between a field name and its colon"),
  foldedField: refusal(400, "folded_field", "a field line is folded, or begins with white space"),
  controlCharacter: refusal(400, "control_character", "a field value has a control character"),
  bareLf: refusal(400, "bare_lf", "a line ends with LF alone; it has to end with CR LF"),
  bareCr: refusal(400, "bare_cr", "there is a CR that is not followed by LF"),
  noHost: refusal(400, "no_host", "there is no Host"),
  severalHosts: refusal(400, "several_hosts", "there is more than one Host"),
  badHost: refusal(400, "bad_host", "Host is not a host with an optional port, or differs from the target's"),
  badContentLength: refusal(400, "bad_content_length", "Content-Length is not a decimal number"),
  severalLengths: refusal(400, "several_lengths", "there is more than one Content-Length"),
  lengthAndEncoding: refusal(400, "length_and_encoding", "there are both Content-Length and Transfer-Encoding"),
  badTransferEncoding: refusal(400, "bad_transfer_encoding", "the only Transfer-Encoding understood is chunked, once"),
  badChunk: refusal(400, "bad_chunk", "the chunked body is malformed"),
  tooManyFields: refusal(431, "too_many_fields", "there are too many header fields"),
  headTooLarge: refusal(431, "head_too_large", "the header is too large"),
  targetTooLong: refusal(414, "target_too_long", "the request line is too long"),
  bodyTooLarge: refusal(413, "body_too_large", "the request body is larger than allowed"),
  bodyTooSlow: refusal(408, "body_too_slow", "the request body arrived too slowly"),
  overloaded: refusal(503, "overloaded", "too much waits to be sent already"),
  methodNotAllowed: refusal(405, "method_not_allowed", "CONNECT is for forward proxies"),
  badExpectation: refusal(417, "bad_expectation", "the only expectation understood is 100-continue"),
  headTimeout: refusal(408, "head_timeout", "the request took too long to arrive"),
  bodyTimeout: refusal(408, "body_timeout", "the request body stopped arriving"),
  badVersion: refusal(505, "bad_version", "the versions understood are HTTP/1.1 and HTTP/1.0"),
  forbidden: refusal(403, "forbidden", "this identity may not send this request"),
  ambiguousPath: refusal(400, "ambiguous_path", "the path has parts that can be read in more than one way"),
  misdirected: refusal(421, "misdirected", "the request is for another server name than its connection"),
  http2Needed: refusal(505, "http2_needed", "the application speaks HTTP/2 alone, and so have its clients"),
  malformedMessage: refusal(400, "malformed_message", "the request is not one that HTTP/2 can carry"),
  badFrame: refusal(400, "bad_frame", "the connection does not keep to HTTP/2"),
  tooMuch: refusal(429, "too_much", "the connection asks for more work than it brings"),
  noUpstream: refusal(503, "no_upstream", "there is no upstream for this request"),
} as const satisfies Record<string, Refusal>;

/** All reasons, for the closed label of a metric. */
export const REFUSAL_REASONS: readonly string[] = Object.values(REFUSALS).map(({ reason }) => reason);

/** What can go wrong with an upstream, with the status that the client gets when nothing of a response has been sent. */
export const UPSTREAM_FAILURES = {
  connectRefused: refusal(502, "connect_refused", "the application does not accept connections"),
  connectTimeout: refusal(504, "connect_timeout", "connecting to the application took too long"),
  closedEarly: refusal(502, "closed_early", "the application closed the connection before it had answered"),
  badResponse: refusal(502, "bad_response", "the application's answer is not HTTP/1.1"),
  responseTimeout: refusal(504, "response_timeout", "the application took too long to answer"),
  truncated: refusal(502, "truncated", "the application's answer broke off"),
} as const satisfies Record<string, Refusal>;

export const UPSTREAM_FAILURE_REASONS: readonly string[] = Object.values(UPSTREAM_FAILURES).map(({ reason }) => reason);
