import { describe, expect, test } from "vitest";

import { createFieldNames } from "./field-names.ts";
import { REFUSED } from "./field-section.ts";
import { FORWARDING_FIELDS } from "./forwarding.ts";
import { HeadParser } from "./head-parser.ts";

const names = createFieldNames(FORWARDING_FIELDS);
const limits = { maxHeadBytes: 1024, maxFields: 16 };
const bytesOf = (text: string): Buffer => Buffer.from(text, "latin1");

/** What one parse gives: the offset, or the reason of the refusal. */
function parse(text: string, { from = 0, response = false } = {}): { end: number | string; head: HeadParser } {
  const head = new HeadParser(names, limits);
  const end = response ? head.parseResponse(bytesOf(text), from) : head.parseRequest(bytesOf(text), from);
  return { end: end === REFUSED ? head.refusal.reason : end, head };
}

const fieldsOf = (head: HeadParser): [string, string][] =>
  Array.from({ length: head.count }, (_, i) => [head.name(i), head.value(i)]);

const GET = "GET / HTTP/1.1\r\nHost: a\r\n";

describe("requests that are accepted", () => {
  test.each([
    ["the smallest", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"],
    ["HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n"],
    ["every byte that a method may have", "!#$%&'*+-.^_`|~09azAZ / HTTP/1.1\r\nHost: a\r\n\r\n"],
    ["asterisk form", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"],
    ["absolute form", "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n"],
    ["bytes above ASCII in the target and in values", "GET /\xe9 HTTP/1.1\r\nHost: a\r\nX: \xe9\xff\r\n\r\n"],
    ["odd but legal target bytes", 'GET /a"b<c>\\^`{|}%zz?x=[1] HTTP/1.1\r\nHost: a\r\n\r\n'],
    ["white space around values", "GET / HTTP/1.1\r\nHost:\t a \t\r\nX:a  b\r\n\r\n"],
    ["an empty value", `${GET}X:\r\n\r\n`],
    ["two empty lines before it", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"],
    ["an IPv6 host", "GET / HTTP/1.1\r\nHost: [::1]:8443\r\n\r\n"],
    ["a host with a port, or an empty one", "GET / HTTP/1.1\r\nHost: a-b_c.example:65535\r\n\r\n"],
    ["leading zeros in Content-Length", `${GET}Content-Length: 0005\r\n\r\n`],
    ["Chunked in any case", `${GET}transfer-encoding: CHUNKED\r\n\r\n`],
  ])("%s", (_, text) => {
    expect(parse(text).end).toBe(text.length);
  });

  test("the parts of a head are where the parser says", () => {
    const text = "\r\nPOST /p?q HTTP/1.1\r\nHost: a:1\r\nContent-Length: 42\r\nX-Y:  v w \r\n\r\nbody";
    const { end, head } = parse(text);
    expect(end).toBe(text.length - 4);
    expect([head.method, head.target, head.minor, head.contentLength, head.chunked]).toEqual([
      "POST",
      "/p?q",
      1,
      42,
      false,
    ]);
    expect(fieldsOf(head)).toEqual([
      ["host", "a:1"],
      ["content-length", "42"],
      ["x-y", "v w"],
    ]);
    expect(head.find("x-y")).toBe("v w");
    expect(head.find("x-z")).toBeUndefined();
  });

  test("parsing begins where it is told to", () => {
    const text = `garbage${GET}\r\n`;
    expect(parse(text, { from: 7 }).end).toBe(text.length);
  });

  test("Connection's options are told apart, and other names in it are nominated", () => {
    const { head } = parse(`${GET}Connection: Keep-Alive, X-A ,, TE,upgrade\r\nConnection: close\r\n\r\n`);
    expect([head.keepAlive, head.close, head.upgradeToken, head.nominated]).toEqual([true, true, true, ["x-a"]]);
  });

  test("nothing of the last head is left in the next", () => {
    const head = new HeadParser(names, limits);
    head.parseRequest(
      bytesOf(`${GET}Content-Length: 1\r\nConnection: close, x, upgrade\r\nTE: a\r\nExpect: b\r\n\r\n`),
      0,
    );
    head.parseRequest(bytesOf("GET / HTTP/1.0\r\n\r\n"), 0);
    const {
      contentLength,
      chunked,
      host,
      upgrade,
      te,
      expect: expectation,
      close,
      upgradeToken,
      nominated,
      count,
    } = head;
    expect([contentLength, host, upgrade, te, expectation, count, nominated]).toEqual([-1, -1, -1, -1, -1, 0, []]);
    expect([chunked, close, upgradeToken]).toEqual([false, false, false]);
  });
});

describe("requests that are refused", () => {
  const long = "x".repeat(limits.maxHeadBytes);
  test.each([
    [
      "Content-Length and Transfer-Encoding",
      `${GET}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`,
      "length_and_encoding",
    ],
    [
      "Transfer-Encoding and Content-Length",
      `${GET}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n`,
      "length_and_encoding",
    ],
    ["two lengths", `${GET}Content-Length: 5\r\nContent-Length: 6\r\n\r\n`, "several_lengths"],
    ["two equal lengths", `${GET}Content-Length: 5\r\nContent-Length: 5\r\n\r\n`, "several_lengths"],
    ["a list of lengths", `${GET}Content-Length: 5, 5\r\n\r\n`, "bad_content_length"],
    ["a length with a sign", `${GET}Content-Length: +5\r\n\r\n`, "bad_content_length"],
    ["a negative length", `${GET}Content-Length: -5\r\n\r\n`, "bad_content_length"],
    ["a hexadecimal length", `${GET}Content-Length: 0x5\r\n\r\n`, "bad_content_length"],
    ["a length with a space", `${GET}Content-Length: 1 2\r\n\r\n`, "bad_content_length"],
    ["an empty length", `${GET}Content-Length:\r\n\r\n`, "bad_content_length"],
    ["a length of 2^53", `${GET}Content-Length: 9007199254740992\r\n\r\n`, "bad_content_length"],
    ["a length of 400 digits", `${GET}Content-Length: ${"9".repeat(400)}\r\n\r\n`, "bad_content_length"],
    ["an encoding other than chunked", `${GET}Transfer-Encoding: gzip\r\n\r\n`, "bad_transfer_encoding"],
    ["an encoding before chunked", `${GET}Transfer-Encoding: gzip, chunked\r\n\r\n`, "bad_transfer_encoding"],
    ["chunked twice in one line", `${GET}Transfer-Encoding: chunked, chunked\r\n\r\n`, "bad_transfer_encoding"],
    [
      "chunked twice",
      `${GET}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`,
      "bad_transfer_encoding",
    ],
    ["xchunked", `${GET}Transfer-Encoding: xchunked\r\n\r\n`, "bad_transfer_encoding"],
    ["chunked with a vertical tab", `${GET}Transfer-Encoding: \x0bchunked\r\n\r\n`, "control_character"],
    ["an empty encoding", `${GET}Transfer-Encoding:\r\n\r\n`, "bad_transfer_encoding"],
    ["chunked in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "bad_transfer_encoding"],
    ["LF behind the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", "bare_lf"],
    ["LF behind a field", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", "bare_lf"],
    ["LF as the empty line", `${GET}\n`, "bare_lf"],
    ["LF in a name", `${GET}X\n: b\r\n\r\n`, "bare_lf"],
    ["LF in the target", "GET /\n HTTP/1.1\r\n\r\n", "bare_lf"],
    ["LF as the target", "GET \n HTTP/1.1\r\n\r\n", "bare_lf"],
    ["LF in the method", "GE\nT / HTTP/1.1\r\n\r\n", "bare_lf"],
    ["LF first", "\nGET / HTTP/1.1\r\n\r\n", "bare_lf"],
    ["LF in the version", "GET / \nHTTP/1.1\r\n\r\n", "bare_lf"],
    ["CR in a value", `${GET}X: a\rb\r\n\r\n`, "bare_cr"],
    ["CR behind the version", "GET / HTTP/1.1\rHost: a\r\n\r\n", "bare_cr"],
    ["CR as the empty line", `${GET}\rX`, "bare_cr"],
    ["CR CR LF", `${GET}X: a\r\r\n\r\n`, "bare_cr"],
    ["CR in a name", `${GET}X\r: a\r\n\r\n`, "bad_field_name"],
    ["a folded line", `${GET}X: a\r\n b\r\n\r\n`, "folded_field"],
    ["a line folded with a tab", `${GET}X: a\r\n\tb\r\n\r\n`, "folded_field"],
    ["a first line with white space before it", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "folded_field"],
    ["a space before the colon", `${GET}X : a\r\n\r\n`, "space_before_colon"],
    ["a tab before the colon", `${GET}Transfer-Encoding\t: chunked\r\n\r\n`, "space_before_colon"],
    ["an empty name", `${GET}: a\r\n\r\n`, "bad_field_name"],
    ["a line without a colon", `${GET}abc\r\n\r\n`, "bad_field_name"],
    ["a NUL in a name", `${GET}X\0: a\r\n\r\n`, "bad_field_name"],
    ["a byte above ASCII in a name", `${GET}X\xe9: a\r\n\r\n`, "bad_field_name"],
    ["a quote in a name", `${GET}"X": a\r\n\r\n`, "bad_field_name"],
    ["a NUL in a value", `${GET}X: a\0b\r\n\r\n`, "control_character"],
    ["an escape in a value", `${GET}X: \x1b[2J\r\n\r\n`, "control_character"],
    ["DEL in a value", `${GET}X: a\x7f\r\n\r\n`, "control_character"],
    ["a NUL in the target", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target"],
    ["a tab in the target", "GET /\ta HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target"],
    ["a fragment in the target", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target"],
    ["a space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", "bad_request_line"],
    ["two spaces before the target", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "bad_request_line"],
    ["two spaces behind the target", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", "bad_request_line"],
    ["a space behind the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "bad_request_line"],
    ["a space before the method", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", "bad_request_line"],
    ["a tab behind the method", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", "bad_request_line"],
    ["a third empty line", "\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "bad_request_line"],
    ["two Hosts", `${GET}Host: b\r\n\r\n`, "several_hosts"],
    ["two equal Hosts", `${GET}host: a\r\n\r\n`, "several_hosts"],
    ["no Host in HTTP/1.1", "GET / HTTP/1.1\r\nX: a\r\n\r\n", "no_host"],
    ["an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "bad_host"],
    ["a list of Hosts", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "bad_host"],
    ["a Host with a user", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", "bad_host"],
    ["a Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "bad_host"],
    ["a Host with a quote", 'GET / HTTP/1.1\r\nHost: a"b\r\n\r\n', "bad_host"],
    ["a Host with two ports", "GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n", "bad_host"],
    ["a Host with a port that is none", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", "bad_host"],
    ["a Host with a port alone", "GET / HTTP/1.1\r\nHost: :80\r\n\r\n", "bad_host"],
    ["a Host with an open bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", "bad_host"],
    ["a Host with bytes behind the bracket", "GET / HTTP/1.1\r\nHost: [::1]a\r\n\r\n", "bad_host"],
    ["a Host with empty brackets", "GET / HTTP/1.1\r\nHost: []\r\n\r\n", "bad_host"],
    ["a bad Host in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a b\r\n\r\n", "bad_host"],
    ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "bad_version"],
    ["HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", "bad_version"],
    ["HTTP/1.10", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", "bad_request_line"],
    ["HTTP/01.1", "GET / HTTP/01.1\r\nHost: a\r\n\r\n", "bad_version"],
    ["http/1.1", "GET / http/1.1\r\nHost: a\r\n\r\n", "bad_request_line"],
    ["HTTP/0.9", "GET /\r\n", "bad_request_line"],
    ["a TLS handshake", "\x16\x03\x01\x02\x00\x01", "bad_request_line"],
    ["a method of 33 bytes", `${"M".repeat(33)} / HTTP/1.1\r\nHost: a\r\n\r\n`, "bad_request_line"],
    ["a long method that has not ended", "M".repeat(33), "bad_request_line"],
    ["too many fields", `${GET}${"X: a\r\n".repeat(limits.maxFields)}\r\n`, "too_many_fields"],
    [
      "more names in Connection than a message has fields",
      `${GET}Connection: ${"a,".repeat(17)}\r\n\r\n`,
      "too_many_fields",
    ],
    ["a long target that has not ended", `GET /${long}`, "target_too_long"],
    ["a head that is too large", `${GET}X: ${long}\r\n\r\n`, "head_too_large"],
    ["a head that is too large already, and has not ended", `${GET}X: ${long}`, "head_too_large"],
  ])("%s", (_, text, reason) => {
    expect(parse(text).end).toBe(reason);
  });

  test("a head of exactly the limit passes, one byte more does not", () => {
    const filler = limits.maxHeadBytes - `${GET}X: \r\n\r\n`.length;
    expect(parse(`${GET}X: ${"x".repeat(filler)}\r\n\r\n`).end).toBe(limits.maxHeadBytes);
    expect(parse(`${GET}X: ${"x".repeat(filler + 1)}\r\n\r\n`).end).toBe("head_too_large");
  });
});

describe("responses", () => {
  test.each([
    ["the smallest", "HTTP/1.1 200 OK\r\n\r\n", 200],
    ["without a reason", "HTTP/1.1 204 \r\n\r\n", 204],
    ["without a reason and its space", "HTTP/1.1 404\r\n\r\n", 404],
    ["HTTP/1.0", "HTTP/1.0 599 \xe9\r\nX: y\r\n\r\n", 599],
  ])("%s", (_, text, status) => {
    const { end, head } = parse(text, { response: true });
    expect([end, head.status]).toEqual([text.length, status]);
  });

  test.each([
    ["a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", "bad_status_line"],
    ["a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", "bad_status_line"],
    ["a status of 600", "HTTP/1.1 600 OK\r\n\r\n", "bad_status_line"],
    ["a status of 099", "HTTP/1.1 099 OK\r\n\r\n", "bad_status_line"],
    ["two spaces", "HTTP/1.1  200 OK\r\n\r\n", "bad_status_line"],
    ["HTTP/2", "HTTP/2 200 OK\r\n\r\n", "bad_version"],
    ["garbage", "SSH-2.0-x\r\n", "bad_request_line"],
    ["an empty line first", "\r\nHTTP/1.1 200 OK\r\n\r\n", "bad_request_line"],
    ["a NUL in the reason", "HTTP/1.1 200 O\0K\r\n\r\n", "control_character"],
    ["CR in the reason", "HTTP/1.1 200 O\rK\r\n\r\n", "bare_cr"],
    ["LF alone", "HTTP/1.1 200 OK\n\r\n", "bare_lf"],
    [
      "both lengths",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      "length_and_encoding",
    ],
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "several_lengths"],
    ["chunked in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "bad_transfer_encoding"],
    ["a head that is too large", `HTTP/1.1 200 OK\r\nX: ${"x".repeat(1024)}`, "head_too_large"],
  ])("refused: %s", (_, text, reason) => {
    expect(parse(text, { response: true }).end).toBe(reason);
  });
});

describe("names", () => {
  test("a known name is found in any case", () => {
    const { head } = parse(`${GET}cOnTeNt-LeNgTh: 1\r\nX-FORWARDED-FOR: a\r\nForwarded: b\r\nX-Other: c\r\n\r\n`);
    expect([...head.id.subarray(1, 5)]).toEqual([2, names.idOf("x-forwarded-for"), names.idOf("Forwarded"), 0]);
  });

  test.each(["content_length", "Content.Length", "TRANSFER_ENCODING", "x.real.ip", "x_forwarded-for", "X!Real~IP"])(
    "%s is an alias: known, but not the field itself",
    (name) => {
      const { end, head } = parse(`${GET}${name}: 1\r\n\r\n`);
      expect(end).not.toBe(REFUSED);
      expect(head.id[1]).toBeLessThan(0);
      expect([head.contentLength, head.chunked]).toEqual([-1, false]);
    },
  );

  test("an identity is only known for a name of the table", () => {
    expect(() => names.idOf("x-unknown")).toThrow("field name: expected one of the table, got x-unknown");
  });
});
