// Byte classes of HTTP/1.1 (RFC 9110 section 5, RFC 9112), as tables that are read once a byte.

export const CR = 13;
export const LF = 10;
export const SP = 32;
export const TAB = 9;
export const COLON = 58;
export const CRLF = "\r\n";

function tableOf(classify: (byte: number) => number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => classify(byte));
}

const isAlphanumeric = (byte: number): boolean => /[0-9A-Za-z]/.test(String.fromCharCode(byte));

/**
 * Bytes of a token (RFC 9110 section 5.6.2), each as its normal form, 0 for all others. The normal form is lower case,
 * with `_` and `.` as `-`: applications that turn names into variables (CGI, WSGI) cannot tell these apart, so neither
 * may a check of names.
 */
export const TOKEN = tableOf((byte) => {
  const char = String.fromCharCode(byte);
  if (isAlphanumeric(byte)) return char.toLowerCase().charCodeAt(0);
  if ("_.".includes(char)) return "-".charCodeAt(0);
  return "!#$%&'*+-^`|~".includes(char) ? byte : 0;
});

/** Bytes of a field value (RFC 9110 section 5.5): visible, space, tab, and obs-text. */
export const VALUE = tableOf((byte) => (byte === TAB || (byte >= SP && byte !== 127) ? 1 : 0));

/** Bytes of a request target: visible but `#`, which starts a fragment, and bytes above ASCII, as old clients send. */
export const TARGET = tableOf((byte) => (byte > SP && byte !== 127 && byte !== "#".charCodeAt(0) ? 1 : 0));

/** Bytes of a host with port (RFC 3986 section 3.2.2): unreserved, sub-delims, percent, colon, brackets. */
const HOST_BYTE = tableOf((byte) =>
  isAlphanumeric(byte) || "-._~!$&'()*+;=%:[]".includes(String.fromCharCode(byte)) ? 1 : 0,
);

/** Whether `bytes[start, end)` can be a host with port; it may not be empty. */
export function isHost(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (HOST_BYTE[bytes[at]!] === 0) return false;
  return end > start;
}

/** Values of hexadecimal digits, 255 for all others. */
export const HEX = tableOf((byte) => {
  const value = Number.parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(value) ? 255 : value;
});
