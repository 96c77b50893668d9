// What a caller changes in the responses of its upstreams: lines that it adds, and values that it rewrites.
import { FIELD, createFieldNames } from "./field-names.ts";
import type { FieldNames } from "./field-names.ts";
import type { HeadParser } from "./head-parser.ts";
import type { FieldRule, MessageWriter } from "./message-writer.ts";
import { CRLF } from "./syntax.ts";

/** Gives the new value of a field; `host` is the request's Host, "" without one. */
export type Rewrite = (value: string, host: string) => string;

export type ResponseSettings = {
  /** Lines that each response gets, each with its CR LF. */
  readonly lines?: string;
  /** Names, in lower case, of fields that only `lines` may set. */
  readonly ownedFields?: readonly string[];
  /** By a field's name in lower case. */
  readonly rewrites?: Readonly<Record<string, Rewrite>>;
};

/** The settings as the hot path needs them. */
export type ResponseRules = {
  readonly names: FieldNames;
  readonly fields: FieldRule;
  readonly lines: string;
  /** The lines, and the empty one behind a head. */
  readonly endOfHead: string;
  /** By identity; undefined when there are none. */
  readonly rewrites: readonly (Rewrite | undefined)[] | undefined;
};

export function createResponseRules({ lines = "", ownedFields = [], rewrites = {} }: ResponseSettings): ResponseRules {
  const rewritten = Object.keys(rewrites);
  const names = createFieldNames([...ownedFields, ...rewritten]);
  // Framing and hop-by-hop fields are written anew.
  const { contentLength, transferEncoding, connection, keepAlive, proxyConnection, te, upgrade } = FIELD;
  const dropped = new Uint8Array(names.size);
  for (const id of [contentLength, transferEncoding, connection, keepAlive, proxyConnection, te, upgrade])
    dropped[id] = 1;
  for (const name of [...ownedFields, ...rewritten]) dropped[names.idOf(name)] = 1;
  const byId = Array.from<Rewrite | undefined>({ length: names.size });
  for (const name of rewritten) byId[names.idOf(name)] = rewrites[name];
  return {
    names,
    fields: { dropped, dropAliases: false },
    lines,
    endOfHead: lines + CRLF,
    rewrites: rewritten.length === 0 ? undefined : byId,
  };
}

/** Writes the fields whose values are rewritten, behind the others and in their own order. */
export function writeRewritten(
  writer: MessageWriter,
  head: HeadParser,
  rewrites: readonly (Rewrite | undefined)[],
  host: string,
): void {
  for (let i = 0; i < head.count; i++) {
    const rewrite = rewrites[head.id[i]!];
    if (rewrite === undefined) continue;
    writer.copy(head.bytes, head.nameStart[i]!, head.nameEnd[i]!).text(`: ${rewrite(head.value(i), host)}${CRLF}`);
  }
}
