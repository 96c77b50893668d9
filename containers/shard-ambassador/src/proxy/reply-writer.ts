// Puts the replies of a turn together, so that each client gets them in one write. Small ones are copied into one buffer
// that all clients share, large ones are written as they are.
import type { Socket } from "node:net";

const SIZE = 64 * 1024;
const LARGE = 16 * 1024;

export type ReplyWriter = {
  write(socket: Socket, bytes: Buffer, start: number, end: number): void;
  /** Sends what has been put together; to be called before writing to another socket. */
  end(socket: Socket): void;
};

export function createReplyWriter(): ReplyWriter {
  let buffer = Buffer.allocUnsafeSlow(SIZE);
  let filled = 0;
  const end = (socket: Socket): void => {
    if (filled === 0) return;
    socket.write(filled === SIZE ? buffer : buffer.subarray(0, filled));
    // What the kernel has not taken yet keeps the buffer.
    if (socket.writableLength > 0) buffer = Buffer.allocUnsafeSlow(SIZE);
    filled = 0;
  };
  return {
    write: (socket, bytes, start, stop) => {
      const length = stop - start;
      if (length > LARGE) {
        end(socket);
        socket.write(start === 0 && stop === bytes.length ? bytes : bytes.subarray(start, stop));
        return;
      }
      if (filled + length > SIZE) end(socket);
      bytes.copy(buffer, filled, start, stop);
      filled += length;
    },
    end,
  };
}
