import { assert, constantFrom, integer, ipV4, ipV6, property, tuple, uint8Array } from "fast-check";
import { describe, expect, test } from "vitest";

import { addressBytes, parseAddressBytes } from "./address-bytes.ts";
import { parseProxyHeader, writeProxyHeader } from "./proxy-protocol.ts";
import type { TlsFacts } from "./proxy-protocol.ts";

const TLS: TlsFacts = { alpn: "h2", serverName: "a.test", version: "TLSv1.3", cipher: "TLS_AES", client: undefined };
const port = integer({ min: 0, max: 65_535 });
const canonical = (address: string): string => parseAddressBytes(addressBytes(address));

test("what is written is read back, cut wherever it may be", () => {
  assert(
    property(
      tuple(constantFrom("v1", "v2", "v2-tls", "v2-cert"), tuple(ipV4(), ipV4()), tuple(ipV6(), ipV6()), port, port),
      ([version, four, six, from, to]) => {
        for (const [source, destination] of [four, [canonical(six[0]), canonical(six[1])] as const]) {
          const ends = { source: { address: source, port: from }, destination: { address: destination, port: to } };
          const client = { commonName: "web", der: Buffer.alloc(900) };
          const header = writeProxyHeader(version, ends, { ...TLS, client });
          expect(parseProxyHeader(Buffer.concat([header, Buffer.from("more")]))).toEqual({
            ends,
            length: header.length,
          });
          for (let at = 0; at < header.length; at += 7)
            expect(parseProxyHeader(header.subarray(0, at))).toBeUndefined();
        }
      },
    ),
    { numRuns: 50 },
  );
});

describe("what is read", () => {
  const v2 = (command: number, family: number, payload: number[]): Buffer =>
    Buffer.concat([
      Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1"),
      Buffer.from([command, family, payload.length >> 8, payload.length & 255, ...payload]),
    ]);

  test.each<[string, Buffer]>([
    ["version 1, unknown", Buffer.from("PROXY UNKNOWN whatever\r\n")],
    ["version 2, the proxy's own", v2(0x20, 0x00, [])],
    ["version 2, a Unix socket", v2(0x21, 0x31, Array<number>(216).fill(0))],
  ])("has no ends: %s", (_, bytes) => {
    expect(parseProxyHeader(bytes)).toEqual({ ends: undefined, length: bytes.length });
  });

  test.each<[string, Buffer]>([
    ["TLS", Buffer.from([22, 3, 1, 2, 0])],
    ["HTTP", Buffer.from("POST / HTTP/1.1\r\n")],
    ["another family", Buffer.from("PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n")],
    ["a wrong family", Buffer.from("PROXY TCP4 ::1 ::1 1 2\r\n")],
    ["no address", Buffer.from("PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n")],
    ["no port", Buffer.from("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n")],
    ["a port too large", Buffer.from("PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n")],
    ["a port with a sign", Buffer.from("PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n")],
    ["more than there should be", Buffer.from("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n")],
    ["a line without an end", Buffer.from(`PROXY UNKNOWN ${"x".repeat(107)}`)],
    ["another version", v2(0x11, 0x11, Array<number>(12).fill(0))],
    ["addresses cut short", v2(0x21, 0x11, Array<number>(11).fill(0))],
    ["too many fields", v2(0x21, 0x11, Array<number>(5000).fill(0))],
  ])("is none: %s", (_, bytes) => {
    expect(parseProxyHeader(bytes)).toBeNull();
  });

  test("never throws", () => {
    assert(
      property(uint8Array({ maxLength: 64 }), constantFrom("", "PROXY ", "\r\n\r\n\0\r\nQUIT\n"), (bytes, start) => {
        parseProxyHeader(Buffer.concat([Buffer.from(start, "latin1"), bytes]));
      }),
    );
  });
});

test("what does not fit is not written", () => {
  const client = { commonName: "x", der: Buffer.alloc(70_000) };
  expect(() => writeProxyHeader("v2-cert", undefined, { ...TLS, client })).toThrow(RangeError);
});
