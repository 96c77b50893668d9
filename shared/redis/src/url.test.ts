import { expect, test } from "vitest";

import { parseRedisUrl } from "./index.ts";

test.each([
  ["redis://localhost:6379", { address: { host: "localhost", port: 6379 }, tls: false }],
  ["redis://cache", { address: { host: "cache", port: 6379 }, tls: false }],
  [
    "rediss://u:p%40ss@cache:7000/0",
    { address: { host: "cache", port: 7000 }, tls: true, username: "u", password: "p@ss" },
  ],
  ["redis://:secret@[::1]:1", { address: { host: "::1", port: 1 }, tls: false, password: "secret" }],
  ["unix:///run/redis.sock", { address: { path: "/run/redis.sock" }, tls: false }],
  ["127.0.0.1:6380", { address: { host: "127.0.0.1", port: 6380 }, tls: false }],
  ["cache", { address: { host: "cache", port: 6379 }, tls: false }],
  ["http://cache", undefined],
  ["redis://", undefined],
  ["", undefined],
])("%s is read as what it says", (text, url) => expect(parseRedisUrl(text)).toEqual(url));
