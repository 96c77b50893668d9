// Replies that the ambassador writes itself to clients of memcached.

const oneLine = (text: string): string => text.replaceAll(/[^\u0020-\u007e]/g, "?").slice(0, 512);

export const NOTHING = Buffer.alloc(0);
export const END = Buffer.from("END\r\n");
export const FENCE = Buffer.from("MN\r\n");
/** memcached's own reply to a command that it does not know. */
export const UNKNOWN = Buffer.from("ERROR\r\n");

export const lineReply = (text: string): Buffer => Buffer.from(`${oneLine(text)}\r\n`);
/** The client's fault. */
export const clientError = (text: string): Buffer => lineReply(`CLIENT_ERROR ${text}`);
/** Ours, or a shard's. */
export const serverError = (text: string): Buffer => lineReply(`SERVER_ERROR ${text}`);

const ERRORS = ["ERROR\r", "CLIENT_ERROR ", "SERVER_ERROR "];

export const isError = (bytes: Buffer, start: number): boolean =>
  ERRORS.some((word) => bytes.toString("latin1", start, start + word.length) === word);
