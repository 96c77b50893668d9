// Replies that the ambassador writes itself.

export const OK = Buffer.from("+OK\r\n");
export const PONG = Buffer.from("+PONG\r\n");

const oneLine = (text: string): string => text.replaceAll(/[^\u0020-\u007e]/g, "?").slice(0, 512);

/** `-<code> <text>`; what a client has sent may be quoted in it. */
export const errorReply = (text: string, code = "ERR"): Buffer => Buffer.from(`-${code} ${oneLine(text)}\r\n`);

export const integerReply = (value: number): Buffer => Buffer.from(`:${value}\r\n`);

export function bulkReply(bytes: Uint8Array | string): Buffer {
  const data = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
  return Buffer.concat([Buffer.from(`$${data.length}\r\n`), data, Buffer.from("\r\n")]);
}

export type ReplyValue = string | number | readonly ReplyValue[];

/** Text, numbers and lists of them. */
export function reply(value: ReplyValue): Buffer {
  if (typeof value === "string") return bulkReply(value);
  if (typeof value === "number") return integerReply(value);
  return Buffer.concat([Buffer.from(`*${value.length}\r\n`), ...value.map(reply)]);
}

/** Names with values: a map in RESP3, a flat list in RESP2. */
export function mapReply(entries: Readonly<Record<string, ReplyValue>>, protocol: 2 | 3): Buffer {
  const pairs = Object.entries(entries);
  const head = Buffer.from(protocol === 3 ? `%${pairs.length}\r\n` : `*${pairs.length * 2}\r\n`);
  return Buffer.concat([head, ...pairs.flatMap(([name, value]) => [reply(name), reply(value)])]);
}
