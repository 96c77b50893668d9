// Field names that mean something to a proxy, found by a hash that the parser computes while it checks the name.
import { TOKEN } from "./syntax.ts";

/** Identities of the fields that the data plane itself acts on. 0 is any other field. */
export const FIELD = {
  host: 1,
  contentLength: 2,
  transferEncoding: 3,
  connection: 4,
  keepAlive: 5,
  proxyConnection: 6,
  te: 7,
  trailer: 8,
  upgrade: 9,
  expect: 10,
  http2Settings: 11,
  proxy: 12,
} as const;

const BUILT_IN = [
  "host",
  "content-length",
  "transfer-encoding",
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "upgrade",
  "expect",
  "http2-settings",
  "proxy",
];

/** Where identities of the caller's own names begin. */
const FIRST_OWN = 16;

/** The hash of a name's normal form: start with 0, add one byte at a time. */
export const addToHash = (hash: number, normalByte: number): number => (Math.imul(hash, 31) + normalByte) | 0;

export type FieldNames = {
  /** All identities are below this. */
  readonly size: number;
  /**
   * The identity of the name at `bytes[start, end)` whose normal form has this hash: positive when spelt exactly (but
   * for case), negative when spelt with `_`, `.` or the like for `-`, 0 when it is not in the table.
   */
  find(bytes: Uint8Array, start: number, end: number, hash: number): number;
  /** The identity of one of the caller's own names. */
  idOf(name: string): number;
};

/** Makes the table: the built-in names, and the caller's own, such as those of the fields that it sets itself. */
export function createFieldNames(own: readonly string[] = []): FieldNames {
  const ids = new Map<string, number>();
  for (const [index, name] of BUILT_IN.entries()) ids.set(name, index + 1);
  for (const [index, name] of own.entries()) ids.set(name.toLowerCase(), FIRST_OWN + index);

  const byHash = new Map<number, { name: Buffer; id: number }[]>();
  for (const [name, id] of ids) {
    const bytes = Buffer.from(name);
    const hash = bytes.reduce((h, byte) => addToHash(h, TOKEN[byte]!), 0);
    byHash.set(hash, [...(byHash.get(hash) ?? []), { name: bytes, id }]);
  }
  return {
    size: FIRST_OWN + own.length,
    find: (bytes, start, end, hash) => {
      const candidates = byHash.get(hash);
      if (candidates === undefined) return 0;
      for (const { name, id } of candidates) {
        const match = compare(bytes, start, end, name);
        if (match !== 0) return match * id;
      }
      return 0;
    },
    idOf: (name) => {
      const id = ids.get(name.toLowerCase());
      if (id === undefined) throw new TypeError(`field name: expected one of the table, got ${name}`);
      return id;
    },
  };
}

/** 1 when the same but for case, -1 when the same in normal form only, 0 otherwise. */
function compare(bytes: Uint8Array, start: number, end: number, name: Buffer): number {
  if (end - start !== name.length) return 0;
  let exact = 1;
  for (let i = 0; i < name.length; i++) {
    const byte = bytes[start + i]!;
    if (TOKEN[byte] !== TOKEN[name[i]!]) return 0;
    // Only what stands for `-` differs from its normal form by more than case.
    if ((byte | 0x20) !== name[i]) exact = -1;
  }
  return exact;
}
