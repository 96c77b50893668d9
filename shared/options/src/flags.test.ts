import { describe, expect, test } from "vitest";

import { resolve } from "../test/surroundings.ts";
import { address, boolean, integer, list, option, structured, text, z } from "./index.ts";

const described = { section: "S", summary: "It." };
const table = {
  listen: option({ ...described, kind: address(), default: "127.0.0.1:1" }),
  accessLog: option({ ...described, kind: boolean(), default: "true" }),
  dryRun: option({ ...described, kind: boolean(), default: "false" }),
  offset: option({ ...described, kind: integer(-10, 10), default: "0" }),
  allow: option({ ...described, kind: list(text()), default: "fallback" }),
  greeting: option({ ...described, kind: text(), default: "hello" }),
  routes: option({ ...described, kind: structured(z.array(z.string()), "a list of routes") }),
};
const flags = (...argv: string[]) => resolve(table, { argv });

test("a value stands after its flag or after an equals sign", () => {
  for (const argv of [["--listen", "h:2"], ["--listen=h:2"]]) {
    const { values, origins, problems } = flags(...argv);
    expect(problems).toEqual([]);
    expect(values.listen).toEqual({ host: "h", port: 2 });
    expect(origins.listen).toBe("flag --listen");
  }
  expect(flags("--greeting=a=b").values.greeting).toBe("a=b");
  expect(flags("--greeting=two\nlines").values.greeting).toBe("two\nlines");
  expect(flags("--greeting=").values.greeting).toBe("");
  expect(flags("--offset", "-5").values.offset).toBe(-5);
  expect(flags("--greeting=--x").values.greeting).toBe("--x");
});

test("the last of several values counts, but a list takes them all", () => {
  expect(flags("--offset", "1", "--offset", "2").values.offset).toBe(2);
  expect(flags("--allow", "a", "--allow=b,c", "--allow", "d").values.allow).toEqual(["a", "b", "c", "d"]);
  expect(flags("--allow=").values.allow).toEqual([]);
  expect(flags().values.allow).toEqual(["fallback"]);
});

test("a switch is turned on, off and told which", () => {
  expect(flags("--dry-run").values.dryRun).toBe(true);
  expect(flags("--dry-run=true").values.dryRun).toBe(true);
  expect(flags("--dry-run=false").values.dryRun).toBe(false);
  expect(flags("--no-access-log").values.accessLog).toBe(false);
  expect(flags("--access-log=off").values.accessLog).toBe(false);
});

test.each([
  ["--lisen", ["--lisen: expected a known flag (did you mean --listen?)"]],
  ["--lisen h:2 --dry-run", ["--lisen: expected a known flag (did you mean --listen?)"]],
  ["--lisen=h:2", ["--lisen: expected a known flag (did you mean --listen?)"]],
  ["--utterly-different", ["--utterly-different: expected a known flag"]],
  ["--no-listen", ["--no-listen: expected a known flag (did you mean --listen?)"]],
  ["--no-help", ["--no-help: expected a known flag (did you mean --help?)"]],
  ["--", ["--: expected a known flag"]],
  ["-path", ["-path: expected a known flag"]],
  ["word", ["word: expected a flag, got a bare word"]],
  ["--dry-run false", ["false: expected a flag, got a bare word"]],
  ["--listen h:2 h:3", ["h:3: expected a flag, got a bare word"]],
  ["--no-dry-run=true", ["--no-dry-run: expected no value, got true"]],
  ["--help=all", ["--help: expected no value, got all"]],
  ["--listen", ["--listen: expected host:port, [ipv6]:port or unix:/path, got nothing"]],
  ["--listen --dry-run", ["--listen: expected host:port, [ipv6]:port or unix:/path, got nothing"]],
  ["--allow a --allow", ["--allow: expected a list of: text, got nothing"]],
  ["--dry-run=maybe", ["--dry-run: expected true or false, got maybe"]],
  ["--routes x", ["--routes: expected routes as a key of the file, got a flag"]],
  ["--offset 99", ["--offset: expected a whole number from -10 to 10, got 99"]],
])("%s is refused once, with the nearest name", (line, problems) => {
  expect(flags(...line.split(" ")).problems).toEqual(problems);
});

test("an action is recognized among other flags, and the first one counts", () => {
  expect(flags().action).toBeUndefined();
  expect(flags("-h").action).toBe("help");
  expect(flags("--dry-run", "--print-config", "--help").action).toBe("printConfig");
  expect(flags("--version").action).toBe("version");
  expect(flags("--check-config", "--listen", "h:2")).toMatchObject({ action: "checkConfig", problems: [] });
  expect(flags("-path").action).toBeUndefined();
});

describe("a command", () => {
  const command = {
    name: "route",
    summary: "Tells.",
    words: ["key", "where"],
    flags: { deep: option({ ...described, kind: boolean(), default: "false" }) },
  };
  const asked = (...argv: string[]) => resolve(table, { argv, command });

  test("takes its words among flags of its own and of the container", () => {
    const { values, words, problems } = asked("a", "--greeting", "hi", "b", "--deep");
    expect({ words, problems }).toEqual({ words: ["a", "b"], problems: [] });
    expect(values).toMatchObject({ greeting: "hi", deep: true });
    expect(asked("a", "b").values).toMatchObject({ greeting: "hello", deep: false });
  });

  test("takes words that begin with a hyphen after two hyphens", () => {
    expect(asked("--deep", "--", "-a", "--greeting")).toMatchObject({ words: ["-a", "--greeting"], problems: [] });
    expect(asked("a", "--", "-b")).toMatchObject({ words: ["a", "-b"], problems: [] });
  });

  test("says what is missing, and refuses what is too much", () => {
    expect(asked().problems).toEqual(["route: expected route <key> <where>, got nothing after route"]);
    expect(asked("a").problems).toEqual(["route: expected route <key> <where>, got a after route"]);
    expect(asked("a", "b", "c").problems).toEqual(["c: expected a flag, got a bare word"]);
    expect(asked("--", "a", "b", "c").problems).toEqual(["route: expected route <key> <where>, got a b c after route"]);
  });

  test("has flags that no variable and no file can set, and that nobody else knows", () => {
    expect(resolve(table, { argv: ["--deep"] }).problems).toEqual([
      expect.stringMatching(/^--deep: expected a known flag/),
    ]);
    expect(resolve(table, { argv: ["a", "b"], command, env: { DEMO_DEEP: "true" } }).problems).toEqual([
      expect.stringMatching(/^DEMO_DEEP: expected a known variable/),
    ]);
  });
});
