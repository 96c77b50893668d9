import { expect, test } from "vitest";

import { formatAddress, isLoopbackHost, parseAddress, staysOnMachine } from "./index.ts";

test.each(["127.0.0.1:1", "[::1]:65535", "name.example:0", "unix:/run/a b.sock"])(
  "%s is formatted as it was parsed",
  (text) => {
    expect(formatAddress(parseAddress(text, "h")!)).toBe(text);
  },
);

test.each([
  ["localhost", true],
  ["LocalHost", true],
  ["127.0.0.1", true],
  ["127.255.0.1", true],
  ["::1", true],
  ["::ffff:127.0.0.1", true],
  ["0.0.0.0", false],
  ["::", false],
  ["10.0.0.1", false],
  ["::ffff:10.0.0.1", false],
  ["fe80::1%eth0", false],
  ["localhost.example", false],
  ["127.0.0.1.example", false],
  ["", false],
])("whether %s is loopback: %s", (host, expected) => {
  expect(isLoopbackHost(host)).toBe(expected);
  expect(staysOnMachine({ host, port: 1 })).toBe(expected);
});

test("a Unix socket stays on the machine", () => {
  expect(staysOnMachine({ path: "/run/app.sock" })).toBe(true);
});
