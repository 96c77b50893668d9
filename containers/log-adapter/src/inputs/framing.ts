// Syslog over a stream (RFC 6587): messages that tell their length before them, or that end with a line feed. Each message
// tells by its first character which of the two it is.

export type Framing = {
  /** The messages that the bytes complete. Throws for a length that is too large. */
  push(bytes: Buffer): Buffer[];
  /** What has come of a message that never ended. */
  rest(): Buffer;
};

const LF = 10;
const SPACE = 32;
const isDigit = (code: number | undefined): boolean => code !== undefined && code >= 49 && code <= 57;
/** Digits of a length. */
const MAX_DIGITS = 8;

export function createFraming(maxBytes: number): Framing {
  let held: Buffer = Buffer.alloc(0);
  return {
    rest: () => held,
    push: (bytes) => {
      held = held.length === 0 ? Buffer.from(bytes) : Buffer.concat([held, bytes]);
      const messages: Buffer[] = [];
      for (;;) {
        const end = isDigit(held[0]) ? counted(held, maxBytes, messages) : delimited(held, maxBytes, messages);
        if (end === 0) return messages;
        held = held.subarray(end);
      }
    },
  };
}

/** Where the first message ends, which is added; 0 where it is not complete. */
function counted(held: Buffer, maxBytes: number, messages: Buffer[]): number {
  const space = held.subarray(0, MAX_DIGITS + 1).indexOf(SPACE);
  if (space < 0) {
    if (held.length > MAX_DIGITS) throw new Error(`expected a length before the message, got ${quoted(held)}`);
    return 0;
  }
  const length = Number(held.toString("latin1", 0, space));
  if (!(length <= maxBytes)) throw new Error(`expected a message of at most ${maxBytes} bytes, got ${quoted(held)}`);
  const end = space + 1 + length;
  if (held.length < end) return 0;
  messages.push(held.subarray(space + 1, end));
  return end;
}

/** One that is longer than the limit is given in pieces. */
function delimited(held: Buffer, maxBytes: number, messages: Buffer[]): number {
  const end = held.indexOf(LF);
  if (end < 0 && held.length < maxBytes) return 0;
  if (end < 0 || end > maxBytes) {
    messages.push(held.subarray(0, maxBytes));
    return maxBytes;
  }
  if (end > 0) messages.push(held.subarray(0, end));
  return end + 1;
}

const quoted = (bytes: Buffer): string => JSON.stringify(bytes.toString("latin1", 0, 20));
