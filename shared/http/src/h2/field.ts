// One field of a header section as HTTP/2 has it, judged when it is decoded, so that the entries of a compression table
// are judged once and not for each message.
import { SP, TAB, TOKEN, VALUE } from "../syntax.ts";

/** What a field is to a message (RFC 9113 section 8). */
export const KIND = {
  regular: 0,
  method: 1,
  scheme: 2,
  path: 3,
  authority: 4,
  status: 5,
  host: 6,
  cookie: 7,
  contentLength: 8,
  te: 9,
  /** Not to be in a message at all: malformed, unknown pseudo-fields, and fields that are about a connection. */
  forbidden: 10,
} as const;
export type Kind = (typeof KIND)[keyof typeof KIND];

export type Field = { readonly name: string; readonly value: string; readonly kind: Kind };

const KINDS = new Map<string, Kind>([
  [":method", KIND.method],
  [":scheme", KIND.scheme],
  [":path", KIND.path],
  [":authority", KIND.authority],
  [":status", KIND.status],
  ["host", KIND.host],
  ["cookie", KIND.cookie],
  ["content-length", KIND.contentLength],
  ["te", KIND.te],
  ["connection", KIND.forbidden],
  ["proxy-connection", KIND.forbidden],
  ["keep-alive", KIND.forbidden],
  ["transfer-encoding", KIND.forbidden],
  ["upgrade", KIND.forbidden],
]);

/** Makes a field of text of which each character is one byte. */
export function fieldOf(name: string, value: string): Field {
  const known = KINDS.get(name);
  const wellFormed = (known !== undefined || isName(name)) && isValue(value);
  return { name, value, kind: wellFormed ? (known ?? KIND.regular) : KIND.forbidden };
}

/** A token without capitals (RFC 9113 section 8.2.1). */
function isName(name: string): boolean {
  for (let at = 0; at < name.length; at++) {
    const code = name.charCodeAt(at);
    if (TOKEN[code] === 0 || (code >= 65 && code <= 90)) return false;
  }
  return name !== "";
}

/** No control characters, and no white space at the ends. */
function isValue(value: string): boolean {
  for (let at = 0; at < value.length; at++) if (VALUE[value.charCodeAt(at)] === 0) return false;
  return !isSpace(value.charCodeAt(0)) && !isSpace(value.charCodeAt(value.length - 1));
}

const isSpace = (code: number): boolean => code === SP || code === TAB;
