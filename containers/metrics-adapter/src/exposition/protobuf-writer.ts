// Writes protobuf's wire format (protobuf.dev/programming-guides/encoding), as far as metrics need it.

/** Fields are appended in the order of the calls; a field of a default value is the caller's to leave out. */
export type ProtobufWriter = {
  string(field: number, text: string): void;
  double(field: number, value: number): void;
  /** A whole number that is not negative, or an enum. */
  unsigned(field: number, value: number): void;
  /** A zigzag-coded whole number: sint32 and sint64. */
  signed(field: number, value: number): void;
  message(field: number, write: (writer: ProtobufWriter) => void): void;
  finish(): Buffer;
};

const [VARINT, FIXED64, BYTES] = [0, 1, 2];

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return bytes;
}

/** A length as it stands before a delimited message. */
export const encodeLength = (length: number): Buffer => Buffer.from(varint(length));

export function createProtobufWriter(): ProtobufWriter {
  let buffer = Buffer.allocUnsafe(256);
  let end = 0;
  const reserve = (bytes: number): void => {
    if (end + bytes <= buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(buffer.length * 2, end + bytes));
    buffer.copy(larger, 0, 0, end);
    buffer = larger;
  };
  const put = (value: number): void => {
    reserve(10);
    for (const byte of varint(value)) buffer[end++] = byte;
  };
  const tag = (field: number, wire: number): void => put(field * 8 + wire);
  const writer: ProtobufWriter = {
    string: (field, text) => {
      const length = Buffer.byteLength(text);
      tag(field, BYTES!);
      put(length);
      reserve(length);
      end += buffer.write(text, end);
    },
    double: (field, value) => {
      tag(field, FIXED64!);
      reserve(8);
      end = buffer.writeDoubleLE(value, end);
    },
    unsigned: (field, value) => {
      tag(field, VARINT!);
      put(value);
    },
    signed: (field, value) => {
      tag(field, VARINT!);
      put(value >= 0 ? value * 2 : -value * 2 - 1);
    },
    message: (field, write) => {
      const inner = createProtobufWriter();
      write(inner);
      const bytes = inner.finish();
      tag(field, BYTES!);
      put(bytes.length);
      reserve(bytes.length);
      end += bytes.copy(buffer, end);
    },
    finish: () => buffer.subarray(0, end),
  };
  return writer;
}
