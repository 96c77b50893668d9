// What a request needs to be before it is passed on, and how its head reads when it is.
import type { ForwardingLines } from "./forwarding.ts";
import { hostOf } from "./head-parser.ts";
import type { HeadParser } from "./head-parser.ts";
import type { FieldRule, MessageWriter } from "./message-writer.ts";
import type { Refusal } from "./refusals.ts";
import { REFUSALS } from "./refusals.ts";
import { CRLF } from "./syntax.ts";

const SLASH = 47;
const LETTER_C = 67;
const ABSOLUTE = /^https?:\/\/([^/?]+)(.*)$/i;

/** The target in origin form, "" when it is in that form already, or why the request is refused. */
export function checkRequest(head: HeadParser): string | Refusal {
  if (head.expect !== -1 && head.value(head.expect).toLowerCase() !== "100-continue") return REFUSALS.badExpectation;
  // Whatever its target: behind the answer to a CONNECT, an application may take requests for tunnelled bytes.
  if (head.bytes[head.start] === LETTER_C && head.method === "CONNECT") return REFUSALS.methodNotAllowed;
  if (head.bytes[head.targetStart] === SLASH) return "";
  return originForm(head);
}

function originForm(head: HeadParser): string | Refusal {
  const { method, target } = head;
  if (target === "*") return method === "OPTIONS" ? "" : REFUSALS.badTarget;
  // A server has to understand the absolute form, too (RFC 9112 section 3.2.2); two different hosts are an attack.
  const [, authority, rest] = ABSOLUTE.exec(target) ?? [];
  if (authority === undefined || rest === undefined) return REFUSALS.badTarget;
  if (hostOf(head).toLowerCase() !== authority.toLowerCase()) return REFUSALS.badHost;
  if (rest === "" && method === "OPTIONS") return "*";
  return rest.startsWith("/") ? rest : `/${rest}`;
}

/** The protocol that the client asks to switch to. h2c is not among them: it would get past every check of heads. */
export function upgradeOf(head: HeadParser): string {
  if (head.upgrade === -1 || !head.upgradeToken || head.minor === 0) return "";
  const value = head.value(head.upgrade);
  return /\bh2c\b/i.test(value) ? "" : value;
}

/** Writes the head as the upstream gets it: the fields that pass, the framing, and our own fields last. */
export function writeRequestHead(
  writer: MessageWriter,
  head: HeadParser,
  {
    rule,
    target,
    upgrade,
    forwarding,
  }: { rule: FieldRule; target: string; upgrade: string; forwarding: ForwardingLines },
): Buffer {
  writer.begin();
  if (target === "") writer.copy(head.bytes, head.start, head.targetEnd);
  else writer.copy(head.bytes, head.start, head.methodEnd).text(` ${target}`);
  writer.text(" HTTP/1.1\r\n").fields(head, rule);
  if (head.host === -1) writer.text("Host: localhost\r\n");
  if (head.chunked) writer.text("Transfer-Encoding: chunked\r\n");
  else if (head.contentLength !== -1) writer.text(`Content-Length: ${head.contentLength}\r\n`);
  if (upgrade !== "") writer.text(`Connection: upgrade\r\nUpgrade: ${upgrade}\r\n`);
  else if (head.te !== -1 && /\btrailers\b/i.test(head.value(head.te)))
    writer.text("Connection: TE\r\nTE: trailers\r\n");
  const lines = forwarding.linesFor(head);
  return writer.copy(lines, 0, lines.length).text(CRLF).take();
}

/** Methods whose requests may be sent twice (RFC 9110 section 9.2.2). */
const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

export const isIdempotent = (method: string): boolean => IDEMPOTENT.has(method);
