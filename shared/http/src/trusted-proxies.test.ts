import { expect, test } from "vitest";

import { plainAddress } from "./peer.ts";
import { createTrust, parseCidr } from "./trusted-proxies.ts";

test.each([
  ["10.0.0.0/8", { address: "10.0.0.0", prefix: 8, family: "ipv4" }],
  ["10.1.2.3", { address: "10.1.2.3", prefix: 32, family: "ipv4" }],
  ["0.0.0.0/0", { address: "0.0.0.0", prefix: 0, family: "ipv4" }],
  ["fd00::/8", { address: "fd00::", prefix: 8, family: "ipv6" }],
  ["::1", { address: "::1", prefix: 128, family: "ipv6" }],
])("%s is a block", (text, block) => {
  expect(parseCidr(text)).toEqual(block);
});

test.each([
  "",
  "/8",
  "10.0.0.0/",
  "10.0.0.0/33",
  "::/129",
  "10.0.0.0/-1",
  "10.0.0.0/8/8",
  "10.0.0/8",
  "10.0.0.0/8 ",
  "a/8",
  "10.0.0.0/0x8",
  "1/1",
])("%j is none", (text) => {
  expect(parseCidr(text)).toBeUndefined();
  expect(() => createTrust([text])).toThrow("trusted proxy: expected an address or CIDR");
});

test("an address is trusted when it is in a block, however it is written", () => {
  const isTrusted = createTrust(["10.0.0.0/8", "2001:db8::/32", "192.0.2.1"]);
  for (const address of ["10.255.0.1", "::ffff:10.0.0.1", "2001:DB8::1", "192.0.2.1"])
    expect(isTrusted(address)).toBe(true);
  for (const address of [
    "11.0.0.1",
    "::ffff:11.0.0.1",
    "2001:db9::1",
    "192.0.2.2",
    "",
    "unknown",
    "10.0.0.1:80",
    "10.0.0",
    " 10.0.0.1",
  ])
    expect(isTrusted(address)).toBe(false);
  expect(createTrust([])("127.0.0.1")).toBe(false);
});

test("only an IPv4 address that is shown as IPv6 is made plain", () => {
  expect(["::ffff:1.2.3.4", "::ffff:102:304", "1.2.3.4", "::1"].map(plainAddress)).toEqual([
    "1.2.3.4",
    "::ffff:102:304",
    "1.2.3.4",
    "::1",
  ]);
});
