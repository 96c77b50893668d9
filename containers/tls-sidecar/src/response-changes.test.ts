import { expect, test } from "vitest";

import { secureCookie, secureLocation } from "./response-changes.ts";

test.each([
  ["http://a.example/x?y#z", "a.example", "https://a.example/x?y#z"],
  ["HTTP://A.example", "a.example", "https://a.example"],
  ["http://a.example/x", "a.example:8443", "https://a.example:8443/x"],
  ["http://a.example:80/x", "a.example:8443", "https://a.example:8443/x"],
  ["http://a.example:8443?x", "a.example:8443", "https://a.example:8443?x"],
  ["http://[::1]/x", "[::1]:8443", "https://[::1]:8443/x"],
])("Location %s for the host %s of the request becomes %s", (value, host, rewritten) => {
  expect(secureLocation(value, host.replace("A", "a"))).toBe(rewritten);
});

test.each([
  ["http://b.example/", "a.example"],
  ["http://a.example:9000/", "a.example"],
  ["http://a.example.evil/", "a.example"],
  ["http://user@a.example/", "a.example"],
  ["https://a.example/", "a.example"],
  ["/x", "a.example"],
  ["//a.example/x", "a.example"],
  ["http:///x", ""],
  ["", "a.example"],
])("Location %j for the host %j of the request is left as it is", (value, host) => {
  expect(secureLocation(value, host)).toBe(value);
});

test.each([
  ["a=b", "a=b; Secure"],
  ["a=secure; Path=/", "a=secure; Path=/; Secure"],
  ["secure=1; Path=/secure", "secure=1; Path=/secure; Secure"],
  ["a=b; Secure", "a=b; Secure"],
  ["a=b;SECURE ;HttpOnly", "a=b;SECURE ;HttpOnly"],
  ["a=b; secure=yes", "a=b; secure=yes"],
])("the cookie %s becomes %s", (value, secured) => {
  expect(secureCookie(value)).toBe(secured);
});
