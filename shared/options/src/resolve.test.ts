import { expect, test } from "vitest";

import { resolve } from "../test/surroundings.ts";
import { address, boolean, duration, integer, option, show, text } from "./index.ts";

const described = { section: "S", summary: "It." };
const table = {
  greeting: option({ ...described, kind: text(), default: "by default", aliases: { HELLO: String } }),
  listen: option({ ...described, kind: address() }),
  workers: option({ ...described, kind: integer(1, 64), default: "1" }),
  idleTimeout: option({ ...described, kind: duration(), default: "5s" }),
  dryRun: option({ ...described, kind: boolean(), default: "false" }),
};
const INLINE = "DEMO_CONFIG_INLINE";

test("a flag goes before a variable, a variable before the file, the file before an alias, and that before the default", () => {
  const argv = ["--greeting", "by flag"];
  const env = { DEMO_GREETING: "by variable" };
  const alias = { HELLO: "by alias" };
  const files = { "/f": "greeting: by file" };
  const config = { DEMO_CONFIG: "/f" };
  const greeting = (given: Parameters<typeof resolve>[1]) => {
    const { values, origins, writtenAs, problems } = resolve(table, given);
    expect(problems).toEqual([]);
    return [values.greeting, origins.greeting, writtenAs.greeting];
  };
  expect(greeting({ argv, env: { ...env, ...alias, ...config }, files })).toEqual([
    "by flag",
    "flag --greeting",
    "--greeting",
  ]);
  expect(greeting({ env: { ...env, ...alias, ...config }, files })).toEqual([
    "by variable",
    "variable DEMO_GREETING",
    "DEMO_GREETING",
  ]);
  expect(greeting({ env: { ...alias, ...config }, files })).toEqual(["by file", "/f: greeting", "/f: greeting"]);
  expect(greeting({ env: alias })).toEqual(["by alias", "variable HELLO", "HELLO"]);
  expect(greeting({})).toEqual(["by default", "default", "--greeting"]);
});

test("an option without a value and a default is absent", () => {
  const { values } = resolve(table, {});
  expect(values.listen).toBeUndefined();
  expect(values).toMatchObject({ workers: 1, idleTimeout: 5000, dryRun: false });
});

test("the file may be given as text in a variable", () => {
  const { values, origins, problems } = resolve(table, { env: { [INLINE]: "greeting: inline\nworkers: 2" } });
  expect(problems).toEqual([]);
  expect(values).toMatchObject({ greeting: "inline", workers: 2 });
  expect(origins.workers).toBe(`${INLINE}: workers`);
});

test("the file and its text together are refused, whichever way the file is named", () => {
  const files = { "/f": "workers: 2" };
  const inline = { [INLINE]: "workers: 3" };
  expect(resolve(table, { argv: ["--config=/f"], env: inline, files }).problems).toEqual([
    `${INLINE}: expected to be alone, got --config as well`,
  ]);
  expect(resolve(table, { env: { ...inline, DEMO_CONFIG: "/f" }, files }).problems).toEqual([
    `${INLINE}: expected to be alone, got DEMO_CONFIG as well`,
  ]);
});

test("the flag that names the file goes before the variable", () => {
  const files = { "/a": "workers: 2", "/b": "workers: 3" };
  const { values, origins } = resolve(table, { argv: ["--config", "/a"], env: { DEMO_CONFIG: "/b" }, files });
  expect(values.workers).toBe(2);
  expect(origins).toMatchObject({ config: "flag --config", workers: "/a: workers" });
});

test("a file that cannot be read is refused with the reason", () => {
  expect(resolve(table, { argv: ["--config", "/none"] }).problems).toEqual([
    "--config: expected a readable file, got /none (ENOENT)",
  ]);
});

test("all problems of all sources are reported at once, by the names that the user wrote", () => {
  const { problems } = resolve(table, {
    argv: ["--lisen", "h:1", "--idle-timeout", "soon", "stray"],
    env: { DEMO_WORKERS: "many", DEMO_GREETNG: "x", DEMO_CONFIG: "/f" },
    files: { "/f": "listen: nowhere\ndryrun: true\ndryRun: perhaps\n" },
  });
  expect(problems).toEqual([
    "--lisen: expected a known flag (did you mean --listen?)",
    "stray: expected a flag, got a bare word",
    "DEMO_GREETNG: expected a known variable (did you mean DEMO_GREETING?)",
    "/f: dryrun: expected a known key (did you mean dryRun?)",
    "/f: listen: expected host:port, [ipv6]:port or unix:/path, got nowhere",
    "DEMO_WORKERS: expected a whole number from 1 to 64, got many",
    "--idle-timeout: expected a duration such as 500ms, 10s, 5m or 1h (a bare number is seconds), got soon",
    "/f: dryRun: expected true or false, got perhaps",
  ]);
});

test("a value is shown short and on one line, and nothing of a text of several lines", () => {
  expect(show("x".repeat(200))).toBe(`${"x".repeat(80)}...`);
  expect(show("-----BEGIN PRIVATE KEY-----\nabc")).toBe("[redacted]");
  expect(show("a\rb")).toBe("[redacted]");
  expect([show(""), show(null), show(undefined)]).toEqual(["nothing", "nothing", "nothing"]);
  expect(show({ a: [1] })).toBe('{"a":[1]}');
});
