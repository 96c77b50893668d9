// HTTP/1.1 as far as the load needs it: a GET, and answers with a Content-Length.
import type { Socket } from "node:net";

/** The files that the backend serves. */
export const SMALL = { name: "1k", bytes: 1024 };
export const LARGE = { name: "10m", bytes: 10 * 2 ** 20 };

const get = (connection: string): Buffer =>
  Buffer.from(`GET /${SMALL.name} HTTP/1.1\r\nHost: localhost\r\nConnection: ${connection}\r\n\r\n`);

export const KEEP_ALIVE_REQUEST = get("keep-alive");
export const CLOSING_REQUEST = get("close");

/**
 * Counts the answers in the chunks that it is given, calling `onAnswer` for each whole one. Throws on any status but
 * 200 and on any length but that of the small file.
 */
export function answerReader(onAnswer: () => void): (chunk: Buffer) => void {
  let head = "";
  let missing = 0;
  return (chunk) => {
    let rest = chunk;
    while (rest.length > 0) {
      if (missing === 0) {
        const before = head.length;
        head += rest.toString("latin1");
        const end = head.indexOf("\r\n\r\n");
        if (end < 0) return;
        if (!/^HTTP\/1\.1 200 [^]*\r\ncontent-length: 1024\r\n/i.test(head.slice(0, end + 2))) {
          throw new Error(`answer: expected 200 with 1,024 bytes, got ${head.slice(0, end).split("\r\n")[0]}`);
        }
        rest = rest.subarray(end + 4 - before);
        head = "";
        missing = SMALL.bytes;
      }
      const taken = Math.min(missing, rest.length);
      missing -= taken;
      rest = rest.subarray(taken);
      if (missing === 0) onAnswer();
    }
  };
}

/** Sends one request at a time over the connection, and waits for its answer. Rejects if the connection ends first. */
export function exchangeOver(socket: Socket): (request: Buffer) => Promise<void> {
  let pending: PromiseWithResolvers<void> | undefined;
  const fail = (error: Error): void => pending?.reject(error);
  const read = answerReader(() => pending?.resolve());
  socket.on("data", (chunk: Buffer) => {
    try {
      read(chunk);
    } catch (error) {
      socket.destroy(error as Error);
    }
  });
  socket.on("error", fail);
  socket.on("close", () => fail(new Error("answer: expected 200 with 1,024 bytes, got the end of the connection")));
  return async (request) => {
    if (socket.destroyed) throw new Error("request: expected an open connection, got a closed one");
    pending = Promise.withResolvers();
    socket.write(request);
    return pending.promise;
  };
}
