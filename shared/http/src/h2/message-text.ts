// Requests and trailers of HTTP/2 as HTTP/1.1 has them (RFC 9113 section 8), so that one parser and one set of rules
// judges both. What HTTP/2 itself forbids is refused here; all else is for the parser.
import { CRLF } from "../syntax.ts";
import type { Field } from "./field.ts";
import { KIND } from "./field.ts";

/** A request's head as text of which each character is one byte. */
export type RequestText = {
  readonly head: string;
  readonly isHead: boolean;
  /** Content-Length, -1 without one. */
  readonly length: number;
  /** Whether the body has to be sent in chunks. */
  readonly chunked: boolean;
};

type Pseudo = { method: string; scheme: string; path: string; authority: string };

/** The request, or undefined when it is malformed. `end` says that it has no body. */
export function requestTextOf(fields: readonly Field[], end: boolean): RequestText | undefined {
  const pseudo: Pseudo = { method: "", scheme: "", path: "", authority: "" };
  const from = takePseudo(fields, pseudo);
  if (from < 0 || pseudo.method === "" || pseudo.scheme === "" || pseudo.path === "") return undefined;
  const rest = takeRegular(fields, from);
  if (rest === undefined) return undefined;
  const { lines, cookie, length } = rest;
  const hosts = hostLines(pseudo.authority || rest.host, rest.host);
  const chunked = !end && length === -1;
  const framing = chunked ? "transfer-encoding: chunked\r\n" : length === -1 ? "" : `content-length: ${length}\r\n`;
  const cookies = cookie === "" ? "" : `cookie: ${cookie}\r\n`;
  return {
    head: `${pseudo.method} ${pseudo.path} HTTP/1.1\r\n${hosts}${lines}${cookies}${framing}\r\n`,
    isHead: pseudo.method === "HEAD",
    length,
    chunked,
  };
}

/** Two hosts that differ are left to the parser, which refuses them. */
function hostLines(authority: string, host: string): string {
  const other = host === "" || host === authority ? "" : `host: ${host}\r\n`;
  return authority === "" ? "" : `host: ${authority}\r\n${other}`;
}

/** Reads the pseudo-fields, which come first and once each; gives the index behind them, or -1. */
function takePseudo(fields: readonly Field[], pseudo: Pseudo): number {
  let at = 0;
  for (; at < fields.length; at++) {
    const { kind, value } = fields[at]!;
    const part = PSEUDO[kind];
    if (part === undefined) return at;
    // Neither can have white space, which would begin another part of a request line.
    if (pseudo[part] !== "" || value === "" || value.includes(" ") || value.includes("\t")) return -1;
    pseudo[part] = value;
  }
  return at;
}

const PSEUDO: readonly (keyof Pseudo | undefined)[] = [undefined, "method", "scheme", "path", "authority"];

type Regular = { lines: string; cookie: string; host: string; length: number };

function takeRegular(fields: readonly Field[], from: number): Regular | undefined {
  const taken: Regular = { lines: "", cookie: "", host: "", length: -1 };
  for (let at = from; at < fields.length; at++) {
    if (!takeField(fields[at]!, taken)) return undefined;
  }
  return taken;
}

/** Adds one field; false when it must not be there. */
function takeField({ name, value, kind }: Field, taken: Regular): boolean {
  switch (kind) {
    case KIND.regular:
      taken.lines += `${name}: ${value}\r\n`;
      return true;
    case KIND.cookie:
      // Cut into pieces for the compression's sake (RFC 9113 section 8.2.3).
      taken.cookie += taken.cookie === "" ? value : `; ${value}`;
      return true;
    case KIND.host:
      if (taken.host !== "") return false;
      taken.host = value;
      return true;
    case KIND.contentLength:
      if (taken.length !== -1 || !/^\d{1,15}$/.test(value)) return false;
      taken.length = Number(value);
      return true;
    case KIND.te:
      taken.lines += "te: trailers\r\n";
      return value.toLowerCase() === "trailers";
    default:
      return false;
  }
}

/** A response's head, or undefined when it is malformed. */
export function responseTextOf(fields: readonly Field[]): string | undefined {
  const [first, ...rest] = fields;
  if (first?.kind !== KIND.status || !/^[1-5]\d\d$/.test(first.value)) return undefined;
  let lines = "";
  for (const { name, value, kind } of rest) {
    if (name.startsWith(":") || kind === KIND.forbidden) return undefined;
    lines += `${name}: ${value}${CRLF}`;
  }
  return `HTTP/1.1 ${first.value} ${CRLF}${lines}${CRLF}`;
}

/** Trailers as lines, or undefined when they are malformed: they have no pseudo-fields. */
export function trailerTextOf(fields: readonly Field[]): string | undefined {
  let lines = "";
  for (const { name, value, kind } of fields) {
    if (name.startsWith(":") || kind === KIND.forbidden) return undefined;
    lines += `${name}: ${value}${CRLF}`;
  }
  return lines;
}
