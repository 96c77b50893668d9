import { STATUS_CODES } from "node:http";

import { BODY } from "./body-decoder.ts";
import type { BodyFraming } from "./body-decoder.ts";
import type { HeadParser } from "./head-parser.ts";
import type { MessageWriter } from "./message-writer.ts";
import type { Answer } from "./proxy.ts";
// How a response's head is read and how it reads when it is passed on.
import type { ResponseRules } from "./response-rules.ts";
import { writeRewritten } from "./response-rules.ts";

/** The framing of a response's body (RFC 9112 section 6.3). */
export function framingOf(head: HeadParser, isHead: boolean): BodyFraming {
  if (isHead || head.status === 204 || head.status === 304) return BODY.none;
  if (head.chunked) return BODY.chunked;
  return head.contentLength === -1 ? BODY.untilClose : BODY.length;
}

/** Whether the server's connection can be used again after this response. */
export function staysOpen(head: HeadParser, framing: BodyFraming): boolean {
  if (framing === BODY.untilClose) return false;
  // A 204 that speaks of a body may have one, and it would be taken for the next response.
  if (head.status === 204 && (head.chunked || head.contentLength > 0)) return false;
  return !head.close && (head.keepAlive || head.minor === 1);
}

/** Begins a head: the status line in our version, and the fields that pass, some of them rewritten. */
export function startResponseHead(
  writer: MessageWriter,
  head: HeadParser,
  { fields, rewrites }: ResponseRules,
  host: string,
): MessageWriter {
  writer.begin().text("HTTP/1.1 ").copy(head.bytes, head.statusStart, head.fieldsStart).fields(head, fields);
  if (rewrites !== undefined) writeRewritten(writer, head, rewrites, host);
  return writer;
}

/** The framing's field; a 204 has none, while HEAD and 304 may tell the length of what is not sent. */
export function responseFraming(head: HeadParser, chunked: boolean): string {
  if (chunked) return "Transfer-Encoding: chunked\r\n";
  return head.contentLength === -1 || head.status === 204 ? "" : `Content-Length: ${head.contentLength}\r\n`;
}

/** The head of an answer of the caller's own; `end` is what stands behind its fields. */
export const answerHead = ({ status, lines, body }: Answer, end: string): string =>
  `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines}Content-Length: ${body.length}\r\n${end}`;

/** Tells the client whether the connection goes on; HTTP/1.0 has to be told that it does. */
export function connectionLine(keep: boolean, isHttp10: boolean): string {
  if (!keep) return "Connection: close\r\n";
  return isHttp10 ? "Connection: keep-alive\r\n" : "";
}
