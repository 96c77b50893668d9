// One question over FastCGI (fastcgi-archives.github.io/FastCGI_Specification.html): a GET, and what the responder writes.
import { connect } from "node:net";

import type { Address } from "@outrigger/options";
import { formatAddress } from "@outrigger/options";

const VERSION = 1;
const TYPES = { begin: 1, end: 3, params: 4, stdin: 5, stdout: 6 } as const;
const RESPONDER = 1;
const REQUEST_ID = 1;
const HEADER_LENGTH = 8;

function record(type: number, content: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_LENGTH);
  header.writeUInt8(VERSION, 0);
  header.writeUInt8(type, 1);
  header.writeUInt16BE(REQUEST_ID, 2);
  header.writeUInt16BE(content.length, 4);
  return Buffer.concat([header, content]);
}

/** A length below 128 is one byte, and four with the highest bit set otherwise. */
function lengthOf(text: string): Buffer {
  const length = Buffer.byteLength(text);
  if (length < 128) return Buffer.from([length]);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(length + 0x80_00_00_00);
  return bytes;
}

const pairOf = ([name, value]: readonly [string, string]): Buffer =>
  Buffer.concat([lengthOf(name), lengthOf(value), Buffer.from(name + value)]);

function requestFor(path: string, query: string): Buffer {
  const params = {
    SCRIPT_NAME: path,
    SCRIPT_FILENAME: path,
    REQUEST_URI: `${path}?${query}`,
    QUERY_STRING: query,
    REQUEST_METHOD: "GET",
    SERVER_SOFTWARE: "outrigger",
    SERVER_PROTOCOL: "HTTP/1.1",
    GATEWAY_INTERFACE: "CGI/1.1",
  };
  const pairs = Buffer.concat(Object.entries(params).map(pairOf));
  const begin = Buffer.from([0, RESPONDER, 0, 0, 0, 0, 0, 0]);
  const empty = Buffer.alloc(0);
  return Buffer.concat([
    record(TYPES.begin, begin),
    record(TYPES.params, pairs),
    record(TYPES.params, empty),
    record(TYPES.stdin, empty),
  ]);
}

/** What the records hold that are there as a whole: the output so far, and whether it is all. */
function readRecords(bytes: Buffer): { output: string; ended: boolean } {
  const output: Buffer[] = [];
  let at = 0;
  let ended = false;
  while (bytes.length - at >= HEADER_LENGTH) {
    const type = bytes.readUInt8(at + 1);
    const length = bytes.readUInt16BE(at + 4);
    const end = at + HEADER_LENGTH + length + bytes.readUInt8(at + 6);
    if (bytes.readUInt8(at) !== VERSION) throw new Error("expected FastCGI, got something else");
    if (bytes.length < end) break;
    if (type === TYPES.stdout) output.push(bytes.subarray(at + HEADER_LENGTH, at + HEADER_LENGTH + length));
    ended ||= type === TYPES.end;
    at = end;
  }
  return { output: Buffer.concat(output).toString("utf8"), ended };
}

type Question = {
  readonly address: Address;
  readonly path: string;
  readonly query: string;
  readonly signal: AbortSignal;
  readonly maxBodySize: number;
};

/** Asks on a connection of its own; gives the body. Rejects for a status that is not 200. */
export function askFastCgi({ address, path, query, signal, maxBodySize }: Question): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect(address);
  let received = Buffer.alloc(0);
  const fail = (error: Error): void => reject(new Error(`${formatAddress(address)}: ${error.message}`));
  const abort = (): void => fail(new Error("aborted"));
  signal.addEventListener("abort", abort);
  socket.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    try {
      const { output, ended } = readRecords(received);
      if (ended) resolve(bodyOf(output));
      else if (received.length > maxBodySize) fail(new Error(`expected at most ${maxBodySize} bytes, got more`));
    } catch (error) {
      fail(error as Error);
    }
  });
  socket.on("error", fail);
  socket.on("close", () => fail(new Error("the server closed the connection")));
  socket.write(requestFor(path, query));
  return promise.finally(() => {
    signal.removeEventListener("abort", abort);
    socket.destroy();
  });
}

/** The output begins with a header, as CGI has it; no `Status` in it is 200. */
function bodyOf(output: string): string {
  const end = output.indexOf("\r\n\r\n");
  const status = /^Status:\s*(\d+)/im.exec(output.slice(0, end))?.[1] ?? "200";
  if (end < 0 || status !== "200") throw new Error(`expected status 200, got ${end < 0 ? "no header" : status}`);
  return output.slice(end + 4);
}
