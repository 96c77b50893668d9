// Where the key of an HTTP request is, as options write it, and how it is found in a head.
import type { HeadParser, Peer } from "@outrigger/http";

export const KEY_FORM =
  "path, uri, header:NAME, query:NAME, cookie:NAME, client-ip, path-regex:PATTERN, or several of them";

/** One place where a key may be. Finds it in a head: true when `range` is where it is. */
type Finder = (head: HeadParser, peer: Peer, range: Range) => boolean;

/** A part of some bytes. */
type Range = { bytes: Uint8Array; start: number; end: number };

export type KeyReader = Range & {
  /** Looks for the key of a request; true when the range is where it is, until the next call. */
  read(head: HeadParser, peer: Peer): boolean;
};

/** Of the addresses in `X-Forwarded-For`, which are believed. */
export type IsTrusted = (address: string) => boolean;

const QUESTION_MARK = 63;
const AMPERSAND = 38;
const EQUALS = 61;
const SEMICOLON = 59;
const SPACE = 32;
const TOKEN = /^[!#$%&'*+.^`|~\w-]{1,100}$/;

const MAKERS: Readonly<Record<string, (name: string, isTrusted: IsTrusted) => Finder | undefined>> = {
  path: (name) => (name === "" ? findPath : undefined),
  uri: (name) => (name === "" ? findUri : undefined),
  header: (name) => (TOKEN.test(name) ? inHeader(name) : undefined),
  query: (name) => (TOKEN.test(name) ? inQuery(name) : undefined),
  cookie: (name) => (TOKEN.test(name) ? inCookie(name) : undefined),
  "client-ip": (name, isTrusted) => (name === "" ? byClient(isTrusted) : undefined),
  "path-regex": (pattern) => byPattern(pattern),
};

/** Makes what finds a key in one place, or undefined when it is not written as it should be. */
export function parseKeySource(text: string, isTrusted: IsTrusted = () => false): Finder | undefined {
  const colon = text.indexOf(":");
  const kind = colon === -1 ? text : text.slice(0, colon);
  const make = Object.hasOwn(MAKERS, kind) ? MAKERS[kind] : undefined;
  return make?.(colon === -1 ? "" : text.slice(colon + 1), isTrusted);
}

/** Looks in one place after another. */
export function createKeyReader(sources: readonly string[], isTrusted: IsTrusted): KeyReader {
  const finders = sources.map((source) => parseKeySource(source, isTrusted)!);
  const reader: KeyReader = {
    bytes: Buffer.alloc(0),
    start: 0,
    end: 0,
    read: (head, peer) => {
      for (const find of finders) if (find(head, peer, reader) && reader.end > reader.start) return true;
      return false;
    },
  };
  return reader;
}

function set(range: Range, bytes: Uint8Array, start: number, end: number): boolean {
  range.bytes = bytes;
  range.start = start;
  range.end = end;
  return true;
}

/** Where the path begins: a target may have a scheme and a host before it (RFC 9112 section 3.2.2). */
function pathStart({ bytes, targetStart, targetEnd }: HeadParser): number {
  if (bytes[targetStart] === 0x2f) return targetStart;
  const host = bytes.indexOf("//", targetStart) + 2;
  const slash = host < 2 || host > targetEnd ? -1 : bytes.indexOf("/", host);
  return slash === -1 || slash > targetEnd ? targetStart : slash;
}

function pathEnd({ bytes, targetEnd }: HeadParser, start: number): number {
  for (let at = start; at < targetEnd; at++) if (bytes[at] === QUESTION_MARK) return at;
  return targetEnd;
}

const findUri: Finder = (head, _, range) => set(range, head.bytes, pathStart(head), head.targetEnd);

const findPath: Finder = (head, _, range) => {
  const start = pathStart(head);
  return set(range, head.bytes, start, pathEnd(head, start));
};

/** The index of the first field of this name (in lower case), or -1. */
function fieldOf(head: HeadParser, name: Uint8Array): number {
  for (let i = 0; i < head.count; i++) {
    const start = head.nameStart[i]!;
    if (head.nameEnd[i]! - start === name.length && isSameName(head.bytes, start, name)) return i;
  }
  return -1;
}

/** Names are tokens, in which letters alone differ by case. */
function isSameName(bytes: Uint8Array, start: number, name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i++) {
    const byte = bytes[start + i]!;
    if ((byte >= 65 && byte <= 90 ? byte | 0x20 : byte) !== name[i]) return false;
  }
  return true;
}

function inHeader(written: string): Finder {
  const name = Buffer.from(written.toLowerCase());
  return (head, _, range) => {
    const field = fieldOf(head, name);
    return field !== -1 && set(range, head.bytes, head.valueStart[field]!, head.valueEnd[field]!);
  };
}

function inQuery(name: string): Finder {
  const key = Buffer.from(name);
  return (head, _, range) => {
    const start = pathEnd(head, pathStart(head)) + 1;
    return findPair(head.bytes, { start, end: head.targetEnd, separator: AMPERSAND }, key, range);
  };
}

const COOKIE = Buffer.from("cookie");

function inCookie(name: string): Finder {
  const key = Buffer.from(name);
  return (head, _, range) => {
    const field = fieldOf(head, COOKIE);
    if (field === -1) return false;
    const within = { start: head.valueStart[field]!, end: head.valueEnd[field]!, separator: SEMICOLON };
    return findPair(head.bytes, within, key, range);
  };
}

/** The value of the first `key=value` between separators, behind which spaces may stand. */
function findPair(
  bytes: Uint8Array,
  { start, end, separator }: { start: number; end: number; separator: number },
  key: Uint8Array,
  range: Range,
): boolean {
  for (let at = start; at < end;) {
    while (at < end && bytes[at] === SPACE) at++;
    let stop = at;
    while (stop < end && bytes[stop] !== separator) stop++;
    const value = at + key.length + 1;
    if (value <= stop && bytes[value - 1] === EQUALS && key.every((byte, i) => bytes[at + i] === byte))
      return set(range, bytes, value, stop);
    at = stop + 1;
  }
  return false;
}

const FORWARDED_FOR = Buffer.from("x-forwarded-for");

/** The client's address: the last one that a trusted proxy names and that is no trusted proxy itself. */
function byClient(isTrusted: IsTrusted): Finder {
  return (head, { address, trusted }, range) => {
    const field = trusted ? fieldOf(head, FORWARDED_FOR) : -1;
    const chain = field === -1 ? [] : head.value(field).split(",");
    const client = [...chain.map((one) => one.trim()), address].findLast((one) => !isTrusted(one)) ?? address;
    const bytes = Buffer.from(client, "latin1");
    return set(range, bytes, 0, bytes.length);
  };
}

function byPattern(pattern: string): Finder | undefined {
  const regex = patternOf(pattern);
  if (regex === undefined) return undefined;
  return (head, _, range) => {
    const start = pathStart(head);
    const match = regex.exec(head.bytes.toString("latin1", start, pathEnd(head, start)));
    if (match === null) return false;
    const bytes = Buffer.from(match[1] ?? match[0], "latin1");
    return set(range, bytes, 0, bytes.length);
  };
}

function patternOf(pattern: string): RegExp | undefined {
  try {
    return pattern === "" ? undefined : new RegExp(pattern, "u");
  } catch {
    return undefined;
  }
}
