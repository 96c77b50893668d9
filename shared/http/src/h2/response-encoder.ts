// Responses in HTTP/1.1, as our own data plane writes them, as header blocks of HTTP/2. One encoder serves all streams of
// a proxy: a head is encoded within one turn.
import { FIELD, createFieldNames } from "../field-names.ts";
import { HeadParser } from "../head-parser.ts";
import type { HpackEncoder } from "./hpack-encoder.ts";
import { STATIC_TABLE, staticIndexOf } from "./static-table.ts";

/** Names of the static table, so that the parser finds a name's index while it checks the name. */
const OWN = [...new Set(STATIC_TABLE.map(([name]) => name))].filter(
  (name) => !name.startsWith(":") && !["host", "expect", "content-length", "transfer-encoding"].includes(name),
);
const NAMES = createFieldNames(OWN);
const CONNECTION_FIELD = -1;
const INDEX = new Int32Array(NAMES.size);
for (const name of OWN) INDEX[NAMES.idOf(name)] = staticIndexOf(name);
INDEX[FIELD.contentLength] = staticIndexOf("content-length");
INDEX[FIELD.host] = staticIndexOf("host");
INDEX[FIELD.expect] = staticIndexOf("expect");
for (const id of [FIELD.connection, FIELD.keepAlive, FIELD.proxyConnection, FIELD.transferEncoding, FIELD.upgrade]) {
  INDEX[id] = CONNECTION_FIELD;
}

/** Fields that we may have added to an application's. */
const MORE_FIELDS = 64;

/** Makes the parser for heads that we have written ourselves: nothing is refused for its size. */
export const createHeadReader = (maxFields: number): HeadParser =>
  new HeadParser(NAMES, { maxHeadBytes: Infinity, maxFields: maxFields + MORE_FIELDS });

/**
 * Adds the fields of a head just parsed, without those that are about the connection (RFC 9113 section 8.2.2), and without
 * a request's Host, which has a pseudo-field of its own.
 */
export function encodeFields(encoder: HpackEncoder, head: HeadParser, { request = false } = {}): HpackEncoder {
  const { bytes, count, id, nameStart, nameEnd, valueStart, valueEnd } = head;
  for (let i = 0; i < count; i++) {
    const index = id[i]! > 0 ? INDEX[id[i]!]! : 0;
    if (index === CONNECTION_FIELD || (request && id[i] === FIELD.host)) continue;
    encoder.copy(index, bytes, { name: [nameStart[i]!, nameEnd[i]!], value: [valueStart[i]!, valueEnd[i]!] });
  }
  return encoder;
}

/** Adds trailer lines, each with its CR LF. */
export function encodeLines(encoder: HpackEncoder, lines: string): HpackEncoder {
  for (const line of lines.split("\r\n")) {
    const colon = line.indexOf(": ");
    if (colon > 0) encoder.field(line.slice(0, colon).toLowerCase(), line.slice(colon + 2));
  }
  return encoder;
}
