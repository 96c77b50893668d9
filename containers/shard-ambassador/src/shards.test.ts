// Shards as they are written, and what is refused about them.
import { resolveOptions } from "@outrigger/options";
import { expect, test } from "vitest";

import { options } from "./options.ts";
import type { Values } from "./options.ts";
import { checkValues, parseShard, placementSettingsOf } from "./shards.ts";

function problemsOf(...flags: string[]): string[] {
  const { values, writtenAs, problems } = resolveOptions("shard-ambassador", options, {
    argv: flags,
    env: {},
    readFile: () => "",
  });
  return [...problems, ...checkValues(values as Values, writtenAs as Record<keyof Values, string>)];
}

test.each([
  ["redis-0.redis:6379", { address: { host: "redis-0.redis", port: 6379 }, weight: 1, name: "redis-0.redis:6379" }],
  ["10.0.0.1:6379:3 alpha", { address: { host: "10.0.0.1", port: 6379 }, weight: 3, name: "alpha" }],
  ["[::1]:6379:2", { address: { host: "::1", port: 6379 }, weight: 2, name: "[::1]:6379" }],
  ["unix:/run/redis.sock one", { address: { path: "/run/redis.sock" }, weight: 1, name: "one" }],
  ["redis-0", undefined],
  ["redis-0:6379:0", undefined],
  ["redis-0:6379:1 two words", undefined],
  ["redis-0:0", undefined],
])("%s", (text, expected) => {
  expect(parseShard(text, "rendezvous")).toEqual(expected);
});

test("with ketama, a shard on memcached's port is named as twemproxy names it", () => {
  expect(parseShard("cache-0:11211", "ketama")?.name).toBe("cache-0");
  expect(parseShard("cache-0:11211", "rendezvous")?.name).toBe("cache-0:11211");
});

test.each([
  [[], "--shards: expected at least one host:port[:weight] [name], got nothing"],
  [["--shards", "a:1,b"], "--shards: expected host:port[:weight] [name], got b"],
  [["--shards", "a:1 x,b:1 x"], "--shards: expected names that differ, got x twice"],
  [["--shards", "a:1:2", "--distribution", "jump"], "--shards: expected weight 1 with --distribution jump, got 2"],
  [["--shards", "a:1", "--hash", "md5"], "--hash: expected --distribution ketama or modula beside it, got rendezvous"],
  [["--shards", "a:1", "--hash-tag", "<"], "--hash-tag: expected two characters, or none, got <"],
  [
    ["--shards", "a:1", "--hash-tag", "none", "--distribution", "redis-cluster"],
    "--hash-tag: expected {} with --distribution redis-cluster, got none",
  ],
  [
    ["--shards", "a:1", "--on-failure", "next", "--distribution", "jump"],
    "--on-failure: expected fail with --distribution jump, got next",
  ],
  [
    ["--shards", "a:1", "--memory-limit", "1MiB", "--max-request", "1MiB"],
    "--max-request: expected at most half of --memory-limit (1048576 B), got 1048576 B",
  ],
])("%j is refused", (flags, problem) => {
  expect(problemsOf(...flags)).toEqual([
    expect.stringContaining(problem.replace(/^--shards(?=: expected at least)/, "")),
  ]);
});

test("good values have no problems, and hash tags can be switched off", () => {
  expect(
    problemsOf("--shards", "a:1:2 x,b:1", "--distribution", "ketama", "--hash", "md5", "--hash-tag", "none"),
  ).toEqual([]);
  const values = { distribution: "ketama", hash: undefined, hashTag: "none" } as Values;
  expect(placementSettingsOf(values)).toEqual({ distribution: "ketama", hash: "fnv1a_64", hashTag: undefined });
});
