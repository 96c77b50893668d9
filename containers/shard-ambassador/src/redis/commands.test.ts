// The table of commands says the same as a real redis-server.
import { requirePrograms } from "@outrigger/testing";
import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";

import { startRedis } from "../../test/programs.ts";
import { commandOf, COMMANDS } from "./commands.ts";

const redis = requirePrograms("redis-server");
/** Commands that came and went between versions of Redis, or are ours. */
const ELSEWHERE = new Set(["waitaof", "outrigger", "quit", "hgetdel"]);

test("a command is found in any case, and nothing else is", () => {
  const find = (text: string): string | undefined => commandOf(Buffer.from(text), 0, text.length)?.name;
  expect(["get", "GET", "gEt", "ZRangeByScore"].map(find)).toEqual(["get", "get", "get", "zrangebyscore"]);
  expect(["", "ge", "gets", "g\u0005t", "GET "].map(find)).toEqual(Array.from({ length: 5 }, () => undefined));
  for (const { name } of COMMANDS) expect(find(name.toUpperCase())).toBe(name);
});

test.skipIf(redis.skip)(redis.title("keys are where the real redis-server says they are"), async () => {
  const { port } = await startRedis(onTestFinished);
  const client = new Redis(port, "127.0.0.1");
  onTestFinished(() => client.disconnect());
  const names = COMMANDS.map(({ name }) => name).filter((name) => !ELSEWHERE.has(name));
  const answers = (await client.call("COMMAND", "INFO", ...names)) as [
    string,
    number,
    string[],
    number,
    number,
    number,
  ][];
  const theirs = new Map(answers.map((answer) => [answer[0], answer]));
  expect(names.filter((name) => !theirs.has(name))).toEqual([]);
  for (const { name, kind, isRead, first, last, step } of COMMANDS) {
    const [, , flags, ...positions] = theirs.get(name) ?? [];
    if (flags === undefined) continue;
    // Flags are those of subcommands where there are any; TOUCH and PFCOUNT do change something.
    const hasFlags = flags.includes("readonly") || flags.includes("write");
    if (hasFlags && kind !== "whole" && name !== "touch" && name !== "pfcount")
      expect.soft(flags.includes("readonly"), name).toBe(isRead);
    expect.soft(flags.includes("blocking") && kind === "keys", name).toBe(false);
    if (kind !== "keys" || positions[0] === 0) continue;
    expect.soft([positions[0], positions[1], positions[2]], name).toEqual([first, last, step]);
  }
});

test.skipIf(redis.skip)(redis.title("every command of the real redis-server that has keys is known"), async () => {
  const { port } = await startRedis(onTestFinished);
  const client = new Redis(port, "127.0.0.1");
  onTestFinished(() => client.disconnect());
  const answers = (await client.call("COMMAND")) as [string, number, string[], number][];
  const known = new Set(COMMANDS.map(({ name }) => name));
  const internal = new Set(["pfdebug", "restore-asking"]);
  const keyed = answers.filter(([name, , , first]) => first !== 0 && !internal.has(name)).map(([name]) => name);
  expect(keyed.filter((name) => !known.has(name))).toEqual([]);
});
