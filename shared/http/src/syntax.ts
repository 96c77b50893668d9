// Byte classes of HTTP/1.1 (RFC 9110 section 5, RFC 9112), as tables that are read once a byte.

export const CR = 13;
export const LF = 10;
export const SP = 32;
export const TAB = 9;
export const COLON = 58;
const BRACKET_OPEN = 91;
const BRACKET_CLOSE = 93;
const DIGIT_0 = 48;
const DIGIT_9 = 57;
const MAX_PORT_DIGITS = 5;
export const CRLF = "\r\n";
export const NO_BYTES = Buffer.alloc(0);

function tableOf(classify: (byte: number) => number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => classify(byte));
}

const isAlphanumeric = (byte: number): boolean => /[0-9A-Za-z]/.test(String.fromCharCode(byte));

/**
 * Bytes of a token (RFC 9110 section 5.6.2), each as its normal form, 0 for all others. The normal form is lower case,
 * with `-` for all but letters and digits: applications that turn names into variables (CGI, WSGI) cannot tell these
 * apart, so neither may a check of names.
 */
export const TOKEN = tableOf((byte) => {
  const char = String.fromCharCode(byte);
  if (isAlphanumeric(byte)) return char.toLowerCase().charCodeAt(0);
  return "!#$%&'*+-.^_`|~".includes(char) ? "-".charCodeAt(0) : 0;
});

/** Bytes of a field value (RFC 9110 section 5.5): visible, space, tab, and obs-text. */
export const VALUE = tableOf((byte) => (byte === TAB || (byte >= SP && byte !== 127) ? 1 : 0));

/** Bytes of a request target: visible but `#`, which starts a fragment, and bytes above ASCII, as old clients send. */
export const TARGET = tableOf((byte) => (byte > SP && byte !== 127 && byte !== "#".charCodeAt(0) ? 1 : 0));

/** Bytes of a registered name or an IPv4 address (RFC 3986 section 3.2.2): unreserved, percent, sub-delims but comma. */
const NAME_BYTE = tableOf((byte) =>
  isAlphanumeric(byte) || "-._~%!$&'()*+;=".includes(String.fromCharCode(byte)) ? 1 : 0,
);

/** Bytes of an address in brackets. */
const BRACKETED_BYTE = tableOf((byte) => (/[0-9A-Fa-f:.]/.test(String.fromCharCode(byte)) ? 1 : 0));

/** Whether `bytes[start, end)` is a host with an optional port; the host may not be empty. */
export function isHost(bytes: Uint8Array, start: number, end: number): boolean {
  const bracketed = bytes[start] === BRACKET_OPEN;
  const allowed = bracketed ? BRACKETED_BYTE : NAME_BYTE;
  const first = bracketed ? start + 1 : start;
  let at = first;
  while (at < end && allowed[bytes[at]!] !== 0) at++;
  if (at === first) return false;
  if (bracketed && (at === end || bytes[at++] !== BRACKET_CLOSE)) return false;
  return at === end || (bytes[at] === COLON && isPort(bytes, at + 1, end));
}

/** Digits, or nothing: both `host:8443` and `host:` are a host. */
function isPort(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at]! < DIGIT_0 || bytes[at]! > DIGIT_9) return false;
  return end - start <= MAX_PORT_DIGITS;
}

/** Values of hexadecimal digits, 255 for all others. */
export const HEX = tableOf((byte) => {
  const value = Number.parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(value) ? 255 : value;
});

/** Whether `bytes[start, end)` are these: without a string, which would have to be made for each comparison. */
export function equals(bytes: Uint8Array, start: number, end: number, other: Uint8Array): boolean {
  if (end - start !== other.length) return false;
  for (let i = 0; i < other.length; i++) if (bytes[start + i] !== other[i]) return false;
  return true;
}
